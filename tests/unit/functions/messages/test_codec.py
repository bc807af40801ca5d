"""Messages on the wire."""

from contextlib import suppress
from datetime import timedelta, timezone
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.messages.codec import codec
from functions.messages.envelope import InvalidMessage, Message, now
from functions.messages.ids import Id, derived, new
from functions.messages.outgoing import _OUTPUTS, Outgoing, derive, pack, to_outgoing, unpack
from functions.messages.payloads import ComandoCrearOrden, ComandoVerificarOrden, Payload
from functions.productos.movimientos import moved
from tests.support.data import listo, make_orden, pedir_stock, revertir, stored_producto

TOPIC = ComandoCrearOrden.topic


def test_what_is_encoded_comes_back() -> None:
    orden, id_mensaje = make_orden(), new()
    envelope = to_outgoing(id_mensaje, 1_234, "bff", orden)
    message = codec(TOPIC).decode(envelope.raw)
    assert (message.id, message.ingestion, message.data) == (id_mensaje, 1_234, orden)
    assert (envelope.topic, envelope.key) == (TOPIC, str(orden.id_orden))


def test_the_same_cause_leads_to_the_same_ids_and_others_to_others() -> None:
    orden = make_orden()
    cause = Message(new(), 1, 1, orden)
    outputs = [listo(orden), revertir(orden), revertir(orden)]

    def ids(message: Message[ComandoCrearOrden]) -> list[object]:
        return [codec(p.topic).decode(p.raw).id for p in derive(message, "ordenes", outputs)]

    assert ids(cause) == ids(cause)
    assert len({*ids(cause), *ids(Message(new(), 1, 1, orden))}) == 6


def test_outputs_survive_the_outbox() -> None:
    outgoing_messages = derive(Message(new(), 1, 1, make_orden()), "ordenes", [make_orden(), listo(make_orden())])
    assert unpack(pack(outgoing_messages)) == outgoing_messages


def test_what_is_to_be_delivered_later_still_is_after_the_outbox() -> None:
    due = now() + timedelta(minutes=2)
    outputs = [ComandoVerificarOrden(new(), 1, new(), programado=programado) for programado in (due, None)]
    outgoing_messages = derive(Message(new(), 1, 1, make_orden()), "ordenes", outputs)
    assert [outgoing.deliver_at for outgoing in outgoing_messages] == [due, None]
    assert unpack(pack(outgoing_messages)) == outgoing_messages


def test_a_command_that_is_wanted_for_longer_is_another_message_whatever_its_time_zone() -> None:
    orden, vence = make_orden(), now()
    bogota = timezone(timedelta(hours=-5))
    times = (None, vence, vence.astimezone(bogota), vence + timedelta(milliseconds=1))
    ids = [_sent_id(pedir_stock(orden, vence=one)) for one in times]
    assert ids[1] == ids[2]
    assert len(set(ids)) == 3
    assert ids[0] == derived(orden.id_orden, "productos/comando-disminuir-stock")


def _sent_id(payload: Payload) -> Id:
    (outgoing,) = derive(Message(new(), 1, 1, make_orden()), "ordenes", [payload])
    return codec(outgoing.topic).decode(outgoing.raw).id


@given(st.lists(st.builds(Outgoing, st.text(), st.text(), st.binary() | st.just(b"x" * 70_000))))
def test_the_outbox_is_written_as_fastavro_does(outgoing_messages: list[Outgoing]) -> None:
    fields = [{"topic": p.topic, "key": p.key, "raw": p.raw} for p in outgoing_messages]
    fastavro.schemaless_writer(output := BytesIO(), _OUTPUTS, fields)
    assert pack(outgoing_messages) == output.getvalue()


@given(st.binary(max_size=400))
def test_garbage_is_an_invalid_message_and_nothing_else(garbage: bytes) -> None:
    with pytest.raises(InvalidMessage):
        codec(TOPIC).decode(garbage)


@given(st.data())
def test_a_message_with_changed_bytes_is_invalid_or_still_a_message(data: st.DataObject) -> None:
    original = bytearray(to_outgoing(new(), 1, "bff", make_orden()).raw)
    position = data.draw(st.integers(0, len(original) - 1))
    original[position] = data.draw(st.integers(0, 255))
    with suppress(InvalidMessage):
        assert isinstance(codec(TOPIC).decode(bytes(original)), Message)


