"""What happens to a message: acknowledged, sent on, or negatively acknowledged.

Longer than 200 lines: it mirrors one module, and its tests share one case of a running function.
"""

import logging
import threading
from argparse import Namespace
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pulsar
import pytest

from tests.support.platform import wait_for
from tests.unit.instance.modules import Client, Consumer, Message, config, module

worker_module = module("instance_worker")
receive_module = module("instance_receive")


class Case:
    """One worker with one input; what it did with the messages is in `consumer`, `client` and `stats`."""

    def __init__(
        self, process: Callable[[Any], Any], guarantee: str, *, result: Any = pulsar.Result.Ok, output: str = ""
    ) -> None:
        identity = config(processingGuarantees=guarantee, sink={"topic": output})
        self.client, self.consumer = Client(result), Consumer()
        self.stats = module("instance_stats").Stats()
        self.deaths: list[BaseException] = []
        context = module("instance_context").Context(identity, self.client, None, self.stats)
        sink = module("instance_output").Output(self.client, identity)
        self.worker = worker_module.Worker(process, context, sink, self.stats, nullcontext, self.deaths.append)

    def run(self, *payloads: bytes, decode: Callable[[Any], Any] = lambda message: message.data().decode()) -> None:
        for payload in payloads:
            self.consumer.waiting.put(Message(payload))
        self.worker.start([receive_module.Input("in", self.consumer, decode)])
        wait_for("the last message is through", lambda: self.consumer.empty.is_set() or self.deaths)
        self.worker.stop()


def fail(value: str) -> None:
    raise ValueError(value)


@pytest.mark.parametrize(
    ("guarantee", "works", "fails"),
    [("ATLEAST_ONCE", (1, 0), (0, 1)), ("ATMOST_ONCE", (1, 0), (1, 1)), ("MANUAL", (0, 0), (0, 1))],
)
def test_the_guarantee_decides_what_is_acknowledged(
    guarantee: str, works: tuple[int, int], fails: tuple[int, int]
) -> None:
    processes: list[tuple[Callable[[Any], Any], tuple[int, int]]] = [(lambda value: None, works), (fail, fails)]
    for process, expected in processes:
        case = Case(process, guarantee)
        case.run(b"one")
        assert (len(case.consumer.acknowledged), len(case.consumer.refused)) == expected


def test_an_exception_in_process_is_the_users() -> None:
    case = Case(fail, "ATLEAST_ONCE")
    case.run(b"one", b"two")
    total = case.stats.total
    assert (total.received, total.user_exceptions, total.system_exceptions) == (2, 2, 0)
    assert (total.processed_successfully, total.latency_count) == (0, 0)


def test_a_payload_that_cannot_be_decoded_is_a_system_exception() -> None:
    case = Case(lambda value: None, "ATLEAST_ONCE")
    case.run(b"\xff")
    assert (case.stats.total.system_exceptions, len(case.consumer.refused)) == (1, 1)


def test_an_output_is_sent_before_its_input_is_acknowledged() -> None:
    case = Case(lambda value: value + "!", "ATLEAST_ONCE", output="out")
    case.run(b"one")
    assert case.client.producers["out"].sent == [
        (b"one!", {"properties": {"__pfn_input_topic__": "in", "__pfn_input_msg_id__": "cG9zaXRpb24="}})
    ]
    assert len(case.consumer.acknowledged) == 1
    options = case.client.options["out"]
    assert options["compression_type"] == pulsar.CompressionType.LZ4
    assert options["send_timeout_millis"] == 0
    assert options["properties"] == {"application": "pulsar-function", "id": "t/ns/f", "instance_id": "0"}


def test_an_output_that_the_broker_refuses_refuses_its_input() -> None:
    case = Case(lambda value: value, "ATLEAST_ONCE", output="out", result=pulsar.Result.TopicTerminated)
    case.run(b"one")
    assert (len(case.consumer.acknowledged), len(case.consumer.refused)) == (0, 1)
    assert "Failed to publish to topic [out]" in case.stats.system_failures.latest[0][0]


def test_an_output_that_cannot_be_serialized_refuses_its_input() -> None:
    case = Case(lambda value: object(), "ATLEAST_ONCE", output="out")
    case.run(b"one")
    assert (len(case.consumer.acknowledged), len(case.consumer.refused)) == (0, 1)


def test_system_exit_in_process_is_reported_and_nothing_acknowledged() -> None:
    def leave(value: str) -> None:
        raise SystemExit(3)

    case = Case(leave, "ATLEAST_ONCE")
    case.run(b"one")
    assert [type(death) for death in case.deaths] == [SystemExit]
    assert (case.consumer.acknowledged, case.consumer.refused) == ([], [])


