"""Messages on the wire."""

from contextlib import suppress
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.comun.codec import _SALIDAS, Publicacion, codec, derivar, desempaquetar, empaquetar, publicacion
from functions.comun.ids import Id, nuevo
from functions.comun.mensajes import CrearOrden, Mensaje, MensajeInvalido, VerificarOrden
from tests.datos import listo, revertir, una_orden

TOPIC = CrearOrden.topic


def test_what_is_encoded_comes_back() -> None:
    orden, id_mensaje = una_orden(), nuevo()
    sobre = publicacion(id_mensaje, 1_234, "bff", orden)
    mensaje = codec(TOPIC).decodificar(sobre.crudo)
    assert (mensaje.id, mensaje.ingestion, mensaje.data) == (id_mensaje, 1_234, orden)
    assert (sobre.topic, sobre.clave) == (TOPIC, str(orden.id_orden))


def test_the_same_cause_leads_to_the_same_ids_and_others_to_others() -> None:
    orden = una_orden()
    causa = Mensaje(nuevo(), 1, 1, orden)
    salidas = [listo(orden), revertir(orden), revertir(orden)]

    def ids(mensaje: Mensaje[CrearOrden]) -> list[object]:
        return [codec(p.topic).decodificar(p.crudo).id for p in derivar(mensaje, "ordenes", salidas)]

    assert ids(causa) == ids(causa)
    assert len({*ids(causa), *ids(Mensaje(nuevo(), 1, 1, orden))}) == 6


def test_outputs_survive_the_outbox() -> None:
    publicaciones = derivar(Mensaje(nuevo(), 1, 1, una_orden()), "ordenes", [una_orden(), listo(una_orden())])
    assert desempaquetar(empaquetar(publicaciones)) == publicaciones


@given(st.lists(st.builds(Publicacion, st.text(), st.text(), st.binary() | st.just(b"x" * 70_000))))
def test_the_outbox_is_written_as_fastavro_does(publicaciones: list[Publicacion]) -> None:
    campos = [{"topic": p.topic, "clave": p.clave, "crudo": p.crudo} for p in publicaciones]
    fastavro.schemaless_writer(salida := BytesIO(), _SALIDAS, campos)
    assert empaquetar(publicaciones) == salida.getvalue()


@given(st.binary(max_size=400))
def test_garbage_is_an_invalid_message_and_nothing_else(basura: bytes) -> None:
    with pytest.raises(MensajeInvalido):
        codec(TOPIC).decodificar(basura)


@given(st.data())
def test_a_message_with_changed_bytes_is_invalid_or_still_a_message(data: st.DataObject) -> None:
    original = bytearray(publicacion(nuevo(), 1, "bff", una_orden()).crudo)
    lugar = data.draw(st.integers(0, len(original) - 1))
    original[lugar] = data.draw(st.integers(0, 255))
    with suppress(MensajeInvalido):
        assert isinstance(codec(TOPIC).decodificar(bytes(original)), Mensaje)


@pytest.mark.parametrize("recorte", [1, 20, 100])
def test_truncated_and_overlong_messages_are_invalid(recorte: int) -> None:
    entero = publicacion(nuevo(), 1, "bff", una_orden()).crudo
    with pytest.raises(MensajeInvalido):
        codec(TOPIC).decodificar(entero[:-recorte])
    with pytest.raises(MensajeInvalido, match=f"{recorte} bytes too many"):
        codec(TOPIC).decodificar(entero + b"\0" * recorte)


def test_a_message_of_another_topic_is_invalid() -> None:
    ajeno = publicacion(nuevo(), 1, "bff", revertir(una_orden()))
    with pytest.raises(MensajeInvalido):
        codec(TOPIC).decodificar(ajeno.crudo)


@pytest.mark.parametrize("cantidad", [0, -5, -(2**31)])
def test_an_order_of_nothing_is_invalid(cantidad: int) -> None:
    with pytest.raises(ValueError, match=f"cantidad is {cantidad}"):
        una_orden(cantidad=cantidad)


def test_a_nul_character_is_invalid() -> None:
    sobre = publicacion(nuevo(), 1, "bff", una_orden(user_id="a\0b"))
    with pytest.raises(MensajeInvalido, match="user_id"):
        codec(TOPIC).decodificar(sobre.crudo)


@pytest.mark.parametrize("ms", [0, 253_402_300_799_999])
def test_a_time_that_is_none_is_invalid(ms: int) -> None:
    propio, orden = codec(TOPIC), una_orden()
    sobre: Any = fastavro.schemaless_reader(BytesIO(publicacion(nuevo(), 1, "bff", orden).crudo), propio.esquema, None)

    def enviado_en(momento: int) -> bytes:
        salida = BytesIO()
        fastavro.schemaless_writer(salida, propio.esquema, sobre | {"time": momento})
        return salida.getvalue()

    assert propio.decodificar(enviado_en(ms)).time == ms
    fuera = ms + (1 if ms else -1)
    with pytest.raises(MensajeInvalido, match=f"time is {fuera}: it must be from 0 to"):
        propio.decodificar(enviado_en(fuera))


@pytest.mark.parametrize("campo", ["id_orden", "id_producto", "transaction_id"])
def test_an_id_that_is_none_makes_a_message_invalid_and_one_in_another_form_is_read(campo: str) -> None:
    malo = publicacion(nuevo(), 1, "bff", una_orden(**{campo: Id("no-es-uuid")}))
    with pytest.raises(MensajeInvalido, match="badly formed"):
        codec(malo.topic).decodificar(malo.crudo)
    id_leido = nuevo()
    raro = publicacion(Id(id_leido.upper()), 1, "bff", una_orden(**{campo: Id(f"{{{id_leido.upper()}}}")}))
    leido = codec(raro.topic).decodificar(raro.crudo)
    assert (leido.id, getattr(leido.data, campo)) == (id_leido, id_leido)


def test_the_id_of_the_message_and_each_id_in_a_list_are_checked_too() -> None:
    for malo in (
        publicacion(Id("no-es-uuid"), 1, "bff", una_orden()),
        publicacion(nuevo(), 1, "ordenes", VerificarOrden(nuevo(), 1, nuevo(), [nuevo(), Id("no-es-uuid")])),
    ):
        with pytest.raises(MensajeInvalido, match="badly formed"):
            codec(malo.topic).decodificar(malo.crudo)
