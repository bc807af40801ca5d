"""The gate and a real broker, asked about the same changes: the gate is stricter, and only where it says so."""

import copy
import json
from typing import Any
from urllib.error import HTTPError

import pytest
from schemas_check import problemas
from schemas_files import lanzadas

from tests.cambios import COMPATIBLES, ENGANOSOS, INCOMPATIBLES, TOPIC, siguiente
from tests.e2e.instance_helpers import http
from tests.plataforma import Plataforma

pytestmark = pytest.mark.e2e

SOLO_LA_PUERTA = {*ENGANOSOS, "a nested record renamed", "the record renamed"}
"""What a broker lets pass."""
TODOS = {
    **COMPATIBLES,
    **{nombre: cambio for nombre, (cambio, _) in (INCOMPATIBLES | ENGANOSOS).items()},
}


def lo_toma(platform: Plataforma, esquema: dict[str, Any]) -> bool:
    """What the broker would say of an upload; nothing is uploaded."""
    cuerpo = json.dumps({"type": "AVRO", "schema": json.dumps(esquema), "properties": {}}).encode()
    url = f"{platform.admin_url}/admin/v2/schemas/monoliticas/{TOPIC}/compatibility"
    try:
        return bool(json.loads(http("POST", url, cuerpo))["compatibility"])
    except HTTPError as error:
        if "SchemaValidationException" in error.read().decode():
            return False
        raise


def lo_deja_pasar(esquema: dict[str, Any], antes: dict[int, Any]) -> bool:
    return [que for que, _ in problemas(esquema, antes, []) if "on record" not in que] == []


@pytest.mark.parametrize("nombre", TODOS)
def test_gate_and_broker_agree_but_for_what_changes_meaning(platform: Plataforma, nombre: str) -> None:
    esquema, antes = siguiente(copy.deepcopy(TODOS[nombre]))
    broker, puerta = lo_toma(platform, esquema), lo_deja_pasar(esquema, antes)
    assert puerta == (nombre in COMPATIBLES)
    assert broker == (puerta or nombre in SOLO_LA_PUERTA)


def test_the_broker_knows_every_released_version(platform: Plataforma) -> None:
    url = f"{platform.admin_url}/admin/v2/schemas/monoliticas/{TOPIC}/schemas"
    hay = [json.loads(info["data"]) for info in json.loads(http("GET", url))["getSchemaResponses"]]
    assert hay == list(lanzadas(TOPIC).values())
