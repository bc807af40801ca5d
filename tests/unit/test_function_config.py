"""Configurations that Pulsar would refuse or ignore, and updates that it would refuse, are known beforehand."""

import zipfile
from typing import Any

import package
import pytest
from function_config import CAMPOS, ENTRADA, defectos, rehusados

from deployment.local import jars

TOPIC = "persistent://monoliticas/ordenes/comando-crear-orden"


def crear_orden() -> dict[str, Any]:
    return package.configuraciones()["crear-orden"]


@pytest.mark.parametrize("nombre", package.configuraciones())
def test_no_configuration_has_a_defect(nombre: str) -> None:
    assert defectos(package.configuraciones()[nombre]) == []


@pytest.mark.parametrize(
    ("cambio", "dicho"),
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
def test_a_defect_is_named_with_its_value(cambio: dict[str, Any], dicho: str) -> None:
    assert defectos(crear_orden() | cambio) == [dicho]


def test_what_is_missing_is_named() -> None:
    config = crear_orden()
    del config["subName"]
    assert defectos(config) == ["subName is missing"]


@pytest.mark.parametrize(
    ("cambio", "dicho"),
    [
        ({"parallelism": 4, "className": "otra.Clase"}, []),
        ({"subName": "otra"}, ["subName is 'crear-orden', wanted 'otra'"]),
        ({"processingGuarantees": "ATMOST_ONCE"}, ["processingGuarantees is 'MANUAL', wanted 'ATMOST_ONCE'"]),
        ({"inputSpecs": {"otro": {}}}, [f"inputs is ['{TOPIC}'], wanted ['otro']"]),
    ],
)
def test_what_an_update_cannot_alter_is_named(cambio: dict[str, Any], dicho: list[str]) -> None:
    assert rehusados(crear_orden(), crear_orden() | cambio) == dicho


@pytest.mark.parametrize(("clase", "campos"), [("FunctionConfig", CAMPOS), ("ConsumerConfig", ENTRADA)])
def test_pulsars_own_classes_have_these_fields(clase: str, campos: dict[str, Any]) -> None:
    (jar,) = jars.folder().glob("pulsar-client-admin-api-*.jar")
    with zipfile.ZipFile(jar) as abierto:
        codigo = abierto.read(f"org/apache/pulsar/common/functions/{clase}.class")
    faltan = [campo for campo in campos if campo.encode() not in codigo]
    assert faltan in ([], ["regexPattern"])  # Jackson's name of isRegexPattern
