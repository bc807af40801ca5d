"""The BFF's queries, with the role `bff`, on the real tables.

Longer than 200 lines: it mirrors one module, all of whose queries share the same rows.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from bff.backends.read_models import DatabaseUnavailable, ReadModels
from bff.bodies.pages import MAX_PAGE
from functions.cluster.connections import BFF_POOL_SIZE
from functions.messages.ids import Id, new
from functions.messages.payloads import PAYLOADS
from functions.saga.tables import COMPENSATIONS
from tests.support.platform import Platform, wait_for
from tests.support.reading import reading

YESTERDAY = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ORDEN = """
    insert into ordenes values (:id, :id, 'ana', :when, 2, 'Calle 45', 'creada', null, null, :id, 1)"""
PRODUCTO = "insert into productos values (:id, 'Té', 3, :when, :when, :eliminado, 1)"
MOVIMIENTO = """
    insert into movimientos values
        (:id, :version, '2026-03-01T12:30:00Z', 'ajuste', null, cast(:ajuste as uuid), 2, 9, :motivo, false)"""
STEP = """
    insert into sagalog values (:message, :id, :id, :when, :compensa, :evento, cast('{"cantidad": 2}' as jsonb))"""


@pytest.fixture
def read_models(databases: Platform) -> ReadModels:
    return connect(databases)


def connect(
    databases: Platform, password: str | None = None, ordenes: str = "ordenes_lectura", threads: int = 2
) -> ReadModels:
    password = password or databases.password("bff")
    return reading(databases.postgres_port, password, ordenes=ordenes, threads=threads)


def ids(rows: list[dict[str, Any]], column: str) -> list[Id]:
    return [row[column] for row in rows]


def test_orders_come_newest_first_in_a_stable_order(databases: Platform, read_models: ReadModels) -> None:
    arrivals = [(new(), YESTERDAY + timedelta(seconds=n // 3)) for n in range(9)]
    for row_id, when in arrivals:
        databases.sql("ordenes_lectura", ORDEN, id=row_id, when=when)
    expected = [row_id for row_id, when in sorted(arrivals, key=lambda x: (-x[1].timestamp(), x[0]))]
    assert ids(read_models.ordenes(1000, {}), "id_orden") == expected
    assert ids(read_models.ordenes(4, {}), "id_orden") == expected[:4]


def test_open_orders_are_counted_and_the_oldest_has_an_age(databases: Platform, read_models: ReadModels) -> None:
    assert read_models.open_ordenes() == (0, 0)
    now = datetime.now(UTC)
    for ago in (7200, 60):
        databases.sql("ordenes_lectura", ORDEN, id=new(), when=now - timedelta(seconds=ago))
    databases.sql("ordenes_lectura", ORDEN.replace("creada", "iniciada"), id=new(), when=YESTERDAY)
    count, seconds = read_models.open_ordenes()
    assert count == 2
    assert 7199 < seconds < 7500
    assert read_models.dispatched_ordenes() == (0, 0)
    sent_off = "update ordenes set estado = 'despachada', despachada_en = :when where estado = 'iniciada'"
    databases.sql("ordenes_lectura", sent_off, when=now - timedelta(seconds=3600))
    count, seconds = read_models.dispatched_ordenes()
    assert count == 1
    assert 3599 < seconds < 3900


def test_many_threads_share_few_connections(databases: Platform) -> None:
    read_models, start = connect(databases, threads=16), Barrier(16)
    opened = "select count(*) from pg_stat_activity where application_name = 'bff' and datname = :name"
    names = ("saga", "ordenes_lectura", "productos_lectura", "conductores_lectura")
    of_others = {name: databases.sql("saga", opened, name=name)[0][0] for name in names}

    def read(_: int) -> None:
        start.wait()
        for _ in range(20):
            assert (read_models.saga(new()), read_models.orden(new()), read_models.producto(new())) == ([], None, None)
            assert read_models.conductor(new()) is None

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(read, range(16)))
    for name in names:
        assert databases.sql("saga", opened, name=name)[0][0] <= of_others[name] + BFF_POOL_SIZE


def test_an_order_from_a_host_whose_clock_is_ahead_has_no_negative_age(
    databases: Platform, read_models: ReadModels
) -> None:
    databases.sql("ordenes_lectura", ORDEN, id=new(), when=datetime.now(UTC) + timedelta(hours=2))
    assert read_models.open_ordenes() == (1, 0)


def test_of_what_a_product_was_created_with_the_name_is_known_until_it_changes_and_the_stock_by_its_movement(
    databases: Platform, read_models: ReadModels
) -> None:
    unsold, sold, deleted, never_there = new(), new(), new(), new()
    assert read_models.created_producto(unsold) is None
    for row_id in (unsold, sold, deleted, never_there):
        is_deleted = row_id in (deleted, never_there)
        databases.sql("productos_lectura", PRODUCTO, id=row_id, when=YESTERDAY, eliminado=is_deleted)
    for row_id in (sold, deleted):
        databases.sql("productos_lectura", "update productos set stock = 1, version = 2 where id = :id", id=row_id)
    assert read_models.created_producto(unsold) == {"nombre": "Té", "stock": 3}
    assert read_models.created_producto(sold) == read_models.created_producto(deleted) == {}
    databases.sql("productos_lectura", MOVIMIENTO, id=sold, version=1, motivo=None, ajuste=None)
    assert read_models.created_producto(sold) == {"stock": 9}
    assert read_models.created_producto(never_there) is None


def test_a_query_that_breaks_off_leaves_nothing_behind_for_the_next_one(read_models: ReadModels) -> None:
    """The driver fails between its messages to the server, whose answers would be the next query's."""
    outside = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    with pytest.raises(OverflowError):
        read_models.ordenes(1000, {"desde": outside})
    for _ in range(3):
        assert read_models.ordenes(1000, {}) == []


