"""Records in payloads: their ids and texts are looked at like those of the payload itself."""

import io
from typing import Any

import fastavro
import pytest

from functions.messages.codec import codec
from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import Conductor, EventoConductor

CODEC = codec(EventoConductor.topic)


def event(**changes: Any) -> EventoConductor:
    fields: dict[str, Any] = {"nombre": "Ana", "estado": "libre", "id_orden": new(), "desde": now(), "version": 1}
    conductor = Conductor(id_conductor=new(), **(fields | changes))
    return EventoConductor(conductor.id_conductor, [conductor])


def test_they_come_back_as_they_were_sent() -> None:
    for sent in (event(), event(nombre=None, id_orden=None), EventoConductor(new(), [])):
        assert CODEC.decode(CODEC.encode(new(), 0, "conductores", sent)).data == sent


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"id_orden": "no id"}, "UUID"), ({"nombre": "A\0na"}, "nombre holds a NUL"), ({"estado": "\0"}, "estado holds")],
)
def test_what_no_sender_of_ours_writes_is_an_invalid_message(changes: dict[str, Any], reason: str) -> None:
    raw = CODEC.encode(new(), 0, "conductores", event(**changes))
    with pytest.raises(InvalidMessage, match=reason):
        CODEC.decode(raw)


def test_ids_get_one_spelling() -> None:
    id_orden = new()
    raw = CODEC.encode(new(), 0, "conductores", event(id_orden=id_orden.upper()))
    decoded: Any = CODEC.decode(raw).data
    assert decoded.conductores[0].id_orden == id_orden
    envelope: Any = fastavro.schemaless_reader(io.BytesIO(raw), CODEC.schema, None)
    assert envelope["data"]["conductores"][0]["id_orden"] == id_orden.upper()
