"""What waits in a topic may reach its quota: publishers get an error, and all go on once it is worked off."""

import json

import pytest

from functions.messages.ids import new
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import ComandoEliminarProducto
from functions.pulsar_io.publisher import Publisher
from tests.e2e.dlq_helpers import PREFIX, client, run_script
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e

NAMESPACE = "monoliticas/productos"
TOPIC = f"{PREFIX}productos/comando-eliminar-producto"
WHO = ("--tenant", "monoliticas", "--namespace", "productos", "--name", "eliminar-producto")
LIMIT = 100_000
"""Bytes; the messages take more."""


def delete_answer(platform: Platform) -> tuple[int, str]:
    """The BFF's answer to the deletion of a product that is not there: its status, and the reason of an error."""
    status, body, _ = platform.request("DELETE", f"/productos/{new()}")
    return status, body.get("detail", "")


def backlog(platform: Platform) -> int:
    stats = json.loads(platform.admin("topics", "stats", "--get-precise-backlog", TOPIC))
    return int(stats["subscriptions"]["eliminar-producto"]["msgBacklog"])


def test_a_full_backlog_is_refused_and_worked_off(platform: Platform) -> None:
    limit = ("--type", "destination_storage", "--limit", str(LIMIT), "--policy", "producer_exception")
    platform.admin("functions", "stop", *WHO)
    try:
        with client(platform) as opened:
            deletions = [to_outgoing(new(), 0, "pruebas", ComandoEliminarProducto(new())) for _ in range(1500)]
            Publisher(opened).publish(deletions)
        platform.admin("namespaces", "set-backlog-quota", *limit, NAMESPACE)
        wait_for("the broker to refuse", lambda: delete_answer(platform)[0] == 503)
        reason = wait_for("its reason", lambda: "backlog quota" in (text := delete_answer(platform)[1]) and text)
        assert "productos/comando-eliminar-producto" in str(reason)
        assert "Nothing was done" in str(reason)
    finally:
        platform.admin("functions", "start", *WHO)
    wait_for("the backlog to be worked off", lambda: backlog(platform) == 0)
    wait_for("the broker to take messages again", lambda: delete_answer(platform)[0] == 202)
    code, output, _ = run_script(platform, "provision.py")
    assert code == 0
    assert f"policy of {NAMESPACE}: backlog_quota_map" in output
    assert run_script(platform, "provision.py", "--plan")[1].endswith("plan: no changes of the cluster\n")
