"""The gate and a real broker, asked about the same changes: the gate is stricter, and only where it says so."""

import copy
import json
from typing import Any
from urllib.error import HTTPError

import pytest
from tools.cluster.schema_files import released
from tools.schemas.check import problems

from tests.e2e.instance_helpers import http
from tests.support.platform import Platform
from tests.support.schema_changes import COMPATIBLE, INCOMPATIBLE, TOPIC, UNSEEN_BY_AVRO, following

pytestmark = pytest.mark.e2e

REFUSED_BY_GATE_ONLY = {*UNSEEN_BY_AVRO, "a nested record renamed", "the record renamed"}
"""What a broker lets pass."""
ALL_CHANGES = {
    **COMPATIBLE,
    **{name: change for name, (change, _) in (INCOMPATIBLE | UNSEEN_BY_AVRO).items()},
}


def broker_accepts(platform: Platform, schema: dict[str, Any]) -> bool:
    """What the broker would say of an upload; nothing is uploaded."""
    body = json.dumps({"type": "AVRO", "schema": json.dumps(schema), "properties": {}}).encode()
    url = f"{platform.admin_url}/admin/v2/schemas/monoliticas/{TOPIC}/compatibility"
    try:
        return bool(json.loads(http("POST", url, body))["compatibility"])
    except HTTPError as error:
        if "SchemaValidationException" in error.read().decode():
            return False
        raise


def gate_accepts(schema: dict[str, Any], before: dict[int, Any]) -> bool:
    return [what for what, _ in problems(schema, before, []) if "on record" not in what] == []


@pytest.mark.parametrize("name", ALL_CHANGES)
def test_gate_and_broker_agree_but_for_what_changes_meaning(platform: Platform, name: str) -> None:
    schema, before = following(copy.deepcopy(ALL_CHANGES[name]))
    broker, gate = broker_accepts(platform, schema), gate_accepts(schema, before)
    assert gate == (name in COMPATIBLE)
    assert broker == (gate or name in REFUSED_BY_GATE_ONLY)


def test_the_broker_knows_every_released_version(platform: Platform) -> None:
    url = f"{platform.admin_url}/admin/v2/schemas/monoliticas/{TOPIC}/schemas"
    registered = [json.loads(info["data"]) for info in json.loads(http("GET", url))["getSchemaResponses"]]
    assert registered == list(released(TOPIC).values())