@pytest.mark.parametrize("byte_count", [1, 20, 100])
def test_truncated_and_overlong_messages_are_invalid(byte_count: int) -> None:
    integer = to_outgoing(new(), 1, "bff", make_orden()).raw
    with pytest.raises(InvalidMessage):
        codec(TOPIC).decode(integer[:-byte_count])
    with pytest.raises(InvalidMessage, match=f"{byte_count} bytes too many"):
        codec(TOPIC).decode(integer + b"\0" * byte_count)


def test_a_message_of_another_topic_is_invalid() -> None:
    foreign = to_outgoing(new(), 1, "bff", revertir(make_orden()))
    with pytest.raises(InvalidMessage):
        codec(TOPIC).decode(foreign.raw)


@pytest.mark.parametrize("cantidad", [0, -5, -(2**31)])
def test_an_order_of_nothing_is_invalid(cantidad: int) -> None:
    with pytest.raises(ValueError, match=f"cantidad is {cantidad}"):
        make_orden(cantidad=cantidad)


def test_a_nul_character_is_invalid() -> None:
    envelope = to_outgoing(new(), 1, "bff", make_orden(user_id="a\0b"))
    with pytest.raises(InvalidMessage, match="user_id"):
        codec(TOPIC).decode(envelope.raw)


@pytest.mark.parametrize("ms", [0, 253_402_300_799_999])
def test_a_time_that_is_none_is_invalid(ms: int) -> None:
    topic_codec, orden = codec(TOPIC), make_orden()
    envelope: Any = fastavro.schemaless_reader(
        BytesIO(to_outgoing(new(), 1, "bff", orden).raw), topic_codec.schema, None
    )

    def sent_at(moment: int) -> bytes:
        output = BytesIO()
        fastavro.schemaless_writer(output, topic_codec.schema, envelope | {"time": moment})
        return output.getvalue()

    assert topic_codec.decode(sent_at(ms)).time == ms
    outside = ms + (1 if ms else -1)
    with pytest.raises(InvalidMessage, match=f"time is {outside}: it must be from 0 to"):
        topic_codec.decode(sent_at(outside))


@pytest.mark.parametrize("field", ["id_orden", "id_producto", "transaction_id"])
def test_an_id_that_is_none_makes_a_message_invalid_and_one_in_another_form_is_read(field: str) -> None:
    bad = to_outgoing(new(), 1, "bff", make_orden(**{field: Id("no-es-uuid")}))
    with pytest.raises(InvalidMessage, match="badly formed"):
        codec(bad.topic).decode(bad.raw)
    canonical_id = new()
    odd = to_outgoing(Id(canonical_id.upper()), 1, "bff", make_orden(**{field: Id(f"{{{canonical_id.upper()}}}")}))
    decoded = codec(odd.topic).decode(odd.raw)
    assert (decoded.id, getattr(decoded.data, field)) == (canonical_id, canonical_id)


def test_the_id_of_the_message_and_each_id_in_a_list_are_checked_too() -> None:
    for bad in (
        to_outgoing(Id("no-es-uuid"), 1, "bff", make_orden()),
        to_outgoing(new(), 1, "ordenes", ComandoVerificarOrden(new(), 1, new(), [new(), Id("no-es-uuid")])),
    ):
        with pytest.raises(InvalidMessage, match="badly formed"):
            codec(bad.topic).decode(bad.raw)


def test_records_in_a_list_are_checked_as_the_payload_is() -> None:
    cafe, moment = stored_producto(), now()
    for changes, reason in (({"id_orden": "no-es-uuid"}, "badly formed"), ({"motivo": "a\0b"}, "motivo holds a NUL")):
        bad = moved(cafe, moment, "reserva", -1, **changes)  # type: ignore[arg-type]
        envelope = to_outgoing(new(), 1, "productos", bad)
        with pytest.raises(InvalidMessage, match=reason):
            codec(bad.topic).decode(envelope.raw)


def test_an_id_in_a_record_that_is_in_another_form_is_read() -> None:
    cafe, canonical_id = stored_producto(), new()
    odd = moved(cafe, now(), "reserva", -1, id_orden=Id(canonical_id.upper()))
    decoded: Any = codec(odd.topic).decode(to_outgoing(new(), 1, "productos", odd).raw).data
    assert [movimiento.id_orden for movimiento in decoded.movimientos] == [canonical_id]
    assert decoded.id_producto == cafe.id_producto
