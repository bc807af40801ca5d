"""Dead letters: reading them from their topics, and decoding them."""

from dataclasses import replace
from typing import Any

import pulsar
import pytest
from tools.dead_letters import mailbox
from tools.dead_letters.audit import Audit
from tools.dead_letters.mailbox import Mailbox
from tools.errors import ToolError
from tools.messages.writer_schemas import Decoded, SchemaRegistry

from functions.messages.codec import codec
from functions.messages.ids import Id
from tests.support.data import make_orden
from tests.support.fake_mailbox import DLQ, FUNCTION, FakePulsarClient, Message, MessageId, make_dead_letter


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in ("PAUSE", "MAX_WAIT", "REMAINDER_MAX_WAIT"):
        monkeypatch.setattr(mailbox, setting, 0.1)


def read(client: FakePulsarClient, count: int) -> tuple[list[str], bool]:
    with Mailbox(client, FUNCTION, count) as opened:
        ids = [dead_letter.id for dead_letter in opened]
    assert client.consumer.closed
    return ids, opened.is_incomplete


def test_letters_come_once_and_newer_ones_are_left_for_later() -> None:
    client = FakePulsarClient(
        [make_dead_letter(0), make_dead_letter(2), None, make_dead_letter(3), make_dead_letter(4)]
    )
    assert read(client, 3) == (["crear-orden:1:0", "crear-orden:1:2", "crear-orden:1:3"], False)
    assert client.calls == []


def test_what_a_reconnection_brings_again_is_not_read_twice_but_acknowledged_again() -> None:
    client = FakePulsarClient(
        [
            make_dead_letter(0),
            make_dead_letter(1),
            make_dead_letter(2),
            make_dead_letter(0),
            make_dead_letter(1),
            make_dead_letter(2),
            make_dead_letter(3),
        ]
    )
    with Mailbox(client, FUNCTION, 4) as opened:
        ids = []
        for dead_letter in opened:
            ids.append(dead_letter.position.entry)
            if dead_letter.position.entry in (0, 2):
                opened.acknowledge(dead_letter)
    assert ids == [0, 1, 2, 3]
    assert client.calls == ["ack 0", "ack 0", "ack 2", "ack 2"]


def test_a_letter_in_chunks_counts_as_several_but_is_one() -> None:
    is_oversized = replace(make_dead_letter(2), receipt=MessageId(1, 2, is_chunked=True))
    assert read(FakePulsarClient([is_oversized, make_dead_letter(3)]), 4) == (
        ["crear-orden:1:2", "crear-orden:1:3"],
        False,
    )
    client = FakePulsarClient([is_oversized, make_dead_letter(3)])
    client.consumer.last_id = MessageId(1, 9)  # acknowledged long ago
    assert read(client, 4) == (["crear-orden:1:2", "crear-orden:1:3"], False)


def test_a_batch_by_hand_counts_as_one_letter_but_is_several() -> None:
    batch = [Message(MessageId(1, 7, index)) for index in range(3)]
    client = FakePulsarClient([*batch, make_dead_letter(8)])
    assert read(client, 1) == ([f"crear-orden:1:7:{index}" for index in range(3)], False)


def test_letters_that_do_not_come_are_missed() -> None:
    client = FakePulsarClient([make_dead_letter(0), None, None])
    client.consumer.last_id = MessageId(1, 5)
    assert read(client, 2) == (["crear-orden:1:0"], True)


def test_names_that_are_no_text_count_as_missing() -> None:
    def key() -> str:
        return b"\xff".decode()

    with Mailbox(FakePulsarClient([Message(MessageId(1, 0), read_key=key)]), FUNCTION, 1) as opened:
        assert [dead_letter.key for dead_letter in opened] == [""]


class BusyClient(FakePulsarClient):
    def subscribe(self, *_: Any, **__: Any) -> Any:
        raise pulsar.ConsumerBusy("busy")


def test_a_topic_in_use_is_named() -> None:
    with pytest.raises(ToolError, match=f"somebody else is at work on {DLQ}"):
        Mailbox(BusyClient(), FUNCTION, 1)


def decode(message: Message) -> Decoded:
    client = FakePulsarClient([message])
    with Mailbox(client, FUNCTION, 1) as opened:
        (dead_letter,) = opened
    return SchemaRegistry(client).read(dead_letter.topic, dead_letter.version, dead_letter.body)


def test_a_dead_letter_is_read_with_the_schema_version_it_was_written_in_or_with_todays() -> None:
    orden = make_orden()
    reading = decode(make_dead_letter(0, orden))
    assert (reading.schema, reading.problem) == ("schema version 0 of ordenes/comando-crear-orden", "")
    assert reading.data["id_orden"] == orden.id_orden
    today = decode(make_dead_letter(0, orden, dlq_schema_version="-1"))
    assert (today.schema, today.problem) == (
        "today's schema of ordenes/comando-crear-orden",
        "it has no schema version",
    )
    unknown_version = decode(make_dead_letter(0, orden, dlq_schema_version="7"))
    assert (unknown_version.data, unknown_version.problem) == (reading.data, "schema version 7 is not to be had")


def test_a_letter_whose_ids_are_none_is_shown_and_its_audit_belongs_to_no_order() -> None:
    message = make_dead_letter(0, make_orden(id_orden=Id("no-es-uuid")))
    reading = decode(message)
    assert (reading.data["id_orden"], reading.problem) == ("no-es-uuid", "")
    with Mailbox(FakePulsarClient([message]), FUNCTION, 1) as opened:
        (dead_letter,) = opened
    evento = Audit("descartado", "id", "ana").evento(dead_letter, reading)
    assert codec(evento.topic).decode(evento.raw).data.id_orden is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (Message(MessageId(1, 0)), "does not say which topic"),
        (make_dead_letter(0, dlq_topic="persistent://t/n/x", dlq_schema_version="-1"), "none of our topics"),
        (replace(make_dead_letter(0), body=b""), "unreadable with schema version 0"),
        (replace(make_dead_letter(0), body=make_dead_letter(0).body + b"\0"), "1 bytes too many"),
    ],
)
def test_what_can_not_be_read_says_why(message: Message, problem: str) -> None:
    reading = decode(message)
    assert (reading.data, reading.envelope) == ({}, {})
    assert problem in reading.problem
