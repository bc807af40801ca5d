"""Dead letters: reading them from their topics, and decoding them."""

from dataclasses import replace
from typing import Any

import dlq_mailbox
import pulsar
import pytest
from dlq_audit import Auditoria
from dlq_mailbox import Buzon
from writer_schemas import Esquemas, Lectura

from functions.comun.codec import codec
from functions.comun.ids import Id
from tests.datos import una_orden
from tests.dlq_falso import DLQ, FUNCION, Cliente, Mensaje, Recibo, carta_de


@pytest.fixture(autouse=True)
def _deprisa(monkeypatch: pytest.MonkeyPatch) -> None:
    for espera in ("PAUSA", "PACIENCIA", "RESTO"):
        monkeypatch.setattr(dlq_mailbox, espera, 0.1)


def leer(cliente: Cliente, cuantas: int) -> tuple[list[str], bool]:
    with Buzon(cliente, FUNCION, cuantas) as buzon:
        ids = [carta.id for carta in buzon]
    assert cliente.consumidor.cerrado
    return ids, buzon.incompleto


def test_letters_come_once_and_newer_ones_are_left_for_later() -> None:
    cliente = Cliente([carta_de(0), carta_de(2), None, carta_de(3), carta_de(4)])
    assert leer(cliente, 3) == (["crear-orden:1:0", "crear-orden:1:2", "crear-orden:1:3"], False)
    assert cliente.hechos == []


def test_what_a_reconnection_brings_again_is_not_read_twice_but_acknowledged_again() -> None:
    cliente = Cliente([carta_de(0), carta_de(1), carta_de(2), carta_de(0), carta_de(1), carta_de(2), carta_de(3)])
    with Buzon(cliente, FUNCION, 4) as buzon:
        ids = []
        for carta in buzon:
            ids.append(carta.posicion.entrada)
            if carta.posicion.entrada in (0, 2):
                buzon.acusar(carta)
    assert ids == [0, 1, 2, 3]
    assert cliente.hechos == ["ack 0", "ack 0", "ack 2", "ack 2"]


def test_a_letter_in_chunks_counts_as_several_but_is_one() -> None:
    grande = replace(carta_de(2), recibo=Recibo(1, 2, trozos=True))
    assert leer(Cliente([grande, carta_de(3)]), 4) == (["crear-orden:1:2", "crear-orden:1:3"], False)
    cliente = Cliente([grande, carta_de(3)])
    cliente.consumidor.ultimo = Recibo(1, 9)  # acknowledged long ago
    assert leer(cliente, 4) == (["crear-orden:1:2", "crear-orden:1:3"], False)


def test_a_batch_by_hand_counts_as_one_letter_but_is_several() -> None:
    lote = [Mensaje(Recibo(1, 7, indice)) for indice in range(3)]
    cliente = Cliente([*lote, carta_de(8)])
    assert leer(cliente, 1) == ([f"crear-orden:1:7:{indice}" for indice in range(3)], False)


def test_letters_that_do_not_come_are_missed() -> None:
    cliente = Cliente([carta_de(0), None, None])
    cliente.consumidor.ultimo = Recibo(1, 5)
    assert leer(cliente, 2) == (["crear-orden:1:0"], True)


def test_names_that_are_no_text_count_as_missing() -> None:
    def clave() -> str:
        return b"\xff".decode()

    with Buzon(Cliente([Mensaje(Recibo(1, 0), leer_clave=clave)]), FUNCION, 1) as buzon:
        assert [carta.clave for carta in buzon] == [""]


class Ocupado(Cliente):
    def subscribe(self, *_: Any, **__: Any) -> Any:
        raise pulsar.ConsumerBusy("busy")


def test_a_topic_in_use_is_named() -> None:
    with pytest.raises(SystemExit, match=f"somebody else is at work on {DLQ}"):
        Buzon(Ocupado(), FUNCION, 1)


def lectura(mensaje: Mensaje) -> Lectura:
    cliente = Cliente([mensaje])
    with Buzon(cliente, FUNCION, 1) as buzon:
        (carta,) = buzon
    return Esquemas(cliente).leer(carta.topic, carta.version, carta.cuerpo)


def test_a_letter_is_read_with_the_schema_version_it_was_written_in_or_with_todays() -> None:
    orden = una_orden()
    leida = lectura(carta_de(0, orden))
    assert (leida.esquema, leida.problema) == ("schema version 0 of ordenes/comando-crear-orden", "")
    assert leida.datos["id_orden"] == orden.id_orden
    hoy = lectura(carta_de(0, orden, dlq_schema_version="-1"))
    assert (hoy.esquema, hoy.problema) == ("today's schema of ordenes/comando-crear-orden", "it has no schema version")
    perdida = lectura(carta_de(0, orden, dlq_schema_version="7"))
    assert (perdida.datos, perdida.problema) == (leida.datos, "schema version 7 is not to be had")


def test_a_letter_whose_ids_are_none_is_shown_and_its_audit_belongs_to_no_order() -> None:
    mensaje = carta_de(0, una_orden(id_orden=Id("no-es-uuid")))
    leida = lectura(mensaje)
    assert (leida.datos["id_orden"], leida.problema) == ("no-es-uuid", "")
    with Buzon(Cliente([mensaje]), FUNCION, 1) as buzon:
        (carta,) = buzon
    evento = Auditoria("descartado", "id", "ana").evento(carta, leida)
    assert codec(evento.topic).decodificar(evento.crudo).data.id_orden is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("mensaje", "problema"),
    [
        (Mensaje(Recibo(1, 0)), "does not say which topic"),
        (carta_de(0, dlq_topic="persistent://t/n/x", dlq_schema_version="-1"), "none of our topics"),
        (replace(carta_de(0), cuerpo=b""), "unreadable with schema version 0"),
        (replace(carta_de(0), cuerpo=carta_de(0).cuerpo + b"\0"), "1 bytes too many"),
    ],
)
def test_what_can_not_be_read_says_why(mensaje: Mensaje, problema: str) -> None:
    leida = lectura(mensaje)
    assert (leida.datos, leida.sobre) == ({}, {})
    assert problema in leida.problema
