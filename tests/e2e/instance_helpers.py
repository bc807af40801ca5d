"""What the tests of the Python instance share: a client's view, and instances started by hand."""

import importlib
import json
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import grpc
import pulsar

from tests.support.platform import ROOT, Platform, free_ports

INSTANCE = ROOT / "deployment" / "local" / "instance"
FUNCTIONS = Path(__file__).with_name("functions")


def http(method: str, url: str, body: bytes | None = None) -> bytes:
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url, method=method, data=body, headers=headers), timeout=10) as answer:
        data: bytes = answer.read()
        return data


def get(url: str) -> Any:
    return json.loads(http("GET", url))


def fresh_topic(platform: Platform, namespace: str = "public/default") -> str:
    """A topic that exists and that nobody used before."""
    name = f"{namespace}/instance-{uuid.uuid4().hex[:8]}"
    http("PUT", f"{platform.admin_url}/admin/v2/persistent/{name}")
    return f"persistent://{name}"


def backlog(platform: Platform, topic: str, subscription: str) -> int | None:
    """Messages not acknowledged; None without such a subscription."""
    stats = get(f"{platform.admin_url}/admin/v2/persistent/{topic.partition('://')[2]}/stats")
    found = stats["subscriptions"].get(subscription)
    return int(found["msgBacklog"]) if found else None


def skip_all(platform: Platform, topic: str, subscription: str) -> None:
    """What `pulsar-admin topics clear-backlog` does, without the seconds that it takes to start."""
    name = topic.partition("://")[2]
    http("POST", f"{platform.admin_url}/admin/v2/persistent/{name}/subscription/{subscription}/skip_all")


def receive(consumer: Any, count: int, seconds: float = 20.0) -> list[Any]:
    """Exactly `count` messages, acknowledged."""
    messages: list[Any] = []
    deadline = time.monotonic() + seconds
    while len(messages) < count:
        try:
            messages.append(consumer.receive(timeout_millis=200))
            consumer.acknowledge(messages[-1])
        except pulsar.Timeout:
            assert time.monotonic() < deadline, f"{len(messages)} of {count} messages within {seconds} s"
    return messages


@dataclass(frozen=True, slots=True)
class Alone:
    """An instance that no worker watches over."""

    process: "subprocess.Popen[str]"
    port: int
    metrics_port: int
    log: Path

    def ready(self) -> bool:
        assert self.process.poll() is None, self.end()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.metrics_port)) == 0

    def control(self) -> Any:
        """The gRPC service, as the worker calls it."""
        sys.path.insert(0, str(INSTANCE / "generated"))
        service = importlib.import_module("InstanceCommunication_pb2_grpc")
        return service.InstanceControlStub(grpc.insecure_channel(f"127.0.0.1:{self.port}"))

    def end(self, seconds: float = 20.0) -> tuple[int, str]:
        """Exit code and stderr."""
        errors = self.process.communicate(timeout=seconds)[1]
        return self.process.returncode, errors


@contextmanager
def alone(folder: Path, code: str, *more: str, service_url: str, interval: int = -1, **details: Any) -> Iterator[Alone]:
    """`code` is the text of a module; `details` go over the usual FunctionDetails."""
    name = f"alone-{uuid.uuid4().hex[:8]}"
    (folder / "usercode.py").write_text(code)
    usual = {"tenant": "public", "namespace": "default", "name": name, "runtime": "PYTHON", "autoAck": True}
    port, metrics_port = free_ports(2)
    arguments = {
        "py": folder / "usercode.py",
        "logging_directory": folder / "logs",
        "logging_file": name,
        "logging_config_file": INSTANCE / "functions-logging" / "logging_config.ini",
        "instance_id": 0,
        "function_id": "some-id",
        "function_version": "some-version",
        "function_details": "'" + json.dumps(usual | {"className": "usercode.Function"} | details) + "'",
        "pulsar_serviceurl": service_url,
        "port": port,
        "metrics_port": metrics_port,
        "max_buffered_tuples": 1024,
        "expected_healthcheck_interval": interval,
        "cluster_name": "test",
    }
    command = [sys.executable, str(INSTANCE / "python_instance_main.py"), *more]
    command += [text for key, value in arguments.items() for text in (f"--{key}", str(value))]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    log = folder / "logs" / "public" / "default" / name / f"{name}-0.log"
    try:
        yield Alone(process, port, metrics_port, log)
    finally:
        process.kill()
        process.communicate()
