"""The BFF's queries, with the role `bff`, on the real tables."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from bff.lecturas import Lecturas, SinBaseDeDatos
from functions.comun.ids import Id, nuevo
from functions.comun.mensajes import TIPOS
from functions.saga.tablas import COMPENSACIONES
from tests.plataforma import Plataforma, esperar

AYER = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ORDEN = """
    insert into ordenes values (:id, :id, 'ana', :cuando, 2, 'Calle 45', 'creada', null, null, :id, 1)"""
PRODUCTO = "insert into productos values (:id, 'Té', 3, :cuando, :cuando, :eliminado, 1)"
PASO = """
    insert into sagalog values (:mensaje, :id, :id, :cuando, :compensa, :evento, cast('{"cantidad": 2}' as jsonb))"""


@pytest.fixture
def lecturas(bases: Plataforma) -> Lecturas:
    return conectar(bases)


def conectar(bases: Plataforma, clave: str | None = None, **cambios: str) -> Lecturas:
    nombres = {"saga": "saga", "ordenes": "ordenes_lectura", "productos": "productos_lectura"} | cambios
    motores = {cual: bases.motor(base, "bff", clave or bases.clave("bff")) for cual, base in nombres.items()}
    return Lecturas(**{cual: motor.url for cual, motor in motores.items()}, hilos=2)


def ids(filas: list[dict[str, Any]], columna: str) -> list[Id]:
    return [fila[columna] for fila in filas]


def test_orders_come_newest_first_in_a_stable_order(bases: Plataforma, lecturas: Lecturas) -> None:
    llegadas = [(nuevo(), AYER + timedelta(seconds=n // 3)) for n in range(9)]
    for uno, cuando in llegadas:
        bases.sql("ordenes_lectura", ORDEN, id=uno, cuando=cuando)
    esperadas = [uno for uno, cuando in sorted(llegadas, key=lambda x: (-x[1].timestamp(), x[0]))]
    assert ids(lecturas.ordenes(1000, {}), "id_orden") == esperadas
    assert ids(lecturas.ordenes(4, {}), "id_orden") == esperadas[:4]


def test_open_orders_are_counted_and_the_oldest_has_an_age(bases: Plataforma, lecturas: Lecturas) -> None:
    assert lecturas.abiertas() == (0, 0)
    ahora = datetime.now(UTC)
    for hace in (7200, 60):
        bases.sql("ordenes_lectura", ORDEN, id=nuevo(), cuando=ahora - timedelta(seconds=hace))
    bases.sql("ordenes_lectura", ORDEN.replace("creada", "iniciada"), id=nuevo(), cuando=AYER)
    cuantas, segundos = lecturas.abiertas()
    assert cuantas == 2
    assert 7199 < segundos < 7500


def test_a_query_that_breaks_off_leaves_nothing_behind_for_the_next_one(lecturas: Lecturas) -> None:
    """The driver fails between its messages to the server, whose answers would be the next query's."""
    fuera = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    with pytest.raises(OverflowError):
        lecturas.ordenes(1000, {"desde": fuera})
    for _ in range(3):
        assert lecturas.ordenes(1000, {}) == []


