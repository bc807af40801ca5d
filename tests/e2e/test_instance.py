"""Three small functions under the functions worker, handled with pulsar-admin: .py, .zip and .whl."""

import json
import re
import time
import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pulsar
import pytest
from instance_helpers import FUNCTIONS, Platform, backlog, get, http, receive, wait_for

pytestmark = pytest.mark.e2e

NAMESPACE = f"public/instance-{uuid.uuid4().hex[:8]}"  # a package of a deleted function stays behind
NACK_DELAY = 60.0  # seconds: the client's default, which Python functions can't change
METRICS = [
    f"pulsar_function_{name}{suffix}"
    for suffix in ("", "_1min")
    for name in ("received", "processed_successfully", "system_exceptions", "user_exceptions")
]


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
        status = get(f"{self.platform.functions_url}/admin/v3/functions/{NAMESPACE}/{name}/status")
        return [instance["status"] for instance in status["instances"]]

    def running(self, name: str) -> int:
        return sum(status["running"] for status in self.status(name))

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
            "secrets": {"password": {"path": "anywhere"}},
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


@pytest.fixture(scope="module")
def deployed(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("packages")
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
        wait_for(f"{name} runs", lambda name=name, count=count: deployed.running(name) == count)
    deployed.send("probe-in", "fail for the last test")
    deployed.failed_at = time.monotonic()
    yield deployed
    client.close()
    for name in get(f"{platform.functions_url}/admin/v3/functions/{NAMESPACE}"):
        http("DELETE", f"{platform.functions_url}/admin/v3/functions/{NAMESPACE}/{name}")


def test_a_function_sees_its_message_its_configuration_and_its_secrets(deployed: Deployed) -> None:
    answers = deployed.consumer("probe-out")
    deployed.send("probe-in", "context", partition_key="k", properties={"a": "b"}, event_timestamp=1234)
    seen = json.loads(receive(answers, 1)[0].data())
    assert seen["topic"] == topic_of("probe-in")
    assert seen["inputs"] == [topic_of("probe-in")]
    assert (seen["tenant"], seen["namespace"], seen["name"]) == (*NAMESPACE.split("/"), "probe")
    assert (seen["key"], seen["properties"], seen["eventtime"]) == ("k", {"a": "b"}, 1234)
    assert (seen["config"], seen["missing"]) == ({"text": "hola"}, None)
    assert "secret" in seen
    assert seen["state"] is None


def test_what_process_logs_goes_to_the_log_topic_only(deployed: Deployed) -> None:
    deployed.send("probe-in", "log something")
    lines: list[str] = []
    log_topic = deployed.consumer("probe-log")

    def both() -> bool:
        lines.append(receive(log_topic, 1)[0].data().decode())
        return "something" in lines[-1] and "something" in lines[-2]

    wait_for("the printed and the logged line", both)
    assert re.fullmatch(r"\[[\d-]+ [\d:]+ \+\d{4}\] \[INFO\]: printed something", lines[-2])
    assert lines[-1].endswith("[INFO]: logged something")
    log = deployed.platform.data / "logs" / "functions" / NAMESPACE / "probe" / "probe-0.log"
    assert "Starting instance 0" in log.read_text()
    assert "something" not in log.read_text()


def test_a_function_publishes_and_records_metrics_under_upstreams_names(deployed: Deployed) -> None:
    more = deployed.consumer("probe-more")
    deployed.send("probe-in", f"publish {topic_of('probe-more')}")
    message = receive(more, 1)[0]
    assert (message.data(), message.properties()) == (b"published", {"by": "probe"})
    deployed.send("probe-in", "metric 4")
    deployed.send("probe-in", "metric 6")

    def metrics() -> str:
        text = http("GET", f"{deployed.platform.functions_url}/metrics/").decode()
        return text if re.search(r'pulsar_function_user_metric_sum{.*metric="asked".*} 10.0', text) else ""

    text = wait_for("user metrics", metrics)
    labels = 'cluster="standalone",fqfn="X/probe",instance_id="0",name="probe",namespace="X",tenant="public"'
    labels = labels.replace("X", NAMESPACE)
    for name in (*(f"{name}_total" for name in METRICS), "pulsar_function_last_invocation"):
        assert f"{name}{{{labels}}}" in text
    assert f"pulsar_function_process_latency_ms_count{{{labels}}}" in text


def test_trigger_status_and_stats_of_pulsar_admin(deployed: Deployed) -> None:
    answer = deployed.admin("trigger", "--trigger-value", "hello", name="probe")
    assert answer.strip() == "hello redelivered=0"
    status = json.loads(deployed.admin("status", name="probe"))["instances"][0]["status"]
    assert (status["running"], status["numUserExceptions"]) == (True, 1)
    assert "asked to fail" in status["latestUserExceptions"][0]["exceptionString"]
    stats = json.loads(deployed.admin("stats", name="probe"))
    assert stats["receivedTotal"] == stats["processedSuccessfullyTotal"] + 1
    assert stats["instances"][0]["metrics"]["userMetrics"]["user_metric_asked_sum"] == 10.0


def test_a_wheel_with_serdes_reads_a_pattern_from_the_start_at_most_once(deployed: Deployed) -> None:
    answers = deployed.consumer("wheeled-out")
    for text in ("fail", "late"):
        deployed.send("wheeled-in-1", text[::-1])
    received = [answer.data().decode()[::-1] for answer in receive(answers, 2)]
    assert received == ["early wheeled", "late wheeled"]
    wait_for("acknowledged", lambda: deployed.backlog("wheeled-in-1", "a-subscription") == 0)


def test_keys_stay_with_one_instance_and_kill_loses_nothing(deployed: Deployed) -> None:
    answers = deployed.consumer("manual-out")
    for number in range(100):
        deployed.send("manual-in", f"{number}", partition_key=f"key {number % 10}")
    by_key: dict[str, set[str]] = {}
    for answer in receive(answers, 100):
        by_key.setdefault(answer.partition_key(), set()).add(answer.properties()["instance"])
    assert all(len(instances) == 1 for instances in by_key.values()), by_key
    assert set.union(*by_key.values()) == {"0", "1"}

    for number in range(100, 1100):
        deployed.send("manual-in", f"{number}", partition_key=f"key {number % 10}")
        if number == 300:
            victim = deployed.process("manual", 0)
            victim.kill()
            killed = time.monotonic()
    seen: set[str] = set()
    while len(seen) < 1000:
        seen.add(receive(answers, 1)[0].data().decode())
    assert seen == {f"saw {number}" for number in range(100, 1100)}
    restarts = lambda: [s["numRestarts"] for s in deployed.status("manual") if s["running"]]  # noqa: E731
    wait_for("the killed instance is back", lambda: sum(restarts()) == 1 and len(restarts()) == 2)
    assert time.monotonic() - killed < 15
    wait_for("acknowledged", lambda: deployed.backlog("manual-in", f"{NAMESPACE}/manual") == 0)


def test_stop_start_restart_update_and_delete(deployed: Deployed) -> None:
    first = deployed.process("wheeled", 0)
    deployed.admin("stop", name="wheeled")
    wait_for("stop", lambda: deployed.running("wheeled") == 0 and not first.is_running())
    log = deployed.platform.data / "logs" / "functions" / NAMESPACE / "wheeled" / "wheeled-0.log"
    assert log.read_text().rstrip().endswith("Closed")
    deployed.admin("start", name="wheeled")
    wait_for("start", lambda: deployed.running("wheeled") == 1)
    second = deployed.process("wheeled", 0)
    deployed.admin("restart", name="wheeled")
    wait_for("restart", lambda: not second.is_running() and deployed.running("wheeled") == 1)
    third = deployed.process("wheeled", 0)
    deployed.admin("update", "--user-config", '{"new": 1}', name="wheeled")
    wait_for("update", lambda: not third.is_running() and deployed.running("wheeled") == 1)
    fourth = deployed.process("wheeled", 0)
    assert '\\"new\\"' in " ".join(fourth.cmdline())
    deployed.admin("delete", name="wheeled")
    wait_for("delete", lambda: not fourth.is_running())


def test_a_message_that_failed_comes_again(deployed: Deployed) -> None:
    """The last test: the message was sent before the first, and its delay goes by meanwhile."""
    answers = deployed.consumer("probe-out")
    wanted = b"fail for the last test redelivered=1"
    remaining = NACK_DELAY + 10 - (time.monotonic() - deployed.failed_at)
    wait_for("redelivery", lambda: receive(answers, 1, remaining + 5)[0].data() == wanted, remaining)
    wait_for("acknowledged", lambda: deployed.backlog("probe-in", f"{NAMESPACE}/probe") == 0)
