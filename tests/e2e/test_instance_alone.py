"""The Python instance without a worker: how it starts, answers, fails and ends.

Longer than 200 lines: its tests are all the cases of one program, with the same sources and clients.
"""

import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pulsar
import pytest
from google.protobuf.empty_pb2 import Empty

from tests.e2e.instance_helpers import Alone, alone, backlog, fresh_topic, receive
from tests.support.platform import Platform, free_ports, wait_for

pytestmark = pytest.mark.e2e

ECHO = """
import time
class Function:
    def process(self, input, context):
        if input == "exit":
            raise SystemExit("enough")
        if input == "fail":
            raise ValueError("asked to fail")
        if input == "slow":
            time.sleep(1)
        context.record_metric("calls", 1)
        return f"{input}!"
"""


@pytest.fixture
def client(platform: Platform) -> Iterator[Any]:
    client = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    yield client
    client.close()


@pytest.fixture
def topic(platform: Platform) -> str:
    return fresh_topic(platform)


def subscription(instance: Alone) -> str:
    return f"public/default/{instance.log.parent.name}"


def source(topic: str, **spec: Any) -> dict[str, Any]:
    return {"inputSpecs": {topic: spec}, "subscriptionPosition": "EARLIEST"}


def test_ends_itself_when_the_worker_no_longer_asks_for_its_health(
    platform: Platform, topic: str, tmp_path: Path
) -> None:
    with alone(tmp_path, ECHO, service_url=platform.service_url, interval=1, source=source(topic)) as instance:
        wait_for("start", instance.ready)
        ready = time.monotonic()
        control = instance.control()
        while time.monotonic() - ready < 3.5:
            assert control.HealthCheck(Empty()).success
            time.sleep(0.2)
        assert instance.end(10)[0] == -signal.SIGKILL
        assert "the worker is gone" in instance.log.read_text()


def test_answers_the_worker_with_status_and_metrics(
    platform: Platform, client: Any, topic: str, tmp_path: Path
) -> None:
    producer = client.create_producer(topic)
    with alone(tmp_path, ECHO, service_url=platform.service_url, source=source(topic)) as instance:
        wait_for("start", instance.ready)
        for text in (b"one", b"two", b"fail"):
            producer.send(text)
        control = instance.control()
        status = wait_for("three calls", lambda: three_calls(control.GetFunctionStatus(Empty())))
        assert (status.running, status.instanceId, status.numReceived) == (True, "0", 3)
        assert (status.numSuccessfullyProcessed, status.numUserExceptions) == (2, 1)
        assert "ValueError: asked to fail" in status.latestUserExceptions[0].exceptionString
        assert time.time() * 1000 - status.lastInvocationTime < 60_000
        metrics = control.GetAndResetMetrics(Empty())
        assert (metrics.receivedTotal, metrics.receivedTotal_1min) == (3, 3)
        assert dict(metrics.userMetrics) == {"user_metric_calls_sum": 2.0, "user_metric_calls_count": 2.0}
        metrics = control.GetMetrics(Empty())
        assert (metrics.receivedTotal, metrics.receivedTotal_1min) == (3, 0)
        assert metrics.userMetrics["user_metric_calls_count"] == 0.0
        with urlopen(f"http://127.0.0.1:{instance.metrics_port}/metrics") as answer:
            text = answer.read().decode()
    labels = f'cluster="test",fqfn="{subscription(instance)}",instance_id="0",name="{instance.log.parent.name}"'
    assert f'pulsar_function_received_total{{{labels},namespace="public/default",tenant="public"}} 3.0' in text
    assert 'pulsar_function_user_exception{cluster="test",error="asked to fail"' in text


def three_calls(status: Any) -> Any:
    return status if status.numSuccessfullyProcessed + status.numUserExceptions == 3 else None


def test_code_that_cannot_be_imported_is_reported_and_takes_no_messages(
    platform: Platform, topic: str, tmp_path: Path
) -> None:
    code = "import no_such_module"
    with alone(tmp_path, code, service_url=platform.service_url, source=source(topic)) as instance:
        exit_code, errors = instance.end()
        assert exit_code == 1
        for text in (errors, instance.log.read_text()):
            assert "ModuleNotFoundError: No module named 'no_such_module'" in text
        assert backlog(platform, topic, subscription(instance)) is None


