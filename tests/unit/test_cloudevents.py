"""Messages as CloudEvents and back: nothing is lost, and the official SDK agrees."""

import io
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import fastavro
import pytest
from avro_json import de_json
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents_json import a_evento, de_evento
from hypothesis import given
from hypothesis import strategies as st
from samples import de_esquema, muestra
from schemas_files import lanzadas, topics

from functions.comun.codec import analizar, codec, payload

TOPIC = "ordenes/comando-crear-orden"
TEXTO = st.text(st.characters(codec="utf-8"))
DECIBLE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn"]))
"""What an attribute of CloudEvents may hold, and Avro."""
HORAS = st.datetimes(timezones=st.just(UTC)).map(lambda hora: hora.replace(microsecond=hora.microsecond // 1000 * 1000))
MS = HORAS.map(lambda hora: round(hora.timestamp() * 1000))


def escribir(definicion: Any, sobre: Any) -> bytes:
    salida = io.BytesIO()
    fastavro.schemaless_writer(salida, analizar(definicion), sobre)
    return salida.getvalue()


def valores(tipo: Any) -> st.SearchStrategy[Any]:
    if isinstance(tipo, list):
        return st.none() | valores(tipo[1])
    if isinstance(tipo, dict) and tipo["type"] == "array":
        return st.lists(valores(tipo["items"]), max_size=3)
    match tipo.get("logicalType") if isinstance(tipo, dict) else tipo:
        case "uuid":
            return st.uuids().map(str)
        case "timestamp-millis":
            return HORAS
        case "string":
            return TEXTO
        case "boolean":
            return st.booleans()
    return st.integers(-(2**31), 2**31 - 1)


@st.composite
def mensajes(dibujar: st.DrawFn) -> tuple[str, Any, Any]:
    """A topic, a version of its schema, and an envelope of it."""
    topic = dibujar(st.sampled_from(topics()))
    definicion = dibujar(st.sampled_from([codec(topic).definicion, *lanzadas(topic).values()]))
    datos = {campo["name"]: dibujar(valores(campo["type"])) for campo in payload(definicion)}
    if "funcion" in datos:
        datos["funcion"] = dibujar(DECIBLE)  # the key
    propios = {"time": MS, "ingestion": MS, "specversion": DECIBLE, "service_name": TEXTO, "datacontenttype": DECIBLE}
    sobre = {nombre: dibujar(propio) for nombre, propio in propios.items()} | {"id": str(dibujar(st.uuids()))}
    return topic, definicion, de_esquema(topic, definicion) | sobre | {"data": datos}


@given(mensajes())
def test_every_message_survives_the_official_sdk_byte_for_byte(mensaje: tuple[str, Any, Any]) -> None:
    topic, definicion, sobre = mensaje
    crudo = escribir(definicion, sobre)
    leido = fastavro.schemaless_reader(io.BytesIO(crudo), analizar(definicion), None)
    evento = JSONFormat().read(CloudEvent, json.dumps(a_evento(topic, leido)))  # type: ignore[arg-type]
    devuelto = json.loads(JSONFormat().write(evento))
    assert devuelto["topic"] == topic
    assert escribir(definicion, de_json(de_evento(devuelto, topic), definicion)) == crudo


def test_the_attributes_are_where_the_readme_says() -> None:
    sobre = muestra(TOPIC) | {"id": str(UUID(int=1)), "time": 1, "ingestion": 0, "service_name": "bff"}
    evento = JSONFormat().read(CloudEvent, json.dumps(a_evento(TOPIC, sobre)))
    assert evento.get_data() == json.loads(json.dumps(a_evento(TOPIC, sobre)))["data"]
    assert evento.get_attributes() == {
        "specversion": "1.0",
        "id": str(UUID(int=1)),
        "source": "/monoliticas/bff",
        "type": "comando-crear-orden",
        "subject": str(sobre["data"]["id_orden"]),
        "time": datetime(1970, 1, 1, 0, 0, 0, 1000, UTC),
        "datacontenttype": "application/json",
        "topic": TOPIC,
        "schemaversion": codec(TOPIC).definicion["version"],
        "ingestion": "1970-01-01T00:00:00.000Z",
        "wirecontenttype": "application/avro",
    }


def test_an_event_that_somebody_else_made_needs_only_what_cloudevents_require() -> None:
    propio = CloudEvent({"source": "/monoliticas/tester", "type": "comando-eliminar-producto"}, {"id_producto": "x"})
    sobre = de_evento(json.loads(JSONFormat().write(propio)), "productos/comando-eliminar-producto")
    hora = propio.get_time()
    assert hora is not None
    assert sobre.pop("time") == int(hora.timestamp()) * 1000 + hora.microsecond // 1000
    assert sobre == {
        "id": propio.get_id(),
        "type": "comando-eliminar-producto",
        "service_name": "tester",
        "data": {"id_producto": "x"},
    }


@pytest.mark.parametrize(
    ("cambio", "error"),
    [
        ({"time": 10**15}, "can't carry time 1000000000000000, in ms since 1970: years 1 to 9999 only"),
        ({"ingestion": -(2**63)}, "can't carry ingestion -9223372036854775808"),
        ({"type": ""}, "can't carry type ''"),
        ({"specversion": "a\nb"}, r"can't carry schemaversion 'a\\nb'"),
        ({"datacontenttype": "\ufffe"}, "can't carry wirecontenttype"),
    ],
)
def test_what_cloudevents_can_not_carry_is_said(cambio: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        a_evento(TOPIC, muestra(TOPIC) | cambio)


@pytest.mark.parametrize(
    ("cambio", "error"),
    [
        ({"id": None}, "id is missing"),
        ({"specversion": "0.3"}, "specversion is '0.3': it must be 1.0"),
        ({"source": "https://example.com"}, "it must be /monoliticas/<service_name>"),
        ({"source": "/monoliticas/%ff"}, "can't decode byte"),
        ({"time": "2026-01-01T00:00:00"}, "it must name its time zone"),
        ({"ingestion": "ayer"}, "ingestion is 'ayer'"),
        ({"schemaversion": 1}, "schemaversion is 1: it must be a string"),
        ({"subject": "otra"}, "subject is 'otra': it must be "),
        ({"topic": "ordenes/evento-orden"}, "topic is 'ordenes/evento-orden': it must be ordenes/comando-crear-orden"),
        ({"datacontenttype": "text/xml"}, "it must be application/json"),
        ({"data_base64": "AAAA"}, "our messages have no place for it"),
        ({"traceparent": "00-1"}, "our messages have no place for it"),
    ],
)
def test_what_our_messages_can_not_carry_is_said(cambio: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        de_evento(a_evento(TOPIC, muestra(TOPIC)) | cambio, TOPIC)


def test_media_types_are_compared_as_media_types() -> None:
    evento = a_evento(TOPIC, muestra(TOPIC))
    assert de_evento(evento | {"datacontenttype": "Application/JSON; charset=utf-8"}, TOPIC) == de_evento(evento, TOPIC)
