"""Each topic has one schema, one payload class, and a place: its name finds them all."""

import dataclasses
import json
import typing
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest
from tools.cluster.repository import function_configs
from tools.cluster.schema_files import released

from functions.messages.codec import SCHEMAS
from functions.messages.ids import Id
from functions.messages.payloads import PAYLOADS
from tests.support.platform import ROOT

TOPICS = sorted(str(path.relative_to(SCHEMAS).with_suffix("")) for path in SCHEMAS.glob("*/*.avsc"))
FUNCTIONS = function_configs()
PYTHON_TYPES = {"string": str, "int": int, "boolean": bool, "uuid": Id, "timestamp-millis": datetime}
RECORDS = {cls.__name__: cls for payload in PAYLOADS.values() for cls in payload.items.values()}
"""The classes of records in payloads, by the records' names."""


def schema(topic: str) -> Any:
    return json.loads((SCHEMAS / f"{topic}.avsc").read_text("utf-8"))


def fields(definition: Any) -> dict[str, Any]:
    return {field["name"]: field for field in definition["fields"]}


def python_type(avro: Any) -> Any:
    if isinstance(avro, list):
        assert avro[0] == "null"
        return python_type(avro[1]) | None
    if isinstance(avro, dict) and avro["type"] == "array":
        return list[python_type(avro["items"])]  # type: ignore[misc]
    if isinstance(avro, dict) and avro["type"] == "record":
        return RECORDS[avro["name"]]
    return PYTHON_TYPES[avro["logicalType"] if isinstance(avro, dict) else avro]


def test_there_is_a_payload_class_for_each_schema_and_the_other_way_round() -> None:
    assert sorted(PAYLOADS) == TOPICS


@pytest.mark.parametrize("topic", TOPICS)
def test_the_payload_class_has_the_schemas_fields_in_its_order_with_its_types(topic: str) -> None:
    data = fields(schema(topic))["data"]["type"]
    annotations = typing.get_type_hints(PAYLOADS[topic])
    declared = {field.name: annotations[field.name] for field in dataclasses.fields(PAYLOADS[topic])}  # type: ignore[arg-type]
    assert list(declared.items()) == [(field["name"], python_type(field["type"])) for field in data["fields"]]
    assert PAYLOADS[topic].key in declared


@pytest.mark.parametrize(("topic", "name"), [(topic, name) for topic in TOPICS for name in PAYLOADS[topic].items])
def test_so_has_the_class_of_the_records_in_a_payload(topic: str, name: str) -> None:
    avro_type = fields(fields(schema(topic))["data"]["type"])[name]["type"]
    record = (avro_type[1] if isinstance(avro_type, list) else avro_type)["items"]
    annotations = typing.get_type_hints(RECORDS[record["name"]])
    assert list(annotations.items()) == [(field["name"], python_type(field["type"])) for field in record["fields"]]
    assert all(field["doc"].strip() for field in record["fields"])


@pytest.mark.parametrize("topic", TOPICS)
def test_a_field_that_older_versions_of_the_schema_lack_may_be_missing(topic: str) -> None:
    first = fields(fields(released(topic)[1])["data"]["type"])
    for field in dataclasses.fields(PAYLOADS[topic]):  # type: ignore[arg-type]
        added = fields(fields(schema(topic))["data"]["type"])[field.name]
        assert field.name in first or field.default == added["default"]


@pytest.mark.parametrize("topic", TOPICS)
def test_a_schema_is_valid_documented_and_named_after_its_topic(topic: str) -> None:
    definition = schema(topic)
    fastavro.parse_schema(definition)
    context, name = topic.split("/")
    assert definition["namespace"] == f"monoliticas.{context}"
    assert definition["name"] == "".join(part.capitalize() for part in name.split("-"))
    for field in [*definition["fields"], *fields(definition)["data"]["type"]["fields"]]:
        assert field["doc"].strip()
        assert not isinstance(field["type"], list) or field["default"] is None


@pytest.mark.parametrize("topic", TOPICS)
def test_the_envelope_is_the_same_everywhere(topic: str) -> None:
    envelopes = [
        {name: field for name, field in fields(schema(other)).items() if name not in ("type", "data")}
        for other in (topic, TOPICS[0])
    ]
    assert envelopes[0] == envelopes[1]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_is_found_by_its_name(name: str) -> None:
    config = FUNCTIONS[name]
    assert config["name"] == config["subName"] == name
    module, _, declared = config["className"].rpartition(".")
    assert module == f"functions.{config['namespace']}.{name.replace('-', '_')}"
    assert declared == "".join(part.capitalize() for part in name.split("-"))
    assert (ROOT / Path(*module.split("."))).with_suffix(".py").exists()
    for topic, input_spec in config["inputSpecs"].items():
        assert topic == f"persistent://monoliticas/{input_spec['schemaProperties']['topic']}"
        assert input_spec["schemaProperties"]["topic"] in PAYLOADS


def test_every_command_has_the_function_of_its_name() -> None:
    for topic in TOPICS:
        context, name = topic.split("/")
        if name.startswith("comando-"):
            config = FUNCTIONS[name.removeprefix("comando-")]
            assert list(config["inputSpecs"]) == [f"persistent://monoliticas/{topic}"]
            assert config["namespace"] == context
