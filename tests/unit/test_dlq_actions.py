"""Dead letters: what redriving and discarding do, in which order, and what is left when something fails."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import client
import dlq_cli
import dlq_mailbox
import dlq_process
import pytest

from functions.comun.codec import codec
from functions.comun.mensajes import EventoCuarentena
from tests.datos import una_orden
from tests.dlq_falso import FUNCION, ORDENES, Cliente, Mensaje, Recibo, carta_de, interrumpir

AUDITORIA = "persistent://monoliticas/saga/evento-cuarentena"
Correr = Callable[..., int]


@pytest.fixture
def correr(monkeypatch: pytest.MonkeyPatch, en_primer_plano: None) -> Correr:
    """Runs dlq.py on a fake cluster in which only crear-orden has letters; its exit code."""
    monkeypatch.setattr(dlq_mailbox, "PAUSA", 0.0)
    monkeypatch.setattr(dlq_mailbox, "PACIENCIA", 0.1)

    def con(cliente: Cliente, *argumentos: str) -> int:
        def contar(funciones: Sequence[str]) -> dict[str, int]:
            cuantas = len(cliente.consumidor.entregas)
            return {funcion: cuantas if funcion == FUNCION else 0 for funcion in funciones}

        monkeypatch.setattr(client, "conectar", lambda: cliente)
        monkeypatch.setattr(dlq_process, "contar", contar)
        monkeypatch.setattr("sys.argv", ["dlq.py", *argumentos])
        return dlq_cli.main()

    return con


def auditado(cliente: Cliente) -> list[Any]:
    """The audit's messages."""
    crudos = [crudo for topic, crudo, _ in cliente.enviados if topic == AUDITORIA]
    return [codec(EventoCuarentena.topic).decodificar(crudo) for crudo in crudos]


def test_redriving_publishes_then_audits_then_acknowledges(correr: Correr) -> None:
    orden, otra = una_orden(), carta_de(4)
    carta = carta_de(3, orden, dlq_redriven="2")
    cliente = Cliente([carta, otra])
    assert correr(cliente, "redrive", "--order", str(orden.id_orden), "--operator", "ana", "--yes") == 0
    assert cliente.hechos == ["send comando-crear-orden", "send evento-cuarentena", "ack 3", "close"]
    topic, crudo, opciones = cliente.enviados[0]
    assert (topic, crudo, opciones["partition_key"]) == (ORDENES, carta.cuerpo, "clave")
    assert opciones["properties"] == {"traza": "original", "dlq-redriven": "3"}
    assert cliente.esquemas[0].schema() == cliente.get_schema_info(ORDENES, 0).schema()
    (evento,) = auditado(cliente)
    assert evento.ingestion == 1_234
    assert evento.data == EventoCuarentena(
        FUNCION, ORDENES, "(9,3,-1,-1)", "reenviado", "redriven", "ana", orden.id_orden, orden.transaction_id
    )


