"""Three small functions under the functions worker, handled with pulsar-admin: .py, .zip and .whl."""

import json
import re
import time
from collections.abc import Iterator

import pytest

from tests.e2e.instance_deployed import NAMESPACE, Deployed, deploy, topic_of
from tests.e2e.instance_helpers import get, http, receive
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e

NACK_DELAY = 60.0  # seconds: the client's default, which Python functions can't change
BACK = 20.0  # seconds from kill -9; about 4 on an idle machine
METRICS = [
    f"pulsar_function_{name}{suffix}"
    for suffix in ("", "_1min")
    for name in ("received", "processed_successfully", "system_exceptions", "user_exceptions")
]


@pytest.fixture(scope="module")
def deployed(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    deployed = deploy(platform, tmp_path_factory.mktemp("packages"))
    yield deployed
    deployed.client.close()
    functions = f"{platform.functions_url}/admin/v3/functions/{NAMESPACE}"
    for name in get(functions):
        http("DELETE", f"{functions}/{name}")


def test_a_function_sees_its_message_its_configuration_and_its_secrets(deployed: Deployed) -> None:
    answers = deployed.consumer("probe-out")
    deployed.send("probe-in", "context", partition_key="k", properties={"a": "b"}, event_timestamp=1234)
    seen = json.loads(receive(answers, 1)[0].data())
    assert seen["topic"] == topic_of("probe-in")
    assert seen["inputs"] == [topic_of("probe-in")]
    assert (seen["tenant"], seen["namespace"], seen["name"]) == (*NAMESPACE.split("/"), "probe")
    assert (seen["key"], seen["properties"], seen["eventtime"]) == ("k", {"a": "b"}, 1234)
    assert (seen["config"], seen["missing"]) == ({"text": "hola"}, None)
    assert seen["secret"] == deployed.platform.password("saga")
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
            deployed.process("manual", 0).kill()
            killed = time.monotonic()
    wait_for("the killed instance is back", lambda: deployed.restarts("manual") == 1)
    assert time.monotonic() - killed < BACK
    seen: set[str] = set()

    def all_seen() -> bool:
        # What a dead consumer had may wait for the next new message: a broker's bug, apache/pulsar#23845.
        deployed.send("manual-in", "next", partition_key="key 0")
        while "saw next" not in (text := receive(answers, 1)[0].data().decode()):
            seen.add(text)
        return seen >= {f"saw {number}" for number in range(100, 1100)}

    wait_for("every message", all_seen)
    wait_for("acknowledged", lambda: deployed.backlog("manual-in", f"{NAMESPACE}/manual") == 0)


def test_stop_start_restart_update_and_delete(deployed: Deployed) -> None:
    first = deployed.process("wheeled", 0)
    deployed.admin("stop", name="wheeled")
    wait_for("stop", lambda: deployed.running("wheeled") == 0 and not first.is_running())
    log = deployed.platform.data / "logs" / "functions" / NAMESPACE / "wheeled" / "wheeled-0.log"
    assert log.read_text().rstrip().endswith("Closed")
    deployed.admin("start", name="wheeled")
    deployed.await_running("wheeled", 1)
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
    remaining = max(0.0, NACK_DELAY - (time.monotonic() - deployed.failed_at)) + 30
    wait_for("redelivery", lambda: receive(answers, 1, remaining + 5)[0].data() == wanted, remaining)
    wait_for("acknowledged", lambda: deployed.backlog("probe-in", f"{NAMESPACE}/probe") == 0)
