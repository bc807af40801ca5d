"""Values on their way to PostgreSQL."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from unittest.mock import Mock
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pg8000 import core

from functions.comun.base_datos import conectar, es_pasajero, es_repetido
from tests.plataforma import Plataforma

SIN_NUL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
ZONAS = st.sampled_from([UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=5, minutes=45))])
VALORES: dict[str, st.SearchStrategy[Any]] = {
    "uuid": st.uuids().map(str),
    "int": st.integers(-(2**31), 2**31 - 1),
    "boolean": st.booleans(),
    "text": SIN_NUL | st.sampled_from(["NULL", "null", "{}", '"', "\\", '\\"', ",", " ", "", "a,b", "{a}"]),
    "bytea": st.binary(),
    "timestamptz": st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=ZONAS),
}


@pytest.fixture(scope="module")
def motor(postgres: Plataforma) -> Iterator[sa.Engine]:
    config = {"DB_NAME": "ordenes", "DB_HOSTNAME": "127.0.0.1", "DB_PORT": float(postgres.puerto_postgres)}
    abierto = conectar(config, postgres.clave("ordenes"), "pruebas")
    yield abierto
    abierto.dispose()


@pytest.mark.parametrize("tipo", VALORES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_every_list_arrives_as_it_is(motor: sa.Engine, tipo: str, data: st.DataObject) -> None:
    valores = data.draw(st.lists(st.none() | VALORES[tipo], max_size=5))
    consulta = sa.text(
        f"select valor from unnest(cast(:valores as {tipo}[])) with ordinality as u(valor, n) order by n"
    )
    with motor.connect() as conexion:
        leidos = conexion.execute(consulta, {"valores": valores}).scalars().all()
    assert leidos == valores
    assert not valores or {type(uno) for uno in leidos} <= {int, bool, str, bytes, datetime, type(None)}


def test_the_end_of_a_big_statement_does_not_wait_for_an_acknowledgement(motor: sa.Engine) -> None:
    with motor.connect() as conexion:
        enchufe: socket.socket = conexion.connection.dbapi_connection._usock  # type: ignore[union-attr]
        assert enchufe.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert enchufe.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert enchufe.gettimeout() == 60


@pytest.mark.parametrize("imposible", [[object()], "\ud800"])
def test_after_a_value_that_cannot_be_written_each_statement_gets_its_own_answer(
    motor: sa.Engine, imposible: object
) -> None:
    with pytest.raises((KeyError, UnicodeEncodeError)), motor.begin() as tx:
        tx.execute(sa.text("select cast(:valor as text)"), {"valor": imposible})
    for numero in range(3):
        with motor.begin() as tx:
            assert tx.execute(sa.text(f"select {numero}")).scalar_one() == numero


def test_an_error_that_the_server_answers_costs_no_connection(motor: sa.Engine) -> None:
    def proceso() -> int:
        with motor.begin() as tx:
            return int(tx.execute(sa.text("select pg_backend_pid()")).scalar_one())

    antes = proceso()
    with pytest.raises(sa.exc.DBAPIError), motor.begin() as tx:
        tx.execute(sa.text("select 1 / 0"))
    assert proceso() == antes


@pytest.mark.parametrize("cambio", ["alter table cambiante alter valor type text", "deallocate all"])
def test_a_statement_that_is_not_as_prepared_any_more_is_prepared_again(
    motor: sa.Engine, postgres: Plataforma, cambio: str
) -> None:
    def leer(antes: str = "select 1") -> str:
        with motor.begin() as tx:
            tx.execute(sa.text(antes))
            consulta = sa.text("select valor from cambiante where clave = :clave")
            return str(tx.execute(consulta, {"clave": 1}).scalar_one())

    postgres.sql("ordenes", "create table cambiante as select 1 as clave, 7 as valor")
    try:
        postgres.sql("ordenes", "grant select on cambiante to ordenes")
        motor.dispose()
        assert leer() == "7"
        if cambio.startswith("alter"):
            postgres.sql("ordenes", cambio)
        with pytest.raises(sa.exc.DBAPIError) as dicho:
            leer("deallocate all" if cambio == "deallocate all" else "select 1")
        assert es_pasajero(dicho.value)
        assert leer() == "7"
    finally:
        postgres.sql("ordenes", "drop table cambiante")


def test_a_statement_is_prepared_once(motor: sa.Engine) -> None:
    with motor.begin() as tx:
        for numero in range(3):
            assert tx.execute(sa.text("select cast(:n as int) + 1"), {"n": numero}).scalar_one() == numero + 1
        preparadas = tx.execute(sa.text("select count(*) from pg_prepared_statements where statement like '%+ 1'"))
        assert preparadas.scalar_one() == 1


@pytest.mark.parametrize("primera", ["select 1", "select cast(:n as int)"], ids=["without", "with parameters"])
def test_the_first_statement_of_a_transaction_is_part_of_it(motor: sa.Engine, primera: str) -> None:
    parametros = {"n": 1} if ":n" in primera else {}
    crear = "with hecha as (select set_config('prueba.valor', :valor, true)) select 1 from hecha"
    for _ in range(2):  # what is prepared, and what is not yet
        with motor.connect() as conexion:
            conexion.execute(sa.text(primera), parametros)
            conexion.execute(sa.text(crear), {"valor": "dentro"})
            leer = sa.text("select current_setting('prueba.valor', true)")
            assert conexion.execute(leer).scalar_one() == "dentro"  # until the end of the transaction
            conexion.rollback()
            assert not conexion.execute(leer).scalar_one()


def test_a_first_statement_that_fails_undoes_its_transaction_and_the_next_one_begins(motor: sa.Engine) -> None:
    with motor.connect() as conexion:
        dividir = sa.text("select 1 / cast(:n as int)")
        for _ in range(2):
            with pytest.raises(sa.exc.DBAPIError, match="division by zero"):
                conexion.execute(dividir, {"n": 0})
            conexion.rollback()
            assert conexion.execute(dividir, {"n": 1}).scalar_one() == 1
            conexion.commit()


INSERTAR = sa.text("insert into recibos (funcion, id_mensaje, salidas) values (:funcion, cast(:id as uuid), '')")
CUANTOS = sa.text("select count(*) from recibos where funcion = :funcion")


@pytest.fixture
def limpias(postgres: Plataforma) -> Iterator[None]:
    yield
    postgres.sql("ordenes", "delete from recibos where funcion like 'prueba%'")


def escribir(conexion: sa.Connection, funcion: str, id_mensaje: UUID | None = None) -> None:
    conexion.execute(INSERTAR, {"funcion": funcion, "id": str(id_mensaje or uuid4())})


def cuantos(conexion: sa.Connection, funcion: str) -> int:
    return int(conexion.execute(CUANTOS, {"funcion": funcion}).scalar_one())


@pytest.mark.usefixtures("limpias")
def test_what_has_no_rows_to_give_goes_with_what_has_or_with_commit(
    motor: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with motor.connect() as conexion:
        escribir(conexion, "prueba")
        assert cuantos(conexion, "prueba") == 1
        conexion.commit()  # all is prepared
        viajes = Mock(wraps=core._flush)
        monkeypatch.setattr(core, "_flush", viajes)
        escribir(conexion, "prueba")
        escribir(conexion, "prueba")
        assert viajes.call_count == 0
        assert cuantos(conexion, "prueba") == 3
        assert viajes.call_count == 1
        escribir(conexion, "prueba")
        conexion.commit()
        assert viajes.call_count == 2
        assert cuantos(conexion, "prueba") == 4


@pytest.mark.usefixtures("limpias")
@pytest.mark.parametrize(
    "despues",
    [
        pytest.param(sa.Connection.commit, id="commit"),
        pytest.param(lambda conexion: cuantos(conexion, "prueba"), id="rows"),
        pytest.param(lambda conexion: conexion.execute(sa.text("select 1")), id="no parameters"),
    ],
)
def test_what_fails_on_its_way_with_others_undoes_them_all_and_is_said(
    motor: sa.Engine, despues: Callable[[sa.Connection], object]
) -> None:
    repetido = uuid4()
    with motor.connect() as conexion:
        escribir(conexion, "prueba", repetido)
        conexion.commit()
        proceso = conexion.execute(sa.text("select pg_backend_pid()")).scalar_one()
        conexion.rollback()
        for _ in range(2):
            escribir(conexion, "prueba")
            escribir(conexion, "prueba", repetido)
            escribir(conexion, "prueba")
            with pytest.raises(sa.exc.DBAPIError, match="duplicate key") as dicho:
                despues(conexion)
            assert es_repetido(dicho.value)
            assert not es_pasajero(dicho.value)
            conexion.rollback()
            assert cuantos(conexion, "prueba") == 1
            assert conexion.execute(sa.text("select pg_backend_pid()")).scalar_one() == proceso
            conexion.rollback()


@pytest.mark.usefixtures("limpias")
@pytest.mark.parametrize("antes", [[], ["select 1"]], ids=["nothing sent yet", "something sent"])
def test_what_is_kept_is_forgotten_with_its_transaction(motor: sa.Engine, antes: list[str]) -> None:
    def fallar() -> None:
        with motor.begin() as tx:
            for sentencia in antes:
                tx.execute(sa.text(sentencia))
            escribir(tx, "prueba")
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fallar()
        with motor.begin() as tx:
            escribir(tx, "prueba otra")
        with motor.begin() as tx:
            assert cuantos(tx, "prueba") == 0
    with motor.begin() as tx:
        assert cuantos(tx, "prueba otra") == 2


@pytest.mark.usefixtures("limpias")
def test_a_connection_that_dies_before_commit_is_an_error_and_is_made_again(
    motor: sa.Engine, postgres: Plataforma
) -> None:
    with motor.begin() as tx:
        escribir(tx, "prueba")
    with pytest.raises(sa.exc.DBAPIError) as dicho, motor.begin() as tx:  # noqa: PT012
        proceso = tx.execute(sa.text("select pg_backend_pid()")).scalar_one()
        escribir(tx, "prueba")
        postgres.sql("postgres", "select pg_terminate_backend(:proceso, 5000)", proceso=proceso)
    assert es_pasajero(dicho.value)
    with motor.begin() as tx:
        assert cuantos(tx, "prueba") == 1


@pytest.mark.usefixtures("limpias")
def test_what_is_kept_and_not_prepared_any_more_is_an_error_of_commit_and_is_prepared_again(motor: sa.Engine) -> None:
    with motor.begin() as tx:
        escribir(tx, "prueba")
    with pytest.raises(sa.exc.DBAPIError, match="does not exist") as dicho, motor.begin() as tx:  # noqa: PT012
        tx.execute(sa.text("deallocate all"))
        escribir(tx, "prueba")
    assert es_pasajero(dicho.value)
    with motor.begin() as tx:
        escribir(tx, "prueba")
        assert cuantos(tx, "prueba") == 2
