"""A fault drill on a whole platform: an alert tells of each fault, a view shows it, the runbook's step is of use.

The alerts are as they are, but that minutes are seconds.

Longer than 200 lines: its tests share what plants a fault, sees its alert and follows the runbook.
"""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import psutil
import pulsar
import pytest
from pulsar.schema import AvroSchema

from deployment.local import services
from deployment.monitoring.render import SOURCES
from tests.e2e.dlq_helpers import PREFIX, client, dead_letters, publish, run, run_script
from tests.support.platform import ROOT, Platform, wait_for
from tests.support.prometheus import MINUTES, PrometheusServer
from tests.support.reconfigure import functions

pytestmark = pytest.mark.e2e

RUNBOOK: Final = (SOURCES / "RUNBOOK.md").read_text("utf-8")
CODE_BLOCK: Final = re.compile(r"^```sh\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
FOREIGN_SCHEMA: Final = {"type": "record", "name": "X", "fields": [{"name": "x", "type": "int"}]}
TEA: Final = {"nombre": "Té", "stock": 1}


def commands(section: str) -> list[str]:
    """The commands in a piece of the runbook: lines of blocks, and in sentences."""
    lines = [line for block in CODE_BLOCK.findall(section) for line in block.splitlines()]
    return lines + [" ".join(text.split()) for text in re.findall(r"`([^`]+)`", CODE_BLOCK.sub("", section))]


@dataclass(frozen=True)
class Drill:
    """What whoever is on call has."""

    platform: Platform
    prometheus: PrometheusServer

    def firing(self, alert: str, **labels: str) -> list[Any]:
        """The alerts of that name and with these labels that fire."""
        return [a for a in self.prometheus.firing(alert) if labels.items() <= a["labels"].items()]

    def wait_for_alert(self, alert: str, **labels: str) -> Any:
        (fired,) = wait_for(alert, lambda: self.firing(alert, **labels))
        assert fired["annotations"]["runbook_url"].endswith(f"RUNBOOK.md#{alert.lower()}")
        return fired

    def wait_for_silence(self, alert: str, **labels: str) -> None:
        wait_for(f"the end of {alert}", lambda: not self.firing(alert, **labels))

    def panel(self, dashboard: str, title: str, **variables: str) -> list[float]:
        """What a panel of a dashboard shows now."""
        panels = json.loads((SOURCES / "dashboards" / f"{dashboard}.json").read_text("utf-8"))["panels"]
        (query,) = [target["expr"] for panel in panels if panel["title"] == title for target in panel["targets"]]
        for name, value in variables.items():
            query = query.replace(f"${name}", value)
        return [value for _, value in self.prometheus.values(MINUTES.sub(r"\1s", query))]

    def complaints(self, *arguments: str) -> str:
        """What the monitor holds against the cluster."""
        _, output, _ = run_script(self.platform, "monitor.py", "--json", *arguments)
        return "\n".join(json.loads(output)["unhealthy"])

    def step(self, alert: str, starts_with: str, **changes: str) -> str:
        """Runs the command of the alert's section in the runbook that begins so; what it prints."""
        (section,) = re.findall(rf"^### {alert}\n(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
        command = next(text for text in commands(section) if text.startswith(starts_with))
        for old, new in changes.items():
            assert old in command
            command = command.replace(old, new)
        prepare = CODE_BLOCK.findall(RUNBOOK)[0]
        script = ["bash", "-euc", f"{prepare}\n{command}"]
        completed = subprocess.run(script, cwd=ROOT, env=self.platform.env, capture_output=True, text=True, timeout=300)
        assert completed.returncode == 0, f"{command}\n{completed.stdout}{completed.stderr}"
        return completed.stdout


@pytest.fixture
def drill(platform: Platform, prometheus: PrometheusServer) -> Drill:
    return Drill(platform, prometheus)


def test_a_function_is_stopped(drill: Drill) -> None:
    who = {"ordenes crear-orden": "productos eliminar-producto"}
    assert not drill.firing("FunctionDown")
    functions(drill.platform, "stop", "productos", "eliminar-producto")
    try:
        fired = drill.wait_for_alert("FunctionDown", subscription="eliminar-producto")
        assert fired["annotations"]["summary"] == "Function eliminar-producto does not run"
        assert "function productos/eliminar-producto runs 0 of 1 instances" in drill.complaints()
    finally:
        drill.step("FunctionDown", "functions start", **who)
    drill.wait_for_silence("FunctionDown")


def visible_instances(drill: Drill, function: str) -> list[psutil.Process]:
    """The function's instances whose metrics Prometheus has."""
    query = f'pulsar_function_received_created{{name="{function}"}}'
    latest = max((when for _, when in drill.prometheus.values(query)), default=0)
    return [instance for instance in drill.platform.instances(function) if instance.create_time() <= latest]


def test_a_function_is_killed_again_and_again(drill: Drill) -> None:
    for _ in range(3):
        (instance,) = wait_for(
            "an instance that Prometheus sees", lambda: visible_instances(drill, "eliminar-producto")
        )
        instance.kill()
        instance.wait(10)
    fired = drill.wait_for_alert("FunctionRestarting", name="eliminar-producto")
    assert fired["annotations"]["summary"].startswith("Function eliminar-producto has started ")
    (age,) = wait_for("its age", lambda: drill.panel("functions", "Runs for", function="eliminar-producto"))
    assert age < 60
    assert "eliminar-producto" in drill.step(
        "FunctionRestarting", "make logs NAME=", **{"NAME=…": "NAME=eliminar-producto"}
    )
    drill.wait_for_silence("FunctionRestarting", name="eliminar-producto")


def test_a_message_is_poison(drill: Drill) -> None:
    topic = f"{PREFIX}productos/crear-producto-dlq"
    run(drill.platform, "discard", "--function", "crear-producto", "--reason", "a drill", "--yes")  # others' letters
    drill.wait_for_silence("DeadLettersWaiting", topic=topic)
    publish(drill.platform, "productos/comando-crear-producto", b"poison", str(uuid4()))
    drill.wait_for_alert("MessagesQuarantined", name="crear-producto")
    drill.wait_for_alert("DeadLettersWaiting", topic=topic)
    assert "1 dead letter in productos/crear-producto-dlq" in drill.complaints()
    (dead_letter,) = dead_letters(drill.platform, "--function", "crear-producto")
    assert dead_letter["id"] in drill.step("DeadLettersWaiting", 'make dlq ARGS="list"')
    drill.step("DeadLettersWaiting", "make dlq ARGS='discard ID", ID=dead_letter["id"], **{"…": "a drill"})
    drill.wait_for_silence("DeadLettersWaiting", topic=topic)
    drill.wait_for_silence("MessagesQuarantined", name="crear-producto")


def test_the_database_is_away(drill: Drill) -> None:
    assert not drill.firing("DatabaseAway")
    drill.platform.local("stop", "postgres")
    try:
        _, created, _ = drill.platform.request("POST", "/productos", TEA)
        drill.wait_for_alert("DatabaseAway", read_model="ordenes")
        drill.wait_for_alert("InfrastructureFailures", name="crear-producto")
        assert (
            sum(drill.panel("functions", "Database or broker away, tries in 5 minutes", function="crear-producto")) > 0
        )
        late = "subscription crear-producto of productos/comando-crear-producto is late"
        wait_for("that the monitor shows it", lambda: late in drill.complaints("--max-age", "1"))
    finally:
        drill.step("DatabaseAway", "make up")
    wait_for("the product", lambda: drill.platform.request("GET", f"/productos/{created['id']}")[0] == 200)
    drill.wait_for_silence("DatabaseAway")
    drill.wait_for_silence("InfrastructureFailures")


@contextmanager
def slow_broker(platform: Platform) -> Iterator[None]:
    """A broker that stands still most of the time."""
    pid, completed = services.pid(platform.data, "pulsar"), threading.Event()
    assert pid is not None

    def stall() -> None:
        while not completed.is_set():
            os.kill(pid, signal.SIGSTOP)
            completed.wait(0.8)
            os.kill(pid, signal.SIGCONT)
            completed.wait(0.2)

    thread = threading.Thread(target=stall)
    thread.start()
    try:
        yield
    finally:
        completed.set()
        thread.join()


def test_the_broker_is_slow(drill: Drill) -> None:
    topic = {"topic": "productos/comando-crear-producto"}
    panel = ("overview", "Until the broker confirms a command (p99)")

    def firing() -> bool:
        drill.platform.request("POST", "/productos", TEA)
        return bool(drill.firing("PublishSlow", **topic))

    with slow_broker(drill.platform):
        wait_for("PublishSlow", firing)
        assert any(seconds > 0.5 for seconds in drill.panel(*panel))  # of topics without messages it is NaN
    assert drill.step("PublishSlow", "curl $PULSAR_ADMIN_URL") == "ok"
    drill.wait_for_silence("PublishSlow")


def test_a_schema_is_refused(drill: Drill) -> None:
    own_labels = {"namespace": "monoliticas/saga"}
    foreign = AvroSchema(None, schema_definition=FOREIGN_SCHEMA)
    with client(drill.platform) as opened, pytest.raises(pulsar.IncompatibleSchema):
        opened.subscribe(f"{PREFIX}saga/evento-cuarentena", "ajena", schema=foreign)
    fired = drill.wait_for_alert("SchemaRefused", **own_labels)
    assert fired["annotations"]["summary"] == "The broker refuses a schema of monoliticas/saga"
    assert drill.panel("overview", "Alerts")
    drill.step("SchemaRefused", "python pulsar-admin-scripts/schemas.py diff")  # ours are as they should be
    drill.wait_for_silence("SchemaRefused", **own_labels)
