"""Prometheus for tests: promtool, and a server that scrapes where it is told, with the project's own rules."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from deployment.local.errors import PlatformError
from deployment.monitoring import prometheus
from deployment.monitoring.render import SOURCES, command
from tests.support.platform import free_ports, wait_for

MINUTES: Final = re.compile(r"\b(\d+)m\b")
STRING_LITERAL: Final = re.compile(r'"[^"]*"|\'[^\']*\'')
METRIC_NAME: Final = re.compile(r"\b(?:up|(?:pulsar|bff|saga|node)_\w+|[a-z_]+:\w+(?::\w+)*)\b(?! *\()")
FUNCTION_METRIC: Final = re.compile(r'metric=~?"([^"]+)"')
Rule = dict[str, Any]


def rules() -> list[Rule]:
    """Every rule of every file."""
    files = [yaml.safe_load(path.read_text("utf-8")) for path in sorted((SOURCES / "rules").glob("*.yml"))]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def alerts() -> list[Rule]:
    return [rule for rule in rules() if "alert" in rule]


def queries() -> set[str]:
    """Every query of the dashboards, their variables filled in."""
    dashboards = [json.loads(path.read_text("utf-8")) for path in (SOURCES / "dashboards").glob("*.json")]
    panels = [panel for dashboard in dashboards for panel in dashboard["panels"]]
    return {re.sub(r"\$\w+", ".+", target["expr"]) for panel in panels for target in panel.get("targets", ())}


def metrics() -> set[str]:
    """The names of all metrics that rules and dashboards ask for."""
    return {name for text in _expressions() for name in METRIC_NAME.findall(STRING_LITERAL.sub("", text))}


def function_metric_patterns() -> set[str]:
    """Regular expressions for the metrics of functions' own that rules and dashboards ask for."""
    return {name for text in _expressions() for names in FUNCTION_METRIC.findall(text) for name in names.split("|")}


def _expressions() -> set[str]:
    return {str(rule["expr"]) for rule in rules()} | queries()


def programs() -> Path:
    """Where prometheus and promtool are; skips where they can't be had."""
    try:
        return prometheus.folder()
    except PlatformError as problem:
        pytest.skip(f"no Prometheus: {problem}")


def promtool(*arguments: str) -> None:
    """Asserts that it finds nothing wrong."""
    argv = [str(programs() / "promtool"), *arguments]
    process = subprocess.run(argv, cwd=SOURCES, capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 0, process.stdout + process.stderr


def speed_up(folder: Path) -> None:
    """Makes a rendered copy fast enough for a test: minutes become seconds, it looks each second."""
    for path in (folder / "rules").glob("*.yml"):
        text = MINUTES.sub(r"\1s", path.read_text("utf-8").replace("[15m]", "[60s]"))  # three starts take their time
        for in_minutes, in_seconds in (("time() - 300", "time() - 5"), (">= 10\n", ">= 1\n")):
            text = text.replace(in_minutes, in_seconds)
        path.write_text(text, "utf-8")
    path = folder / "prometheus.yml"
    path.write_text(path.read_text("utf-8").replace("_interval: 15s", "_interval: 1s"), "utf-8")


class PrometheusServer:
    """A running Prometheus, asked over its HTTP API."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def request(self, path: str, **parameters: str) -> Any:
        """None while it does not answer."""
        with suppress(OSError), urlopen(f"{self.url}{path}?{urlencode(parameters)}", timeout=10) as response:
            return json.load(response)["data"]
        return None

    def values(self, query: str) -> list[tuple[Mapping[str, str], float]]:
        """The labels and the value of each series of an instant vector."""
        rows = self.request("/api/v1/query", query=query)["result"]
        return [(row["metric"], float(row["value"][1])) for row in rows]

    def firing(self, alert: str) -> list[Any]:
        """The firing alerts of a name."""
        alerts = self.request("/api/v1/alerts")["alerts"]
        return [a for a in alerts if a["labels"]["alertname"] == alert and a["state"] == "firing"]

    def healthy_targets(self) -> int:
        """Targets that answer."""
        targets = (self.request("/api/v1/targets") or {}).get("activeTargets", [])
        return sum(target["health"] == "up" for target in targets)


@contextmanager
def running(folder: Path) -> Iterator[PrometheusServer]:
    """A Prometheus with the rendered configuration in `folder`."""
    (port,) = free_ports(1)
    argv = command(programs(), folder, port)
    with (folder / "prometheus.log").open("w") as log_file:
        process = subprocess.Popen(argv, stdout=log_file, stderr=log_file)
    server = PrometheusServer(port)
    try:
        wait_for("Prometheus", lambda: server.request("/api/v1/status/buildinfo") or process.poll() is not None)
        assert process.poll() is None, (folder / "prometheus.log").read_text()
        yield server
    finally:
        process.terminate()
        process.wait(30)
        sys.stdout.write((folder / "prometheus.log").read_text()[-2000:])