@pytest.mark.parametrize("orden", [("redrive",), ("discard", "--reason", "x")])
def test_without_yes_nothing_happens(correr: Correr, orden: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    cliente = Cliente([carta_de(0), carta_de(1)])
    assert correr(cliente, *orden, "--all") == 0
    assert (cliente.hechos, cliente.enviados) == (["close"], [])
    salida = capsys.readouterr().out
    assert f"would {orden[0]} crear-orden:1:0" in salida
    assert f"would {orden[0]} 2 letters: nothing is changed without --yes" in salida


def test_what_is_not_confirmed_stays(correr: Correr, capsys: pytest.CaptureFixture[str]) -> None:
    for roto in (ORDENES, AUDITORIA):
        cliente = Cliente([carta_de(0), carta_de(1)], rotos=[roto])
        assert correr(cliente, "redrive", "--all", "--yes") == 1
        assert not [hecho for hecho in cliente.hechos if hecho.startswith("ack")]
        assert "did not confirm" in capsys.readouterr().err
        assert auditado(cliente) == []


def test_doing_it_again_after_a_crash_writes_the_same_audit(correr: Correr) -> None:
    carta, eventos = carta_de(0), []
    for operador in ("ana", "ana", "eva"):
        cliente = Cliente([carta])
        correr(cliente, "discard", "--all", "--reason", "x", "--operator", operador, "--yes")
        eventos += [evento.id for evento in auditado(cliente)]
    assert eventos[0] == eventos[1] != eventos[2]


def test_a_message_that_two_letters_are_about_goes_out_once(correr: Correr) -> None:
    cliente = Cliente([carta_de(0), carta_de(1, dlq_message_id="(9,0,-1,-1)"), carta_de(2)])
    assert correr(cliente, "redrive", "--all", "--yes") == 0
    assert sum(topic == ORDENES for topic, _, _ in cliente.enviados) == 2
    assert len(auditado(cliente)) == 3
    assert [hecho for hecho in cliente.hechos if hecho.startswith("ack")] == ["ack 0", "ack 1", "ack 2"]


@pytest.mark.parametrize(
    ("carta", "motivo"),
    [
        (Mensaje(Recibo(1, 0)), "it does not say where it came from"),
        (
            carta_de(0, dlq_topic="persistent://otro/ns/x"),
            "it came from persistent://otro/ns/x, which ordenes/crear-orden does",
        ),
        (carta_de(0, dlq_schema_version="7"), "schema version 7 of persistent://monoliticas/ordenes"),
    ],
)
def test_what_can_not_be_redriven_is_an_error_and_can_be_discarded(
    correr: Correr, carta: Mensaje, motivo: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cliente = Cliente([carta, carta_de(1)])
    assert correr(cliente, "redrive", "--all", "--yes") == 1
    assert f"can't redrive crear-orden:1:0: {motivo}" in capsys.readouterr().err
    assert "ack 0" not in cliente.hechos
    assert "ack 1" in cliente.hechos
    cliente = Cliente([carta])
    assert correr(cliente, "discard", "crear-orden:1:0", "--reason", "x", "--yes") == 0
    assert cliente.hechos[-2:] == ["ack 0", "close"]


def test_what_came_without_a_schema_is_redriven_with_todays(correr: Correr) -> None:
    cliente = Cliente([carta_de(0, dlq_schema_version="-1", dlq_topic=f"{ORDENES}-partition-3")])
    assert correr(cliente, "redrive", "--all", "--yes") == 0
    assert cliente.enviados[0][0] == ORDENES
    assert '"ComandoCrearOrden"' in cliente.esquemas[0].schema()


def test_an_order_in_the_audit_is_an_order_and_forged_properties_are_harmless(correr: Correr) -> None:
    cliente = Cliente([Mensaje(Recibo(1, 0), {"dlq-topic": "a\0b" * 999, "dlq-message-id": "\0"})])
    assert correr(cliente, "discard", "--all", "--reason", "x", "--yes") == 0
    (evento,) = auditado(cliente)
    assert (evento.data.id_orden, evento.data.id_mensaje, len(evento.data.origen)) == (None, r"\x00", 1000)


def test_batches_hold_few_letters_if_they_are_big(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dlq_process, "BYTES", 10)
    monkeypatch.setattr(dlq_process, "LOTE", 3)

    def de(tamano: int) -> Any:
        return replace(carta_de(0), cuerpo=b"x" * tamano), None

    tamanos = [1, 1, 1, 1, 8, 2, 99, 1]
    grupos: Any = [[len(mensaje.cuerpo) for mensaje, _ in lote] for lote in dlq_process.lotes(map(de, tamanos))]
    assert grupos == [[1, 1, 1], [1, 8], [2], [99], [1]]


def test_exit_codes(correr: Correr, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert correr(Cliente([carta_de(0)]), "list") == 0
    assert correr(Cliente([carta_de(0)]), "list", "--exit-code") == 3
    assert correr(Cliente(), "list", "--exit-code") == 0
    assert correr(Cliente([carta_de(0)]), "list", "--exit-code", "--reason-matches", "nothing") == 0
    assert correr(Cliente([carta_de(0)]), "show", "crear-orden:1:9") == 1
    assert "there is no letter crear-orden:1:9" in capsys.readouterr().err
    monkeypatch.setattr(Cliente, "subscribe", interrumpir)
    assert correr(Cliente([carta_de(0)]), "list") == 130
