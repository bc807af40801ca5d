"""The engine when PostgreSQL is in trouble: nothing is lost, nothing is quarantined, and it goes on by itself."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from deployment.databases.__main__ import AJUSTES
from functions.comun import base_datos, engine
from functions.comun.mensajes import CrearOrden
from functions.ordenes.crear_orden import CrearOrden as Funcion
from tests.datos import una_orden
from tests.motores import Iniciar, esperando_un_candado, esperar_acks
from tests.plataforma import Plataforma, esperar
from tests.pulsar_falso import ContextoFalso, recibido

PEDIR_STOCK = "productos/comando-disminuir-stock"
FALLAR = """
    create function fallar() returns trigger language plpgsql as $$
    begin raise exception 'planted' using errcode = '{codigo}'; end $$;
    create trigger fallar before insert on ordenes for each row {cuando} execute function fallar()"""
MENDAR = "drop trigger fallar on ordenes; drop function fallar()"


@contextmanager
def trigger(bases: Plataforma, codigo: str, cuando: str = "") -> Iterator[None]:
    """Every order that is inserted fails with this SQLSTATE."""
    for sentencia in FALLAR.format(codigo=codigo, cuando=cuando).rsplit(";", 1):
        bases.sql("ordenes", sentencia)
    try:
        yield
    finally:
        for sentencia in MENDAR.split(";"):
            bases.sql("ordenes", sentencia)


def ordenes(bases: Plataforma) -> int:
    return int(bases.sql("ordenes", "select count(*) from ordenes")[0][0])


def ninguna_carta(contexto: ContextoFalso) -> bool:
    return not any(topic.endswith("-dlq") for topic, _, _ in contexto.cliente.publicados)


@pytest.mark.parametrize(
    "codigo", ["53100", "53200", "53300", "40001", "40P01", "55P03", "57014", "57P01", "08006", "42P01", "58030"]
)
def test_a_database_in_trouble_is_waited_for(
    bases: Plataforma, iniciar: Iniciar, caplog: pytest.LogCaptureFixture, codigo: str
) -> None:
    """Full disk, out of memory, too many connections, serialization, deadlock, lock, statement, shutdown, …"""
    motor, contexto = iniciar(Funcion(), "crear-orden")
    fallos = "select xact_rollback from pg_stat_database where datname = 'ordenes'"
    with trigger(bases, codigo):
        antes = bases.sql("ordenes", fallos)[0][0]
        for _ in range(3):
            motor.recibir(recibido(una_orden()))
        esperar("a few tries", lambda: bases.sql("ordenes", fallos)[0][0] >= antes + 3)
        assert (contexto.acks, contexto.cliente.publicados) == ([], [])
    esperar_acks(contexto, 3)
    assert ordenes(bases) == 3
    assert ninguna_carta(contexto)
    empezo = [linea for linea in caplog.messages if linea.startswith("infrastructure away")]
    volvio = [linea for linea in caplog.messages if linea.startswith("infrastructure is back")]
    assert 1 <= len(empezo) == len(volvio) <= 3, "one line for each change, not for each try"


@pytest.mark.parametrize("codigo", ["54000", "22003", "23514", "21000", "P0001"])
def test_a_value_that_no_retry_can_mend_is_quarantined_alone(bases: Plataforma, iniciar: Iniciar, codigo: str) -> None:
    motor, contexto = iniciar(Funcion(), "crear-orden")
    with trigger(bases, codigo, "when (new.cantidad = 13)"):
        motor._atender([recibido(una_orden(cantidad=numero)) for numero in range(5, 25)])
    assert (len(contexto.acks), ordenes(bases)) == (20, 19)
    [carta] = [propiedades for topic, _, propiedades in contexto.cliente.publicados if topic.endswith("-dlq")]
    assert "planted" in carta["dlq-reason"]


def test_two_engines_that_deadlock_both_end_their_work(bases: Plataforma, iniciar: Iniciar) -> None:
    """A real deadlock, with a transaction that takes the same rows the other way round."""
    primera, segunda = sorted((una_orden() for _ in range(2)), key=lambda orden: orden.id_orden)
    motor, contexto = iniciar(Funcion(), "crear-orden")
    motor._atender([recibido(orden) for orden in (primera, segunda)])
    bloquear = sa.text("select 1 from ordenes where id_orden = :id for update")
    with bases.motor("ordenes").connect() as otra:
        otra.execute(bloquear, {"id": segunda.id_orden})
        motor.recibir(recibido(primera))
        motor.recibir(recibido(segunda))
        esperar("the engine waits for the lock", lambda: esperando_un_candado(bases, "crear-orden"))
        otra.execute(sa.text("set deadlock_timeout = '1h'"))  # the engine is the one that finds it, and the victim
        otra.execute(bloquear, {"id": primera.id_orden})
        otra.rollback()
    esperar_acks(contexto, 4)
    assert (ordenes(bases), ninguna_carta(contexto)) == (2, True)


@pytest.mark.parametrize("limite", ["lock_timeout", "statement_timeout"])
def test_a_locked_row_holds_up_its_own_message_only(bases: Plataforma, iniciar: Iniciar, limite: str) -> None:
    """The batch is halved until the one that waits is alone; the others are through."""
    bloqueada, otras = una_orden(), [una_orden() for _ in range(7)]
    motor, contexto = iniciar(Funcion(), "crear-orden")
    motor._atender([recibido(bloqueada)])
    bases.sql("postgres", f"alter role ordenes set {limite} = '200ms'")
    cortar = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'crear-orden'"
    bases.sql("postgres", cortar)
    try:
        with bases.motor("ordenes").connect() as persona:
            persona.execute(sa.text("select 1 from ordenes for update"))
            lote = [recibido(orden) for orden in [*otras[:3], bloqueada, *otras[3:]]]
            hilo = threading.Thread(target=motor._atender, args=(lote,), daemon=True)
            hilo.start()
            esperar("the messages before the locked one", lambda: ordenes(bases) >= 4)
            assert hilo.is_alive()
            persona.rollback()
        hilo.join(30)
        assert not hilo.is_alive()
    finally:
        bases.sql("postgres", f"alter role ordenes set {limite} = '{AJUSTES[limite]}'")
    assert (len(contexto.acks), ordenes(bases), ninguna_carta(contexto)) == (9, 8, True)


def test_a_database_that_hangs_is_given_up_and_tried_again(
    bases: Plataforma, iniciar: Iniciar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_datos, "PLAZO", 1)
    motor, contexto = iniciar(Funcion(), "crear-orden")
    motor.recibir(recibido(una_orden()))
    esperar_acks(contexto, 1)
    [(pid,)] = bases.sql("postgres", "select pid from pg_stat_activity where application_name = 'crear-orden'")
    os.kill(pid, signal.SIGSTOP)
    try:
        motor.recibir(recibido(una_orden()))
        esperar_acks(contexto, 2)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (ordenes(bases), ninguna_carta(contexto)) == (2, True)


def test_a_pool_without_a_free_connection_is_waited_for(
    bases: Plataforma, iniciar: Iniciar, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    motor, contexto = iniciar(Funcion(), "crear-orden")
    monkeypatch.setattr(motor._base.pool, "_timeout", 0.1)
    with motor._base.connect():
        motor.recibir(recibido(una_orden()))
        esperar("the warning", lambda: any("QueuePool limit" in linea for linea in caplog.messages))
        assert contexto.acks == []
    esperar_acks(contexto, 1)


def test_a_batch_is_bounded_whatever_waits(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(Funcion(), "crear-orden")
    tamanos: list[int] = []
    original = motor._funcion.manejar_nuevos

    def contar(tx: sa.Connection, lote: list[CrearOrden]) -> object:
        tamanos.append(len(lote))
        return original(tx, lote)

    motor._funcion.manejar_nuevos = contar  # type: ignore[method-assign,assignment]
    for _ in range(3 * engine.LOTE):
        motor.recibir(recibido(una_orden()))
    esperar_acks(contexto, 3 * engine.LOTE)
    assert max(tamanos) <= engine.LOTE
