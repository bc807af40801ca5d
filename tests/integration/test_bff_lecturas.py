"""The BFF's queries, with the role `bff`, on the real tables."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from bff.lecturas import Lecturas, SinBaseDeDatos
from functions.comun.mensajes import TIPOS
from functions.saga.registrar_saga import COMPENSACIONES
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


def ids(filas: list[dict[str, Any]], columna: str) -> list[UUID]:
    return [fila[columna] for fila in filas]


def test_orders_come_newest_first_in_a_stable_order(bases: Plataforma, lecturas: Lecturas) -> None:
    llegadas = [(uuid4(), AYER + timedelta(seconds=n // 3)) for n in range(9)]
    for uno, cuando in llegadas:
        bases.sql("ordenes_lectura", ORDEN, id=uno, cuando=cuando)
    esperadas = [uno for uno, cuando in sorted(llegadas, key=lambda x: (-x[1].timestamp(), x[0]))]
    assert ids(lecturas.ordenes(1000), "id_orden") == esperadas
    assert ids(lecturas.ordenes(4), "id_orden") == esperadas[:4]


def test_an_order_has_all_its_fields(bases: Plataforma, lecturas: Lecturas) -> None:
    uno = uuid4()
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
    assert lecturas.orden(uuid4()) is None


def test_deleted_products_are_hidden(bases: Plataforma, lecturas: Lecturas) -> None:
    vivo, otro, muerto = uuid4(), uuid4(), uuid4()
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
    uno = uuid4()
    fuera = ("evento", "verificar")
    causales = [
        tipo for tipo in TIPOS.values() if hasattr(tipo, "transaction_id") and not any(f in tipo.topic for f in fuera)
    ]
    eventos = {tipo.topic.partition("/")[2]: issubclass(tipo, COMPENSACIONES) for tipo in causales}
    for evento, compensa in sorted(eventos.items(), reverse=True):
        cuando = AYER + timedelta(milliseconds=evento != "comando-crear-orden")
        paso = {"id": uno, "cuando": cuando, "evento": evento, "compensa": compensa}
        bases.sql("saga", PASO, mensaje=uuid4(), **paso)
        bases.sql("saga", PASO, mensaje=uuid4(), **paso | {"id": uuid4()})
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
    assert set(pasos[0]) == {"transaction_id", "timestamp", "is_compensation", "evento", "contenido"}
    assert (pasos[0]["timestamp"], pasos[0]["contenido"]) == (AYER, {"cantidad": 2})
    assert lecturas.saga(uuid4()) == []


def test_a_lost_connection_is_replaced(bases: Plataforma, lecturas: Lecturas) -> None:
    assert lecturas.ordenes(1) == []
    conectados = "select pid from pg_stat_activity where usename = 'bff'"
    bases.sql("postgres", f"select pg_terminate_backend(pid) from ({conectados}) as c")
    esperar("the end of the connections", lambda: not bases.sql("postgres", conectados))
    assert lecturas.ordenes(1) == []


def test_a_database_that_does_not_answer_is_an_error_of_its_own(
    bases: Plataforma, lecturas: Lecturas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bff.lecturas._ORDENES", "select pg_sleep(5), time_stamp, id_orden from ordenes")
    bases.sql("ordenes_lectura", ORDEN, id=uuid4(), cuando=AYER)
    with pytest.raises(SinBaseDeDatos, match="database ordenes_lectura"):
        lecturas.ordenes(1)
    monkeypatch.undo()
    assert len(lecturas.ordenes(2)) == 1


@pytest.mark.parametrize(("clave", "base"), [("wrong", "ordenes_lectura"), (None, "ordenes"), (None, "nada")])
def test_a_database_that_refuses_is_an_error_of_its_own(bases: Plataforma, clave: str | None, base: str) -> None:
    with pytest.raises(SinBaseDeDatos, match=f"database {base}"):
        conectar(bases, clave, ordenes=base).ordenes(1)


def test_the_queries_can_use_an_index(bases: Plataforma) -> None:
    """On a table of one million orders a list must not read them all."""
    with bases.motor("ordenes_lectura").begin() as conexion:
        conexion.execute(sa.text("set local enable_seqscan = off"))
        plan = "\n".join(
            conexion.execute(
                sa.text("explain select * from ordenes order by time_stamp desc, id_orden limit 9")
            ).scalars()
        )
    assert "Index Scan" in plan
    assert "Sort" not in plan
