"""The monitor on the whole platform: what it says of a cluster that is well, of one that is not, of none."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pulsar
import pytest
from tools.monitor.messages import INITIAL_ENTRIES, ClusterMessages

from functions.cluster.admin_rest import Api
from functions.pulsar_io.schema import AvroSchema
from tests.e2e.dlq_helpers import PREFIX, client, publish, run_script
from tests.e2e.test_saga import HAPPY_PATH, crear_producto, final, registrar_conductores, request_orden
from tests.load.broker import request
from tests.support.fake_monitor import EXPECTED
from tests.support.platform import ROOT, Platform, free_ports, wait_for

pytestmark = pytest.mark.e2e

FUNCTION = ("--tenant", "monoliticas", "--namespace", "ordenes", "--name", "crear-orden")
DELAYED = ("ordenes/comando-verificar-orden", "verificar-orden")


def observe(platform: Platform, *arguments: str) -> tuple[int, Any]:
    """Exit code and document."""
    code, output, errors = run_script(platform, "monitor.py", "--json", *arguments)
    assert (errors, output.count("\n")) == ("", 1)
    return code, json.loads(output)


def wait_until_healthy(platform: Platform) -> Any:
    """The document, once all is well."""

    def healthy() -> Any:
        code, document = observe(platform)
        assert (code == 0) == document["healthy"] == (document["unhealthy"] == [])
        return document if code == 0 else None

    return wait_for("a healthy cluster", healthy)


def skip_dead_letters(platform: Platform) -> None:
    for topic in EXPECTED.subscriptions:
        if topic.endswith("-dlq"):
            url = f"{platform.admin_url}/admin/v2/persistent/monoliticas/{topic}/subscription/cuarentena/skip_all"
            request(url, "POST")


@pytest.fixture
def healthy(platform: Platform) -> Iterator[Platform]:
    """Without the dead letters that other tests left."""
    skip_dead_letters(platform)
    wait_until_healthy(platform)
    yield platform
    skip_dead_letters(platform)


def test_a_cluster_at_work_is_healthy_although_messages_wait_for_their_time(healthy: Platform) -> None:
    id_producto = crear_producto(healthy, 5)
    registrar_conductores(healthy, 1)
    orden, saga = final(healthy, request_orden(healthy, id_producto))
    assert (orden["estado"], saga) == ("iniciada", HAPPY_PATH)
    document = wait_until_healthy(healthy)
    topics = {topic["topic"]: topic for topic in document["topics"] + document["dead_letters"]}
    subscriptions = {
        (name, subscription["subscription"]): subscription
        for name, topic in topics.items()
        for subscription in topic["subscriptions"]
    }
    assert set(topics) >= set(EXPECTED.subscriptions)
    assert all(subscriptions[topic, name]["consumers"] for topic, name in EXPECTED.readers)
    functions = {subscription["function"]: subscription for subscription in document["functions"]}
    assert {name: functions[name]["running"] for name in EXPECTED.instances} == EXPECTED.instances
    assert functions["ordenes/crear-orden"]["processed"] >= 1
    assert topics["ordenes/comando-crear-orden"]["storage"] > 0
    later = subscriptions[DELAYED]
    assert (later["backlog"] >= 1, later["delayed"] >= 1, later["oldest_age"]) == (True, True, None)


def test_a_stopped_function_is_named_with_what_waits_for_it_until_it_is_started(healthy: Platform) -> None:
    id_producto = crear_producto(healthy, 5)
    registrar_conductores(healthy, 1)
    healthy.admin("functions", "stop", *FUNCTION)
    wait_for("the end of the instance", lambda: not healthy.instances("crear-orden"))
    id_orden = request_orden(healthy, id_producto)
    late = "subscription crear-orden of ordenes/comando-crear-orden is late"
    wait_for("a late message", lambda: late in str(observe(healthy, "--max-age", "1")[1]["unhealthy"]))
    code, output, errors = run_script(healthy, "monitor.py", "--once", "--max-age", "1")
    assert code == 1
    lines = errors.splitlines()
    assert lines[0] == "unhealthy: function ordenes/crear-orden runs 0 of 1 instances"
    assert lines[1] == "unhealthy: subscription crear-orden of ordenes/comando-crear-orden has no consumer"
    assert lines[2].startswith(f"unhealthy: {late}: its oldest message has been due for ")
    assert len(lines) == 3
    assert "not running  ordenes/crear-orden " in output
    healthy.admin("functions", "start", *FUNCTION)
    wait_until_healthy(healthy)
    assert final(healthy, id_orden)[0]["estado"] == "iniciada"


def test_a_dead_letter_that_waits_is_unhealthy(healthy: Platform) -> None:
    publish(healthy, DELAYED[0], b"basura", "clave")
    problems = ["1 dead letter in ordenes/verificar-orden-dlq: see dlq.py list"]
    wait_for("the letter", lambda: observe(healthy)[1]["unhealthy"] == problems)
    skip_dead_letters(healthy)
    wait_until_healthy(healthy)


def test_a_topics_newest_messages_are_read_and_those_that_come(platform: Platform) -> None:
    topic, sent_keys = "conductores/comando-registrar-conductor", [str(uuid4()) for _ in range(INITIAL_ENTRIES + 20)]
    api = Api(platform.admin_url, {})

    def publish_one(opened: pulsar.Client, key: str) -> None:
        producer = opened.create_producer(PREFIX + topic, schema=AvroSchema(None, {"topic": topic}))
        producer.send(b"basura", partition_key=key)
        producer.close()

    with client(platform) as opened:
        for key in sent_keys:
            publish_one(opened, key)
        keys_read: list[str] = []
        for batch in ClusterMessages(opened, api).by_topic(topic, lambda: len(keys_read) <= INITIAL_ENTRIES):
            keys_read.extend(one.key for one in batch.messages)
            if len(keys_read) == INITIAL_ENTRIES and sent_keys[-1] == keys_read[-1]:
                sent_keys.append(str(uuid4()))
                publish_one(opened, sent_keys[-1])
        assert keys_read == sent_keys[-INITIAL_ENTRIES - 1 :]
    skip_dead_letters(platform)


def test_nobody_at_the_admin_url_is_said_at_once() -> None:
    (port,) = free_ports(1)
    script = [sys.executable, "pulsar-admin-scripts/monitor.py", "--once"]
    env = {"PULSAR_ADMIN_URL": f"http://127.0.0.1:{port}"}
    completed = subprocess.run(script, cwd=ROOT, env=env, capture_output=True, text=True, timeout=10)
    assert (completed.returncode, completed.stdout) == (3, "")
    assert completed.stderr.startswith(f"error: http://127.0.0.1:{port} does not answer: ")
