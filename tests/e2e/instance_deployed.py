"""Functions under the functions worker: their packages, their configuration, and what a test asks of them."""

import json
import time
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psutil
import pulsar

from tests.e2e.instance_helpers import FUNCTIONS, backlog, get, http
from tests.support.platform import Platform, wait_for

NAMESPACE = f"public/instance-{uuid.uuid4().hex[:8]}"  # a package of a deleted function stays behind


@dataclass
class Deployed:
    """The functions, and the times that tests compare with."""

    platform: Platform
    client: Any
    producers: dict[str, Any]
    failed_at: float = 0.0

    def send(self, name: str, text: str, **options: Any) -> None:
        topic = topic_of(name)
        if topic not in self.producers:
            self.producers[topic] = self.client.create_producer(topic)
        self.producers[topic].send(text.encode(), **options)

    def consumer(self, name: str) -> Any:
        """From the topic's first message."""
        position = pulsar.InitialPosition.Earliest
        subscription = f"test-{time.monotonic_ns()}"
        return self.client.subscribe(topic_of(name), subscription, initial_position=position)

    def status(self, name: str) -> list[Any]:
        """Empty while the worker is too busy with an instance to say."""
        try:
            status = get(f"{self.platform.functions_url}/admin/v3/functions/{NAMESPACE}/{name}/status")
        except HTTPError:
            return []
        return [instance["status"] for instance in status["instances"]]

    def running(self, name: str) -> int:
        return sum(status["running"] for status in self.status(name))

    def await_running(self, name: str, count: int) -> None:
        wait_for(f"{count} of {name} run", lambda: self.running(name) == count)

    def restarts(self, name: str) -> int:
        """Of all instances; not counted while one is away."""
        statuses = self.status(name)
        return sum(status["numRestarts"] for status in statuses if all(s["running"] for s in statuses))

    def backlog(self, name: str, subscription: str) -> int | None:
        return backlog(self.platform, topic_of(name), subscription)

    def admin(self, *arguments: str, name: str) -> str:
        tenant, namespace = NAMESPACE.split("/")
        where = ("--tenant", tenant, "--namespace", namespace, "--name", name)
        return self.platform.admin("functions", *arguments, *where)

    def process(self, name: str, instance: int) -> psutil.Process:
        package = f"/{NAMESPACE}/{name}/{instance}/"
        found = [p for p in psutil.process_iter() if package in " ".join(arguments(p)) and own(self, p)]
        assert len(found) == 1, f"{found} run {name} {instance}"
        return found[0]


def arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def own(deployed: Deployed, process: psutil.Process) -> bool:
    return str(deployed.platform.data) in " ".join(arguments(process))


def topic_of(name: str) -> str:
    return f"persistent://{NAMESPACE}/{name}"


def configs(folder: Path) -> dict[str, dict[str, Any]]:
    """Each function's configuration, with its package built into `folder`."""
    with zipfile.ZipFile(folder / "manual.zip", "w") as package:
        package.write(FUNCTIONS / "manual" / "src" / "manual.py", "manual/src/manual.py")
    wheel = folder / "wheeled-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as package:
        package.write(FUNCTIONS / "wheel" / "wheeled.py", "wheeled.py")
    manual_input = {
        "schemaType": "manual.PrefixSchema",
        "schemaProperties": {"prefix": "saw "},
        "receiverQueueSize": 10,
    }
    return {
        "probe": {
            "py": str(FUNCTIONS / "probe.py"),
            "className": "probe.Probe",
            "inputs": [topic_of("probe-in")],
            "output": topic_of("probe-out"),
            "logTopic": topic_of("probe-log"),
            "userConfig": {"text": "hola"},
            "secrets": {"DB_PASSWORD_SAGA": {"path": "anywhere"}},
        },
        "manual": {
            "py": str(folder / "manual.zip"),
            "className": "manual.Manual",
            "processingGuarantees": "MANUAL",
            "retainKeyOrdering": True,
            "parallelism": 2,
            "inputSpecs": {topic_of("manual-in"): manual_input},
            "userConfig": {"output": topic_of("manual-out")},
        },
        "wheeled": {
            "py": str(wheel),
            "className": "wheeled.Wheeled",
            "processingGuarantees": "ATMOST_ONCE",
            "retainOrdering": True,
            "subName": "a-subscription",
            "subscriptionPosition": "Earliest",
            "inputSpecs": {topic_of("wheeled-in-.*"): {"regexPattern": True, "serdeClassName": "wheeled.Reversed"}},
            "output": topic_of("wheeled-out"),
            "outputSerdeClassName": "wheeled.Reversed",
        },
    }


def deploy(platform: Platform, folder: Path) -> Deployed:
    """All functions run, and one message has failed."""
    http("PUT", f"{platform.admin_url}/admin/v2/namespaces/{NAMESPACE}")
    tenant, namespace = NAMESPACE.split("/")
    topics = ("probe-in", "probe-out", "probe-log", "probe-more", "manual-in", "manual-out")
    for name in (*topics, "wheeled-in-1", "wheeled-out"):
        http("PUT", f"{platform.admin_url}/admin/v2/persistent/{NAMESPACE}/{name}")

    def create(item: tuple[str, dict[str, Any]]) -> None:
        name, config = item
        file = folder / f"{name}.json"
        file.write_text(json.dumps(config | {"tenant": tenant, "namespace": namespace, "name": name}))
        platform.admin("functions", "create", "--function-config-file", str(file))

    client = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    deployed = Deployed(platform, client, {})
    deployed.send("wheeled-in-1", "early"[::-1])
    with ThreadPoolExecutor() as pool:
        list(pool.map(create, configs(folder).items()))
    for name, count in {"probe": 1, "manual": 2, "wheeled": 1}.items():
        deployed.await_running(name, count)
    deployed.send("probe-in", "fail for the last test")
    deployed.failed_at = time.monotonic()
    return deployed