def test_takes_no_message_after_stop() -> None:
    case = Case(lambda value: None, "ATMOST_ONCE")
    case.run(b"one")
    case.consumer.waiting.put(Message(b"late"))
    assert case.stats.total.received == 1
    assert len(case.consumer.acknowledged) == 1


def test_the_message_in_hand_is_finished_at_a_stop_and_the_others_go_back() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def process(value: str) -> None:
        begun.set()
        assert go_on.wait(10)

    for consumers in (1, 2):
        case = Case(process, "ATLEAST_ONCE")
        begun.clear()
        go_on.clear()
        for payload in (b"one", b"two", b"three"):
            case.consumer.waiting.put(Message(payload))
        inputs = [receive_module.Input("in", case.consumer, lambda message: message.data())]
        inputs += [receive_module.Input("other", Consumer(), None)] * (consumers - 1)
        case.worker.start(inputs)
        assert begun.wait(10)
        threading.Timer(0.05, go_on.set).start()
        case.worker.stop()
        assert case.consumer.acknowledged == [Message(b"one")]


def test_several_inputs_are_processed_on_one_thread_each_in_its_own_order() -> None:
    values: list[bytes] = []
    threads: set[int] = set()

    def process(value: bytes) -> None:
        values.append(value)
        threads.add(threading.get_ident())

    case, other = Case(process, "ATLEAST_ONCE"), Consumer()
    for number in range(300):
        case.consumer.waiting.put(Message(b"a%d" % number))
        other.waiting.put(Message(b"b%d" % number))
    case.worker.start([receive_module.Input(str(c), c, lambda message: message.data()) for c in (case.consumer, other)])
    wait_for("all messages", lambda: len(values) == 600)
    case.worker.stop()
    for letter in (b"a", b"b"):
        assert [value for value in values if value.startswith(letter)] == [b"%s%d" % (letter, n) for n in range(300)]
    assert len(threads) == 1
    assert len(case.consumer.acknowledged) == len(other.acknowledged) == 300


@pytest.mark.parametrize("inputs", [1, 2])
def test_a_consumer_that_fails_ends_the_instance(inputs: int) -> None:
    class Broken(Consumer):
        def receive(self, milliseconds: int) -> Message:
            raise pulsar.AlreadyClosed

    case = Case(lambda value: None, "ATLEAST_ONCE")
    consumers = [Broken(), Consumer()][:inputs]
    case.worker.start([receive_module.Input(str(number), c, None) for number, c in enumerate(consumers)])
    wait_for("its death", lambda: case.deaths)
    assert [type(death) for death in case.deaths] == [pulsar.AlreadyClosed]


def test_a_module_is_called_without_context_and_a_class_with_it() -> None:
    prepare, stats = module("instance_runtime").prepare, module("instance_stats").Stats()

    class Counting:
        def process(self, value: str, context: str) -> str:
            return value + context

    class WithoutConstructor:
        @staticmethod
        def process(value: str) -> str:
            return value + " alone"

    assert prepare(Counting, " in context", stats)("called") == "called in context"
    assert prepare(WithoutConstructor(), "", stats)("called") == "called alone"
    assert stats.total.system_exceptions == 0


def test_the_workers_tls_and_authentication_flags_reach_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(pulsar, "Client", lambda url, **options: given.update(options | {"url": url}))
    args = Namespace(
        pulsar_serviceurl="pulsar+ssl://host:6651",
        client_auth_plugin="org.apache.pulsar.client.impl.auth.AuthenticationToken",
        client_auth_params="token:xyz",
        use_tls="true",
        tls_allow_insecure="false",
        hostname_verification_enabled="true",
        tls_trust_cert_path="/ca.pem",
    )
    module("instance_runtime").connect(args)
    assert given["url"] == "pulsar+ssl://host:6651"
    assert isinstance(given["authentication"], pulsar.Authentication)
    assert (given["use_tls"], given["tls_allow_insecure_connection"]) == (True, False)
    assert (given["tls_validate_hostname"], given["tls_trust_certs_file_path"]) == (True, "/ca.pem")


def test_a_constructor_that_fails_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def __init__(self) -> None:
            raise OSError("no disk")

        def process(self, value: str, context: str) -> None: ...

    stats = module("instance_stats").Stats()
    process = module("instance_runtime").prepare(Broken, None, stats)
    assert "OSError: no disk" in stats.system_failures.latest[0][0]
    assert caplog.records[0].levelno == logging.ERROR
    with pytest.raises(TypeError):
        process("called")
