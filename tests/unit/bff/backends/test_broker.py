"""Publishing to the broker: which messages are one batch, and the circuit breaker."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import pulsar
import pytest

from bff.backends import broker
from bff.backends.broker import Broker, BrokerUnavailable
from functions.messages.ids import new
from functions.messages.outgoing import Outgoing, to_outgoing
from functions.messages.payloads import Payload
from tests.support.data import make_orden, make_producto
from tests.support.fake_pulsar import FakeClient, FakeProducer
from tests.support.platform import wait_for as wait_until


class SlowClient(FakeClient):
    """Takes `delay` seconds to open a producer, or to fail while it is `down`."""

    delay = 0.0
    down = False
    opened = 0

    def create_producer(self, topic: str, **options: object) -> FakeProducer:
        self.opened += 1
        time.sleep(self.delay)
        if self.down:
            raise pulsar.Timeout("TimeOut")
        return super().create_producer(topic, **options)


def message(data: Payload | None = None) -> Outgoing:
    return to_outgoing(new(), 0, "bff", data or make_orden())


def result(perform: Callable[[], None]) -> tuple[str, float]:
    """ "ok", "unknown" or "nothing was sent", and after how many seconds."""
    started = time.monotonic()
    try:
        perform()
    except BrokerUnavailable as error:
        return ("unknown" if error.sent else "nothing was sent"), time.monotonic() - started
    return "ok", time.monotonic() - started


@pytest.fixture
def client() -> SlowClient:
    return SlowClient()


def test_requests_that_come_at_once_share_one_producer(client: SlowClient) -> None:
    client.delay = 0.1
    bridge = Broker(client)
    with ThreadPoolExecutor(16) as executor:
        responses = list(executor.map(lambda _: result(lambda: bridge.publish(message())), range(16)))
    assert [what for what, _ in responses] == ["ok"] * 16
    assert client.opened == 1
    assert len(client.published) == 16


def test_what_comes_while_the_broker_stores_a_group_is_the_next_group(client: SlowClient) -> None:
    bridge, proceed = Broker(client), threading.Event()
    bridge.publish(message())
    started: SimpleQueue[int] = SimpleQueue()

    def wait_for() -> None:
        started.put(len(client.published))
        proceed.wait(5)

    client.before_send = wait_for
    with ThreadPoolExecutor(9) as executor:
        first = executor.submit(result, lambda: bridge.publish(message()))
        assert started.get(timeout=5) == 1
        others = [executor.submit(result, lambda: bridge.publish(message())) for _ in range(8)]
        queue = bridge._topic_producers["ordenes/comando-crear-orden"].queue
        wait_until("eight messages in line", lambda: queue.qsize() == 8)
        client.flushes = 0
        proceed.set()
        assert [future.result(5)[0] for future in (first, *others)] == ["ok"] * 9
    assert len(client.published) == 10
    assert client.flushes == 2  # one for each batch


def test_while_the_broker_is_away_nobody_waits_for_more_than_one_try(client: SlowClient) -> None:
    client.delay, client.down = float(broker.CONNECT_TIMEOUT), True
    bridge = Broker(client)
    with ThreadPoolExecutor(16) as executor:
        responses = list(executor.map(lambda _: result(lambda: bridge.publish(message())), range(16)))
    assert {what for what, _ in responses} == {"nothing was sent", "unknown"}  # of the first batch, and of the others
    assert max(seconds for _, seconds in responses) < 1.5
    assert client.opened == 1


def test_a_client_that_never_answers_costs_a_request_so_long_and_no_longer(
    client: SlowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "MAX_WAIT", 0.2)
    proceed = threading.Event()

    def hang() -> None:
        proceed.wait(5)

    client.before_send = hang
    assert result(lambda: Broker(client).publish(message()))[0] == "unknown"
    proceed.set()


def test_after_a_failure_requests_fail_at_once_for_a_moment_and_then_one_tries_again(
    client: SlowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "PAUSE", 0.2)
    client.down = True
    bridge = Broker(client)
    assert result(lambda: bridge.publish(message()))[0] == "unknown"
    assert result(lambda: bridge.publish(message()))[0] == "nothing was sent"
    client.down = False
    assert result(lambda: bridge.publish(message()))[0] == "nothing was sent"
    time.sleep(0.25)
    assert result(lambda: bridge.publish(message()))[0] == "ok"


def test_a_send_that_is_not_confirmed_leads_to_a_new_producer(
    client: SlowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "PAUSE", 0.0)
    bridge = Broker(client)
    bridge.publish(message())

    def withhold_confirmation() -> None:
        raise pulsar.Timeout("TimeOut")

    client.before_send = withhold_confirmation
    assert result(lambda: bridge.publish(message()))[0] == "unknown"
    client.before_send = lambda: None
    assert result(lambda: bridge.publish(message()))[0] == "ok"
    assert client.opened == 2


def test_a_topic_that_fails_does_not_close_the_others(client: SlowClient) -> None:
    bridge = Broker(client)
    bridge.publish(message())
    client.down = True
    assert result(lambda: bridge.publish(message(make_producto())))[0] == "unknown"
    assert result(lambda: bridge.publish(message()))[0] == "ok"


def test_one_failure_is_one_line_of_log(client: SlowClient, caplog: pytest.LogCaptureFixture) -> None:
    client.down = True
    bridge = Broker(client)
    for _ in range(5):
        result(lambda: bridge.publish(message()))
    assert caplog.messages == ["can't publish to ordenes/comando-crear-orden: TimeOut"]