def test_pages_of_orders_are_the_list_however_it_is_cut_and_whatever_is_added(
    bases: Plataforma, lecturas: Lecturas
) -> None:
    for n in range(20):
        bases.sql("ordenes_lectura", ORDEN, id=nuevo(), cuando=AYER + timedelta(seconds=n // 4))
    todas = ids(lecturas.ordenes(1000, {}), "id_orden")
    for limite in (1, 3, 20):
        vistas: list[Id] = []
        lugar = None
        while pagina := lecturas.ordenes(limite, {}, lugar):
            vistas += ids(pagina, "id_orden")
            lugar = (pagina[-1]["time_stamp"], pagina[-1]["id_orden"])
            bases.sql("ordenes_lectura", ORDEN, id=nuevo(), cuando=AYER + timedelta(hours=1))  # a newer one
        assert vistas == todas
        bases.sql("ordenes_lectura", "delete from ordenes where time_stamp = :h", h=AYER + timedelta(hours=1))


def test_orders_are_filtered_by_all_that_is_asked_for(bases: Plataforma, lecturas: Lecturas) -> None:
    una, otra = nuevo(), nuevo()
    for uno, cuando in ((una, AYER), (otra, AYER + timedelta(hours=1))):
        bases.sql("ordenes_lectura", ORDEN, id=uno, cuando=cuando)
    bases.sql("ordenes_lectura", "update ordenes set user_id = 'bea', estado = 'fallida' where id_orden = :o", o=otra)
    filtros: dict[str, list[tuple[Any, list[Id]]]] = {
        "user_id": [("ana", [una]), ("bea", [otra]), ("nadie' or true --", []), (None, [otra, una])],
        "estado": [("creada", [una]), ("fallida", [otra]), ("iniciada", [])],
        "id_producto": [(una, [una]), (nuevo(), [])],
        "desde": [(AYER, [otra, una]), (AYER + timedelta(milliseconds=1), [otra])],
        "hasta": [(AYER, []), (AYER + timedelta(milliseconds=1), [una])],
    }
    for nombre, casos in filtros.items():
        for valor, esperadas in casos:
            assert ids(lecturas.ordenes(10, {nombre: valor}), "id_orden") == esperadas, (nombre, valor)
    assert ids(lecturas.ordenes(10, {"user_id": "bea", "estado": "creada"}), "id_orden") == []


def test_pages_of_products_are_the_list(bases: Plataforma, lecturas: Lecturas) -> None:
    for n in range(7):
        cuando = AYER + timedelta(seconds=n // 3)
        bases.sql("productos_lectura", PRODUCTO, id=nuevo(), cuando=cuando, eliminado=n == 4)
    todos = ids(lecturas.productos(1000), "id")
    primera = lecturas.productos(4)
    segunda = lecturas.productos(4, (primera[-1]["fecha_creacion"], primera[-1]["id"]))
    assert ids(primera + segunda, "id") == todos
    assert len(todos) == 6


def test_an_order_has_all_its_fields(bases: Plataforma, lecturas: Lecturas) -> None:
    uno = nuevo()
    bases.sql("ordenes_lectura", ORDEN, id=uno, cuando=AYER)
    assert lecturas.orden(uno) == {
        "id_orden": uno,
        "id_producto": uno,
        "user_id": "ana",
        "time_stamp": AYER,
        "cantidad": 2,
        "direccion_entrega": "Calle 45",
        "estado": "creada",
        "id_driver": None,
        "motivo": None,
        "transaction_id": uno,
        "instrucciones_entrega": None,
    }
    assert lecturas.orden(nuevo()) is None


def test_deleted_products_are_hidden(bases: Plataforma, lecturas: Lecturas) -> None:
    vivo, otro, muerto = nuevo(), nuevo(), nuevo()
    for uno, segundos in ((vivo, 1), (otro, 0), (muerto, 2)):
        cuando = AYER + timedelta(seconds=segundos)
        bases.sql("productos_lectura", PRODUCTO, id=uno, cuando=cuando, eliminado=uno == muerto)
    assert ids(lecturas.productos(1000), "id") == [otro, vivo]
    assert ids(lecturas.productos(1), "id") == [otro]
    assert lecturas.producto(muerto) is None
    hora = AYER + timedelta(seconds=1)
    fechas = {"fecha_creacion": hora, "fecha_actualizacion": hora}
    assert lecturas.producto(vivo) == {"id": vivo, "nombre": "Té", "stock": 3, **fechas}


def test_the_steps_of_a_saga_come_by_time_and_then_as_one_causes_the_other(
    bases: Plataforma, lecturas: Lecturas
) -> None:
    """All but the first in one millisecond, written in the wrong order."""
    uno = nuevo()
    fuera = ("evento", "verificar")
    causales = [
        tipo for tipo in TIPOS.values() if hasattr(tipo, "transaction_id") and not any(f in tipo.topic for f in fuera)
    ]
    eventos = {tipo.topic.partition("/")[2]: issubclass(tipo, COMPENSACIONES) for tipo in causales}
    for evento, compensa in sorted(eventos.items(), reverse=True):
        cuando = AYER + timedelta(milliseconds=evento != "comando-crear-orden")
        paso = {"id": uno, "cuando": cuando, "evento": evento, "compensa": compensa}
        bases.sql("saga", PASO, mensaje=nuevo(), **paso)
        bases.sql("saga", PASO, mensaje=nuevo(), **paso | {"id": nuevo()})
    pasos = lecturas.saga(uno)
    assert [paso["evento"].removeprefix("comando-") for paso in pasos] == [
        "crear-orden",
        "disminuir-stock",
        "asignar-conductor",
        "marcar-listo-despacho",
        "liberar-conductor",
        "revertir-disminuir-stock",
        "revertir-orden-creada",
    ]
    assert [paso["is_compensation"] for paso in pasos] == [False] * 4 + [True] * 3
    assert set(pasos[0]) == {"transaction_id", "timestamp", "is_compensation", "evento", "contenido", "id_mensaje"}
    assert (pasos[0]["timestamp"], pasos[0]["contenido"]) == (AYER, {"cantidad": 2})
    assert lecturas.saga(nuevo()) == []


def test_a_lost_connection_is_replaced(bases: Plataforma, lecturas: Lecturas) -> None:
    assert lecturas.ordenes(1, {}) == []
    conectados = "select pid from pg_stat_activity where usename = 'bff'"
    bases.sql("postgres", f"select pg_terminate_backend(pid) from ({conectados}) as c")
    esperar("the end of the connections", lambda: not bases.sql("postgres", conectados))
    assert lecturas.ordenes(1, {}) == []


def test_a_database_that_does_not_answer_is_an_error_of_its_own(
    bases: Plataforma, lecturas: Lecturas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bff.lecturas._ORDENES", "select pg_sleep(5), time_stamp, id_orden from ordenes")
    bases.sql("ordenes_lectura", ORDEN, id=nuevo(), cuando=AYER)
    with pytest.raises(SinBaseDeDatos, match="database ordenes_lectura"):
        lecturas.ordenes(1, {})
    monkeypatch.undo()
    assert len(lecturas.ordenes(2, {})) == 1


@pytest.mark.parametrize(("clave", "base"), [("wrong", "ordenes_lectura"), (None, "ordenes"), (None, "nada")])
def test_a_database_that_refuses_is_an_error_of_its_own(bases: Plataforma, clave: str | None, base: str) -> None:
    with pytest.raises(SinBaseDeDatos, match=f"database {base}"):
        conectar(bases, clave, ordenes=base).ordenes(1, {})


@pytest.mark.parametrize(
    "condicion",
    [
        "true",
        "time_stamp <= now() and (time_stamp < now() or id_orden > gen_random_uuid())",
        "time_stamp >= now() and time_stamp < now()",
        "user_id = 'ana'",
        "id_producto = '6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f' and time_stamp <= now()",
    ],
)
def test_lists_can_use_an_index(bases: Plataforma, condicion: str) -> None:
    """On a table of one million orders a page must not read, nor sort, them all."""
    plan = explicar(bases, f"select * from ordenes where {condicion} order by time_stamp desc, id_orden limit 9")
    assert "Index Scan" in plan
    assert "Sort" not in plan
    if "=" in condicion:
        assert "Index Cond" in plan


def explicar(bases: Plataforma, consulta: str) -> str:
    with bases.motor("ordenes_lectura").begin() as conexion:
        for camino in ("seqscan", "bitmapscan", "sort"):
            conexion.execute(sa.text(f"set local enable_{camino} = off"))
        return "\n".join(conexion.execute(sa.text(f"explain {consulta}")).scalars())