def test_pages_of_orders_are_the_list_however_it_is_cut_and_whatever_is_added(
    databases: Platform, read_models: ReadModels
) -> None:
    for n in range(20):
        databases.sql("ordenes_lectura", ORDEN, id=new(), when=YESTERDAY + timedelta(seconds=n // 4))
    all_ids = ids(read_models.ordenes(1000, {}), "id_orden")
    for limit in (1, 3, 20):
        seen: list[Id] = []
        location = None
        while page := read_models.ordenes(limit, {}, location):
            seen += ids(page, "id_orden")
            location = (page[-1]["time_stamp"], page[-1]["id_orden"])
            databases.sql("ordenes_lectura", ORDEN, id=new(), when=YESTERDAY + timedelta(hours=1))  # a newer one
        assert seen == all_ids
        databases.sql("ordenes_lectura", "delete from ordenes where time_stamp = :h", h=YESTERDAY + timedelta(hours=1))


def test_orders_are_filtered_by_all_that_is_asked_for(databases: Platform, read_models: ReadModels) -> None:
    first, second = new(), new()
    for row_id, when in ((first, YESTERDAY), (second, YESTERDAY + timedelta(hours=1))):
        databases.sql("ordenes_lectura", ORDEN, id=row_id, when=when)
    databases.sql(
        "ordenes_lectura", "update ordenes set user_id = 'bea', estado = 'fallida' where id_orden = :o", o=second
    )
    filters: dict[str, list[tuple[Any, list[Id]]]] = {
        "user_id": [("ana", [first]), ("bea", [second]), ("nadie' or true --", []), (None, [second, first])],
        "estado": [("creada", [first]), ("fallida", [second]), ("iniciada", [])],
        "id_producto": [(first, [first]), (new(), [])],
        "desde": [(YESTERDAY, [second, first]), (YESTERDAY + timedelta(milliseconds=1), [second])],
        "hasta": [(YESTERDAY, []), (YESTERDAY + timedelta(milliseconds=1), [first])],
    }
    for name, cases in filters.items():
        for value, expected in cases:
            assert ids(read_models.ordenes(10, {name: value}), "id_orden") == expected, (name, value)
    assert ids(read_models.ordenes(10, {"user_id": "bea", "estado": "creada"}), "id_orden") == []


def test_a_page_is_cut_where_its_texts_are_too_long_but_has_one_row_more_than_fits(
    databases: Platform, read_models: ReadModels
) -> None:
    long, longer = "á" * 1000, "x" * (MAX_PAGE + 1)
    many = ORDEN.replace("values (:id, :id,", "select gen_random_uuid(), gen_random_uuid(),").replace(
        ":id, 1)", "gen_random_uuid(), 1"
    )
    databases.sql("ordenes_lectura", f"{many} from generate_series(1, 600)", when=YESTERDAY)
    databases.sql("ordenes_lectura", "update ordenes set direccion_entrega = :t, instrucciones_entrega = :t", t=long)
    rows = read_models.ordenes(601, {})
    assert sum(len(f["direccion_entrega"] + f["instrucciones_entrega"]) * 2 for f in rows) > MAX_PAGE
    assert len(rows) < 300
    databases.sql("ordenes_lectura", "update ordenes set motivo = :t", t=longer)
    assert len(read_models.ordenes(601, {})) == 2  # so that it is known that there is a next page


def test_pages_of_products_are_the_list(databases: Platform, read_models: ReadModels) -> None:
    for n in range(7):
        when = YESTERDAY + timedelta(seconds=n // 3)
        databases.sql("productos_lectura", PRODUCTO, id=new(), when=when, eliminado=n == 4)
    all_ids = ids(read_models.productos(1000), "id")
    first = read_models.productos(4)
    second = read_models.productos(4, (first[-1]["fecha_creacion"], first[-1]["id"]))
    assert ids(first + second, "id") == all_ids
    assert len(all_ids) == 6


def test_pages_of_movements_are_the_list_of_one_product_newest_first(
    databases: Platform, read_models: ReadModels
) -> None:
    id_producto, other = new(), new()
    for version in (3, 1, 7, 12, 8):
        for row_id in (id_producto, other):
            databases.sql("productos_lectura", MOVIMIENTO, id=row_id, version=version, motivo=None, ajuste=None)
    first = read_models.movimientos(id_producto, 3)
    second = read_models.movimientos(id_producto, 3, first[-1]["version"])
    assert [row["version"] for row in first + second] == [12, 8, 7, 3, 1]
    assert {row["id_producto"] for row in first + second} == {id_producto}
    assert read_models.movimientos(id_producto, 3, 0) == []
    assert read_models.movimientos(new(), 3) == []
    databases.sql("productos_lectura", "update movimientos set motivo = :long", long="x" * (MAX_PAGE + 1))
    assert len(read_models.movimientos(id_producto, 5)) == 2


def test_a_movement_has_all_its_fields_and_is_found_by_its_adjustment(
    databases: Platform, read_models: ReadModels
) -> None:
    id_producto, id_ajuste = new(), new()
    databases.sql("productos_lectura", MOVIMIENTO, id=id_producto, version=2, motivo="Inventario", ajuste=id_ajuste)
    assert read_models.ajuste(new()) is None
    found = read_models.ajuste(id_ajuste)
    assert [found] == read_models.movimientos(id_producto, 2)
    assert found == {
        "id_producto": id_producto,
        "version": 2,
        "fecha": YESTERDAY,
        "causa": "ajuste",
        "id_orden": None,
        "id_ajuste": id_ajuste,
        "cantidad": 2,
        "stock": 9,
        "motivo": "Inventario",
        "rechazado": False,
    }


def test_movements_are_found_by_index(databases: Platform) -> None:
    of_producto = f"where id_producto = '{new()}' and version < 9 order by version desc limit 9"
    for condition in (of_producto, f"where id_ajuste = any(array[cast('{new()}' as uuid)])"):
        plan = explain(databases, f"select * from movimientos {condition}", "productos_lectura")
        assert "Index Scan" in plan
        assert "Sort" not in plan


CONDUCTOR = "insert into conductores values (:id, 'Ana', :estado, null, :when, :version)"


def test_drivers_come_in_pages_those_first_who_have_been_longest_in_their_state(
    databases: Platform, read_models: ReadModels
) -> None:
    for n, estado in enumerate(("libre", "asignado", "libre", "retirado", "libre")):
        when = YESTERDAY + timedelta(seconds=n // 2)
        databases.sql("conductores_lectura", CONDUCTOR, id=new(), when=when, estado=estado, version=1)
    drivers = read_models.conductores(1000, {})
    assert drivers == sorted(drivers, key=lambda row: (row["desde"], row["id_conductor"]))
    first = read_models.conductores(2, {"estado": None})
    rest = read_models.conductores(1000, {}, (first[-1]["desde"], first[-1]["id_conductor"]))
    assert first + rest == drivers
    free = [row for row in drivers if row["estado"] == "libre"]
    assert read_models.conductores(1000, {"estado": "libre"}) == free
    after_first = read_models.conductores(1000, {"estado": "libre"}, (free[0]["desde"], free[0]["id_conductor"]))
    assert after_first == free[1:]
    assert read_models.conductor(free[0]["id_conductor"]) == free[0]
    assert read_models.conductor(new()) is None
    assert read_models.count_conductores() == {"libre": 3, "asignado": 1, "retirado": 1}


def test_what_a_driver_was_registered_with_is_known_until_it_changes(
    databases: Platform, read_models: ReadModels
) -> None:
    unchanged, changed, never_there = new(), new(), new()
    assert read_models.created_conductor(unchanged) is None
    assert read_models.count_conductores() == {"libre": 0, "asignado": 0, "retirado": 0}
    for row_id, estado, version in ((unchanged, "libre", 1), (changed, "libre", 3), (never_there, "retirado", 1)):
        databases.sql("conductores_lectura", CONDUCTOR, id=row_id, when=YESTERDAY, estado=estado, version=version)
    assert read_models.created_conductor(unchanged) == {"nombre": "Ana"}
    assert read_models.created_conductor(changed) == read_models.created_conductor(never_there) == {}
    databases.sql("conductores_lectura", "update conductores set nombre = null")
    assert read_models.created_conductor(unchanged) == {"nombre": None}


def test_an_order_has_all_its_fields(databases: Platform, read_models: ReadModels) -> None:
    row_id = new()
    databases.sql("ordenes_lectura", ORDEN, id=row_id, when=YESTERDAY)
    assert read_models.orden(row_id) == {
        "id_orden": row_id,
        "id_producto": row_id,
        "user_id": "ana",
        "time_stamp": YESTERDAY,
        "cantidad": 2,
        "direccion_entrega": "Calle 45",
        "estado": "creada",
        "id_driver": None,
        "motivo": None,
        "transaction_id": row_id,
        "instrucciones_entrega": None,
        "creada_en": None,
        "iniciada_en": None,
        "despachada_en": None,
        "finalizada_en": None,
        "recibido_por": None,
    }
    assert read_models.orden(new()) is None


def test_deleted_products_are_hidden(databases: Platform, read_models: ReadModels) -> None:
    live, other, deleted = new(), new(), new()
    for row_id, seconds in ((live, 1), (other, 0), (deleted, 2)):
        when = YESTERDAY + timedelta(seconds=seconds)
        databases.sql("productos_lectura", PRODUCTO, id=row_id, when=when, eliminado=row_id == deleted)
    assert ids(read_models.productos(1000), "id") == [other, live]
    assert ids(read_models.productos(1), "id") == [other]
    assert read_models.producto(deleted) is None
    timestamp = YESTERDAY + timedelta(seconds=1)
    timestamps = {"fecha_creacion": timestamp, "fecha_actualizacion": timestamp}
    assert read_models.producto(live) == {"id": live, "nombre": "Té", "stock": 3, **timestamps}


def test_the_steps_of_a_saga_come_by_time_and_then_as_one_causes_the_other(
    databases: Platform, read_models: ReadModels
) -> None:
    """All but the first in one millisecond, written in the wrong order."""
    row_id = new()
    outside = ("evento-orden", "evento-cuarentena", "verificar")
    causal = [
        payload_type
        for payload_type in PAYLOADS.values()
        if hasattr(payload_type, "transaction_id") and not any(f in payload_type.topic for f in outside)
    ]
    events = {payload_type.topic.partition("/")[2]: issubclass(payload_type, COMPENSATIONS) for payload_type in causal}
    for evento, is_compensation in sorted(events.items(), reverse=True):
        when = YESTERDAY + timedelta(milliseconds=evento != "comando-crear-orden")
        step = {"id": row_id, "when": when, "evento": evento, "compensa": is_compensation}
        databases.sql("saga", STEP, message=new(), **step)
        databases.sql("saga", STEP, message=new(), **step | {"id": new()})
    steps = read_models.saga(row_id)
    assert [step["evento"].removeprefix("comando-") for step in steps] == [
        "crear-orden",
        "disminuir-stock",
        "asignar-conductor",
        "marcar-listo-despacho",
        "cancelar-orden",
        "despachar-orden",
        "entregar-orden",
        "devolver-orden",
        "completar-asignacion",
        "liberar-conductor",
        "revertir-disminuir-stock",
        "revertir-orden-creada",
        "evento-rechazo",
    ]
    assert [step["is_compensation"] for step in steps] == [False] * 9 + [True] * 3 + [False]
    assert set(steps[0]) == {"transaction_id", "timestamp", "is_compensation", "evento", "contenido", "id_mensaje"}
    assert (steps[0]["timestamp"], steps[0]["contenido"]) == (YESTERDAY, {"cantidad": 2})
    assert read_models.saga(new()) == []


def test_a_lost_connection_is_replaced(databases: Platform, read_models: ReadModels) -> None:
    assert read_models.ordenes(1, {}) == []
    bff_connections = "select pid from pg_stat_activity where usename = 'bff'"
    databases.sql("postgres", f"select pg_terminate_backend(pid) from ({bff_connections}) as c")
    wait_for("the end of the connections", lambda: not databases.sql("postgres", bff_connections))
    assert read_models.ordenes(1, {}) == []


def test_a_database_that_does_not_answer_is_an_error_of_its_own(
    databases: Platform, read_models: ReadModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bff.backends.statements.ORDENES", "select pg_sleep(5), time_stamp, id_orden from ordenes")
    databases.sql("ordenes_lectura", ORDEN, id=new(), when=YESTERDAY)
    with pytest.raises(DatabaseUnavailable, match="database ordenes_lectura"):
        read_models.ordenes(1, {})
    monkeypatch.undo()
    assert len(read_models.ordenes(2, {})) == 1


@pytest.mark.parametrize(("password", "database"), [("wrong", "ordenes_lectura"), (None, "ordenes"), (None, "nada")])
def test_a_database_that_refuses_is_an_error_of_its_own(
    databases: Platform, password: str | None, database: str
) -> None:
    with pytest.raises(DatabaseUnavailable, match=f"database {database}"):
        connect(databases, password, ordenes=database).ordenes(1, {})


@pytest.mark.parametrize(
    "condition",
    [
        "true",
        "time_stamp <= now() and (time_stamp < now() or id_orden > gen_random_uuid())",
        "time_stamp >= now() and time_stamp < now()",
        "user_id = 'ana'",
        "id_producto = '6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f' and time_stamp <= now()",
    ],
)
def test_lists_can_use_an_index(databases: Platform, condition: str) -> None:
    """On a table of one million orders a page must not read, nor sort, them all."""
    plan = explain(databases, f"select * from ordenes where {condition} order by time_stamp desc, id_orden limit 9")
    assert "Index Scan" in plan
    assert "Sort" not in plan
    if "=" in condition:
        assert "Index Cond" in plan


@pytest.mark.parametrize(
    "condition", ["true", "(desde, id_conductor) > (now(), gen_random_uuid())", "estado = 'libre'"]
)
def test_lists_of_drivers_can_use_an_index(databases: Platform, condition: str) -> None:
    query = f"select * from conductores where {condition} order by desde, id_conductor limit 9"
    plan = explain(databases, query, "conductores_lectura")
    assert "Index Scan" in plan
    assert "Sort" not in plan


def explain(databases: Platform, query: str, database: str = "ordenes_lectura") -> str:
    with databases.engine(database).begin() as connection:
        for path in ("seqscan", "bitmapscan", "sort"):
            connection.execute(sa.text(f"set local enable_{path} = off"))
        return "\n".join(connection.execute(sa.text(f"explain {query}")).scalars())
