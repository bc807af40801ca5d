"""Each topic has one schema, one payload class, and a place: its name finds them all."""

import dataclasses
import json
import typing
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest
from package import configuraciones
from schemas_files import lanzadas

from functions.comun.codec import ESQUEMAS
from functions.comun.ids import Id
from functions.comun.mensajes import TIPOS
from tests.plataforma import RAIZ

TOPICS = sorted(str(ruta.relative_to(ESQUEMAS).with_suffix("")) for ruta in ESQUEMAS.glob("*/*.avsc"))
FUNCIONES = configuraciones()
PYTHON_DE = {"string": str, "int": int, "boolean": bool, "uuid": Id, "timestamp-millis": datetime}


def esquema(topic: str) -> Any:
    return json.loads((ESQUEMAS / f"{topic}.avsc").read_text("utf-8"))


def campos(definicion: Any) -> dict[str, Any]:
    return {campo["name"]: campo for campo in definicion["fields"]}


def tipo_python(avro: Any) -> Any:
    if isinstance(avro, list):
        assert avro[0] == "null"
        return tipo_python(avro[1]) | None
    if isinstance(avro, dict) and avro["type"] == "array":
        return list[tipo_python(avro["items"])]  # type: ignore[misc]
    return PYTHON_DE[avro["logicalType"] if isinstance(avro, dict) else avro]


def test_there_is_a_payload_class_for_each_schema_and_the_other_way_round() -> None:
    assert sorted(TIPOS) == TOPICS


@pytest.mark.parametrize("topic", TOPICS)
def test_the_payload_class_has_the_schemas_fields_in_its_order_with_its_types(topic: str) -> None:
    datos = campos(esquema(topic))["data"]["type"]
    anotaciones = typing.get_type_hints(TIPOS[topic])
    clase = {campo.name: anotaciones[campo.name] for campo in dataclasses.fields(TIPOS[topic])}  # type: ignore[arg-type]
    assert list(clase.items()) == [(campo["name"], tipo_python(campo["type"])) for campo in datos["fields"]]
    assert TIPOS[topic].clave in clase


@pytest.mark.parametrize("topic", TOPICS)
def test_a_field_that_older_versions_of_the_schema_lack_may_be_missing(topic: str) -> None:
    primera = campos(campos(lanzadas(topic)[1])["data"]["type"])
    for campo in dataclasses.fields(TIPOS[topic]):  # type: ignore[arg-type]
        nuevo = campos(campos(esquema(topic))["data"]["type"])[campo.name]
        assert campo.name in primera or campo.default == nuevo["default"]


@pytest.mark.parametrize("topic", TOPICS)
def test_a_schema_is_valid_documented_and_named_after_its_topic(topic: str) -> None:
    definicion = esquema(topic)
    fastavro.parse_schema(definicion)
    contexto, nombre = topic.split("/")
    assert definicion["namespace"] == f"monoliticas.{contexto}"
    assert definicion["name"] == "".join(parte.capitalize() for parte in nombre.split("-"))
    for campo in [*definicion["fields"], *campos(definicion)["data"]["type"]["fields"]]:
        assert campo["doc"].strip()
        assert not isinstance(campo["type"], list) or campo["default"] is None


@pytest.mark.parametrize("topic", TOPICS)
def test_the_envelope_is_the_same_everywhere(topic: str) -> None:
    sobres = [
        {nombre: campo for nombre, campo in campos(esquema(otro)).items() if nombre not in ("type", "data")}
        for otro in (topic, TOPICS[0])
    ]
    assert sobres[0] == sobres[1]


@pytest.mark.parametrize("nombre", sorted(FUNCIONES))
def test_a_function_is_found_by_its_name(nombre: str) -> None:
    config = FUNCIONES[nombre]
    assert config["name"] == config["subName"] == nombre
    modulo, _, clase = config["className"].rpartition(".")
    assert modulo == f"functions.{config['namespace']}.{nombre.replace('-', '_')}"
    assert clase == "".join(parte.capitalize() for parte in nombre.split("-"))
    assert (RAIZ / Path(*modulo.split("."))).with_suffix(".py").exists()
    for topic, entrada in config["inputSpecs"].items():
        assert topic == f"persistent://monoliticas/{entrada['schemaProperties']['topic']}"
        assert entrada["schemaProperties"]["topic"] in TIPOS


def test_every_command_has_the_function_of_its_name() -> None:
    for topic in TOPICS:
        contexto, nombre = topic.split("/")
        if nombre.startswith("comando-"):
            config = FUNCIONES[nombre.removeprefix("comando-")]
            assert list(config["inputSpecs"]) == [f"persistent://monoliticas/{topic}"]
            assert config["namespace"] == contexto