def test_a_class_that_cannot_be_constructed_fails_each_message(
    platform: Platform, client: Any, topic: str, tmp_path: Path
) -> None:
    code = ECHO.replace("    def process", "    def __init__(self): raise OSError('no disk')\n    def process")
    with alone(tmp_path, code, service_url=platform.service_url, source=source(topic)) as instance:
        wait_for("start", instance.ready)
        client.create_producer(topic).send(b"one")
        control = instance.control()
        status = wait_for("a failure", lambda: failed(control.GetFunctionStatus(Empty())))
        assert "OSError: no disk" in status.latestSystemExceptions[0].exceptionString
        assert backlog(platform, topic, subscription(instance)) == 1


def failed(status: Any) -> Any:
    return status if status.numUserExceptions else None


def test_system_exit_in_process_ends_the_instance_and_keeps_the_message(
    platform: Platform, client: Any, topic: str, tmp_path: Path
) -> None:
    client.create_producer(topic).send(b"exit")
    with alone(tmp_path, ECHO, service_url=platform.service_url, source=source(topic)) as instance:
        exit_code, errors = instance.end()
        assert exit_code == 1
        assert "SystemExit: enough" in errors
        assert backlog(platform, topic, subscription(instance)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_message_in_hand_finish(
    platform: Platform, client: Any, topic: str, tmp_path: Path, number: signal.Signals
) -> None:
    output = fresh_topic(platform)
    answers = client.subscribe(output, "test")
    daemon = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    sink = {"topic": output}
    with alone(tmp_path, daemon + ECHO, service_url=platform.service_url, source=source(topic), sink=sink) as instance:
        wait_for("start", instance.ready)
        client.create_producer(topic).send(b"slow")
        control = instance.control()
        wait_for("call", lambda: control.GetFunctionStatus(Empty()).lastInvocationTime)
        sent = time.monotonic()
        instance.process.send_signal(number)
        assert instance.end()[0] == 0
        assert time.monotonic() - sent < 4
        assert [answer.data() for answer in receive(answers, 1)] == [b"slow!"]
        assert backlog(platform, topic, subscription(instance)) == 0


def test_a_signal_ends_an_instance_that_waits_for_a_broker(tmp_path: Path) -> None:
    nobody = f"pulsar://127.0.0.1:{free_ports(1)[0]}"
    with alone(tmp_path, ECHO, service_url=nobody, source=source("somewhere")) as instance:
        wait_for("log", instance.log.exists)
        time.sleep(1)  # it has no way to tell that it waits
        sent = time.monotonic()
        instance.process.terminate()
        instance.end()
        assert time.monotonic() - sent < 2


def test_the_workers_token_is_shown_to_the_broker(tmp_path: Path) -> None:
    plugin = "org.apache.pulsar.client.impl.auth.AuthenticationToken"
    flags = ("--client_auth_plugin", plugin, "--client_auth_params", "token:a-secret-token")
    with socket.create_server(("127.0.0.1", 0)) as broker:
        url = f"pulsar://127.0.0.1:{broker.getsockname()[1]}"
        with alone(tmp_path, ECHO, *flags, service_url=url, source=source("in")) as instance:
            broker.settimeout(20)
            connection = broker.accept()[0]
            with connection:
                assert b"a-secret-token" in connection.recv(10_000)
            assert "a-secret-token" not in instance.log.read_text()


def test_results_are_encoded_with_the_schema_of_the_output_and_name_their_input(
    platform: Platform, client: Any, topic: str, tmp_path: Path
) -> None:
    code = """
import pulsar.schema
class Order(pulsar.schema.Record):
    id = pulsar.schema.String()
class Function:
    def process(self, input, context):
        return Order(id=input.id + "!")
"""
    output = fresh_topic(platform)
    spec = {"typeClassName": "usercode.Order"}
    details: dict[str, Any] = {
        "source": source(topic, schemaType="avro") | spec,
        "sink": spec | {"topic": output, "schemaType": "json"},
    }
    answers = client.subscribe(output, "test")
    record = type("Order", (pulsar.schema.Record,), {"id": pulsar.schema.String()})
    client.create_producer(topic, schema=pulsar.schema.AvroSchema(record)).send(record(id="7"))
    with alone(tmp_path, code, service_url=platform.service_url, **details):
        answer = receive(answers, 1)[0]
        assert json.loads(answer.data()) == {"id": "7!"}
        assert answer.properties()["__pfn_input_topic__"] == topic
        assert set(answer.properties()) == {"__pfn_input_topic__", "__pfn_input_msg_id__"}
