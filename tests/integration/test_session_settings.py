"""What the code relies on is the same whatever the server, the database or the role says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest
import sqlalchemy as sa

from deployment.databases import admin
from functions.messages.ids import new
from functions.ordenes.crear_orden import CrearOrden as Function
from functions.postgres.connection import connect
from functions.postgres.session import SETTINGS
from tests.support.data import make_orden
from tests.support.engines import StartEngine, wait_for_acks
from tests.support.fake_pulsar import received
from tests.support.platform import Platform
from tests.support.reading import reading

OTHER: Final = {
    "client_encoding": "LATIN1",
    "datestyle": "SQL, DMY",
    "timezone": "America/Bogota",
    "intervalstyle": "iso_8601",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "standard_conforming_strings": "off",
    "array_nulls": "off",
    "search_path": "nowhere",
    "default_transaction_isolation": "serializable",
}
CHANGES: Final = {
    "server": ("alter system set {} = '{}'", "alter system reset all", ""),
    "database": ("alter database {database} set {} = '{}'", "alter database {database} reset all", ""),
    "role": ("alter role {role} set {} = '{}'", "alter role {role} reset {}", "each"),
    "role in the database": (
        "alter role {role} in database {database} set {} = '{}'",
        "alter role {role} in database {database} reset all",
        "",
    ),
}
LOGINS: Final = (("ordenes", "ordenes"), ("bff", "ordenes_lectura"), ("bff", "productos_lectura"))


@pytest.fixture(params=CHANGES)
def other_settings(request: pytest.FixtureRequest, databases: Platform) -> Iterator[None]:
    change, reset, each = CHANGES[request.param]
    engine = databases.engine("postgres").execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:

        def execute(template: str, *values: str) -> None:
            for role, database in LOGINS:
                connection.exec_driver_sql(template.format(*values, role=role, database=database))

        for name, value in OTHER.items():
            execute(change, name, value.replace(", ", "', '"))
        connection.exec_driver_sql("select pg_reload_conf()")
        try:
            yield
        finally:
            for name in OTHER if each else [""]:
                execute(reset, name)
            connection.exec_driver_sql("select pg_reload_conf()")


def test_all_of_them_are_tried_otherwise() -> None:
    assert OTHER.keys() == SETTINGS.keys()


@pytest.mark.usefixtures("other_settings")
def test_an_order_is_kept_and_read_again(databases: Platform, start_engine: StartEngine) -> None:
    """The second time its receipt is read, whose outputs are bytes."""
    engine, context = start_engine(Function(), "crear-orden")
    message = received(make_orden(direccion_entrega="Peña 日本 \\ ' \"", user_id="NULL"))
    for count in (1, 2):
        engine.receive(message)
        wait_for_acks(context, count)
    topics = [topic for topic, _, _ in context.client.published]
    assert topics
    assert topics[: len(topics) // 2] == topics[len(topics) // 2 :]
    assert not any(topic.endswith("-dlq") for topic in topics)
    row = "select direccion_entrega, user_id, motivo, id_driver from public.ordenes"
    with databases.engine("ordenes").connect() as connection:
        connection.execute(sa.text("set client_encoding = 'UTF8'"))
        assert connection.execute(sa.text(row)).one() == ("Peña 日本 \\ ' \"", "NULL", None, None)


@pytest.mark.usefixtures("other_settings")
def test_the_bff_reads_what_is_there(databases: Platform) -> None:
    moment, orden, producto = datetime(2026, 3, 1, 12, 30, 0, 123000, UTC), new(), new()
    insert = (
        "insert into public.ordenes values (:id, :id, 'José', :moment, 2, 'Calle 45', 'creada', null, null, :id, 1)"
    )
    for database, statement, row_id in (
        ("ordenes_lectura", insert, orden),
        (
            "productos_lectura",
            "insert into public.productos values (:id, 'Té', 3, :moment, :moment, false, 1)",
            producto,
        ),
    ):
        with databases.engine(database).begin() as tx:
            tx.execute(sa.text("set client_encoding = 'UTF8'"))
            tx.execute(sa.text(statement), {"id": row_id, "moment": moment})
    read_models = reading(databases.postgres_port, databases.password("bff"))
    (row,) = read_models.ordenes(5, {"desde": moment})
    assert (row["id_orden"], row["user_id"], row["time_stamp"]) == (orden, "José", moment)
    (row,) = read_models.productos(5)
    assert (row["id"], row["nombre"], row["fecha_creacion"]) == (producto, "Té", moment)
    assert read_models.open_ordenes()[0] == 1


@pytest.mark.usefixtures("other_settings")
def test_functions_and_scripts_have_the_same_settings(databases: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_HOSTNAME", "127.0.0.1")
    monkeypatch.setenv("DB_PORT", str(databases.postgres_port))
    monkeypatch.setenv("DB_ADMIN_PASSWORD", databases.password("postgres"))
    config = {"DB_NAME": "ordenes", "DB_HOSTNAME": "127.0.0.1", "DB_PORT": databases.postgres_port}
    for engine in (connect(config, databases.password("ordenes"), "test"), admin.connect("ordenes")):
        with engine.connect() as connection:
            found = {name: connection.execute(sa.text(f"show {name}")).scalar_one() for name in SETTINGS}
        assert found == SETTINGS
        engine.dispose()
