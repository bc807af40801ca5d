"""Which confirmations a publisher asks for, what it says of those that do not come, and what it tells of the others."""

from collections.abc import Callable
from typing import Any

import pulsar
import pytest

from functions.messages.codec import codec
from functions.messages.outgoing import Outgoing
from functions.pulsar_io.errors import NotPublished
from functions.pulsar_io.publisher import Publisher
from tests.support.fake_mailbox import FakePulsarClient
from tests.support.fake_pulsar import FakeClient

TOPIC = "ordenes/comando-crear-orden"
VERSION = codec(TOPIC).version


class AskingClient(FakeClient):
    """`asked`: of each message that was sent, whether its confirmation is asked for; `partitions`: of a topic."""

    def __init__(self, partitions: int = 0) -> None:
        super().__init__()
        self.partitions = partitions
        self.asked: list[bool] = []

    def get_topic_partitions(self, topic: str) -> list[str]:
        return [f"{topic}-partition-{part}" for part in range(self.partitions)] or [topic]

    def create_producer(self, topic: str, **options: Any) -> Any:
        producer = super().create_producer(topic, **options)
        send = producer.send_async

        def record(raw: bytes, callback: Callable[..., None] | None, **extra: Any) -> None:
            self.asked.append(callback is not None)
            send(raw, callback, **extra)

        producer.send_async = record  # type: ignore[assignment,method-assign]
        return producer


def asked(client: AskingClient, count: int, bytes_: int = 10, topic: str = TOPIC, **options: Any) -> list[bool]:
    Publisher(client, **options).publish(
        [Outgoing(topic, "clave", bytes(bytes_), version=codec(topic).version)] * count
    )
    assert len(client.published) == count
    assert client.flushes == 1
    return client.asked


def test_the_last_message_of_an_entry_is_confirmed_for_all() -> None:
    assert asked(AskingClient(), 500) == [False] * 499 + [True]


@pytest.mark.parametrize(("count", "bytes_"), [(1000, 10), (20, 60_000)], ids=["many", "big"])
def test_what_is_more_than_an_entry_is_confirmed_one_by_one(count: int, bytes_: int) -> None:
    assert asked(AskingClient(), count, bytes_) == [True] * count


def test_messages_that_are_entries_of_their_own_are_confirmed_one_by_one() -> None:
    assert asked(AskingClient(), 3, topic="ordenes/comando-verificar-orden") == [True] * 3
    assert asked(AskingClient(partitions=1), 3) == [True] * 3


def test_nothing_is_confirmed_if_an_entry_is_not_and_nothing_stays_with_the_producer() -> None:
    client = AskingClient()
    failures = iter([None, pulsar.Timeout("TimeOut")])

    def fail_once() -> None:
        if (failure := next(failures, None)) is not None:
            raise failure

    client.before_send = fail_once
    publisher, messages = Publisher(client), [Outgoing(TOPIC, "clave", b"", version=VERSION)] * 3
    with pytest.raises(NotPublished, match=r"did not confirm: Result\.Timeout"):
        publisher.publish(messages)
    assert client.flushes == 1
    publisher.publish(messages)


def test_what_a_failed_send_leaves_is_flushed_too() -> None:
    """Else it would be in the entry of the next call."""
    client = FakeClient()

    def closed() -> None:
        raise pulsar.AlreadyClosed("AlreadyClosed")

    client.before_send = closed
    with pytest.raises(pulsar.AlreadyClosed):
        Publisher(client).publish([Outgoing(TOPIC, "clave", b"", version=VERSION)])
    assert client.flushes == 1


def test_what_is_stored_is_told_with_the_id_that_it_has() -> None:
    client = FakePulsarClient()
    stored: list[tuple[Outgoing, str]] = []
    first, second, third = (Outgoing(TOPIC, key, b"", version=VERSION) for key in ("one", "two", "three"))
    publisher = Publisher(client, on_stored=lambda message, message_id: stored.append((message, str(message_id))))
    publisher.publish([first, second])
    assert [message for message, _ in stored] == [first, second]
    assert {message_id for _, message_id in stored} == {"(1,2,-1,-1)"}
    publisher.publish([third])
    assert [message.key for message, _ in stored] == ["one", "two", "three"]


def test_each_confirmation_is_asked_for_only_if_what_is_stored_is_to_be_told() -> None:
    assert asked(AskingClient(), 3, on_stored=lambda _message, _id: None) == [True] * 3
    assert asked(AskingClient(), 3, on_stored=None) == [False, False, True]


def test_what_is_not_confirmed_is_not_told_but_the_others_are() -> None:
    client, stored = AskingClient(), list[str]()
    failures = iter([None, pulsar.Timeout("TimeOut"), None])

    def fail_once() -> None:
        if (failure := next(failures, None)) is not None:
            raise failure

    client.before_send = fail_once
    publisher = Publisher(client, on_stored=lambda message, _id: stored.append(message.key))
    with pytest.raises(NotPublished, match=r"did not confirm: Result\.Timeout"):
        publisher.publish([Outgoing(TOPIC, key, b"", version=VERSION) for key in ("one", "two", "three")])
    assert stored == ["one", "three"]
