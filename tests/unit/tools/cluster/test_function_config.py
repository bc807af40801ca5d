"""Configurations that Pulsar would refuse or ignore, and updates that it would refuse, are known beforehand."""

import zipfile
from typing import Any

import pytest
from tools.cluster.function_config import FIELDS, INPUT_FIELDS, defects, refused_changes
from tools.cluster.repository import function_configs

from deployment.local import jars

TOPIC = "persistent://monoliticas/ordenes/comando-crear-orden"


def crear_orden() -> dict[str, Any]:
    return function_configs()["crear-orden"]


@pytest.mark.parametrize("name", function_configs())
def test_no_configuration_has_a_defect(name: str) -> None:
    assert defects(function_configs()[name]) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"paralelism": 2}, "paralelism: Pulsar knows no such field, and would ignore it"),
        ({"parallelism": "2"}, "parallelism is '2': must be of type int"),
        ({"parallelism": True}, "parallelism is True: must be of type int"),
        (
            {"processingGuarantees": "ONCE"},
            "processingGuarantees is 'ONCE': must be one of ATLEAST_ONCE, ATMOST_ONCE, EFFECTIVELY_ONCE, MANUAL",
        ),
        ({"subscriptionPosition": "earliest"}, "subscriptionPosition is 'earliest': must be one of Latest, Earliest"),
        (
            {"inputSpecs": {"t": {"queue": 1}}},
            "inputSpecs of t: queue: Pulsar knows no such field, and would ignore it",
        ),
        (
            {"inputSpecs": {"t": {"receiverQueueSize": "1"}}},
            "inputSpecs of t: receiverQueueSize is '1': must be of type int",
        ),
    ],
)
def test_a_defect_is_named_with_its_value(change: dict[str, Any], expected: str) -> None:
    assert defects(crear_orden() | change) == [expected]


def test_what_is_missing_is_named() -> None:
    config = crear_orden()
    del config["subName"]
    assert defects(config) == ["subName is missing"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"parallelism": 4, "className": "otra.Clase"}, []),
        ({"subName": "otra"}, ["subName is 'crear-orden', wanted 'otra'"]),
        ({"processingGuarantees": "ATMOST_ONCE"}, ["processingGuarantees is 'MANUAL', wanted 'ATMOST_ONCE'"]),
        ({"inputSpecs": {"otro": {}}}, [f"inputs is ['{TOPIC}'], wanted ['otro']"]),
    ],
)
def test_what_an_update_cannot_alter_is_named(change: dict[str, Any], expected: list[str]) -> None:
    assert refused_changes(crear_orden(), crear_orden() | change) == expected


@pytest.mark.parametrize(("cls", "fields"), [("FunctionConfig", FIELDS), ("ConsumerConfig", INPUT_FIELDS)])
def test_pulsars_own_classes_have_these_fields(cls: str, fields: dict[str, Any]) -> None:
    (jar,) = jars.folder().glob("pulsar-client-admin-api-*.jar")
    with zipfile.ZipFile(jar) as archive:
        bytecode = archive.read(f"org/apache/pulsar/common/functions/{cls}.class")
    missing = [field for field in fields if field.encode() not in bytecode]
    assert missing in ([], ["regexPattern"])  # Jackson's name of isRegexPattern
