"""Dead letters: what redriving and discarding do, in which order, and what is left when something fails."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tools.cluster import client
from tools.dead_letters import cli, mailbox, process
from tools.launch import outcome

from functions.messages.codec import codec
from functions.messages.payloads import EventoCuarentena
from functions.program.run import exit_code
from tests.support.data import make_orden
from tests.support.fake_mailbox import (
    FUNCTION,
    ORDENES,
    FakePulsarClient,
    Message,
    MessageId,
    interrupt,
    make_dead_letter,
)

AUDIT = "persistent://monoliticas/saga/evento-cuarentena"
Run = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, in_foreground: None) -> Run:
    """Runs dlq.py on a fake cluster in which only crear-orden has dead letters; its exit code."""
    monkeypatch.setattr(mailbox, "PAUSE", 0.0)
    monkeypatch.setattr(mailbox, "MAX_WAIT", 0.1)

    def run_with(pulsar_client: FakePulsarClient, *arguments: str) -> int:
        def count_dead_letters(functions: Sequence[str]) -> dict[str, int]:
            count = len(pulsar_client.consumer.deliveries)
            return {function: count if function == FUNCTION else 0 for function in functions}

        monkeypatch.setattr(client, "connect", lambda: pulsar_client)
        monkeypatch.setattr(process, "count_dead_letters", count_dead_letters)
        monkeypatch.setattr("sys.argv", ["dlq.py", *arguments])
        return exit_code(lambda: outcome(cli.__name__))

    return run_with


def audited(pulsar_client: FakePulsarClient) -> list[Any]:
    """The audit's messages."""
    raw_messages = [raw for topic, raw, _ in pulsar_client.sent if topic == AUDIT]
    return [codec(EventoCuarentena.topic).decode(raw) for raw in raw_messages]


def test_redriving_publishes_then_audits_then_acknowledges(run: Run) -> None:
    orden, other = make_orden(), make_dead_letter(4)
    dead_letter = make_dead_letter(3, orden, dlq_redriven="2")
    pulsar_client = FakePulsarClient([dead_letter, other])
    assert run(pulsar_client, "redrive", "--order", str(orden.id_orden), "--operator", "ana", "--yes") == 0
    assert pulsar_client.calls == ["send comando-crear-orden", "send evento-cuarentena", "ack 3", "close"]
    topic, raw, options = pulsar_client.sent[0]
    assert (topic, raw, options["partition_key"]) == (ORDENES, dead_letter.body, "clave")
    assert options["properties"] == {"traza": "original", "dlq-redriven": "3"}
    assert pulsar_client.schemas[0].schema() == pulsar_client.get_schema_info(ORDENES, 0).schema()
    (evento,) = audited(pulsar_client)
    assert evento.ingestion == 1_234
    assert evento.data == EventoCuarentena(
        FUNCTION, ORDENES, "(9,3,-1,-1)", "reenviado", "redriven", "ana", orden.id_orden, orden.transaction_id
    )


@pytest.mark.parametrize("command", [("redrive",), ("discard", "--reason", "x")])
def test_without_yes_nothing_happens(run: Run, command: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    pulsar_client = FakePulsarClient([make_dead_letter(0), make_dead_letter(1)])
    assert run(pulsar_client, *command, "--all") == 0
    assert (pulsar_client.calls, pulsar_client.sent) == (["close"], [])
    output = capsys.readouterr().out
    assert f"would {command[0]} crear-orden:1:0" in output
    assert f"would {command[0]} 2 letters: nothing is changed without --yes" in output


def test_what_is_not_confirmed_stays(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for broken in (ORDENES, AUDIT):
        pulsar_client = FakePulsarClient([make_dead_letter(0), make_dead_letter(1)], failing_topics=[broken])
        assert run(pulsar_client, "redrive", "--all", "--yes") == 1
        assert not [event for event in pulsar_client.calls if event.startswith("ack")]
        assert "did not confirm" in capsys.readouterr().err
        assert audited(pulsar_client) == []


def test_doing_it_again_after_a_crash_writes_the_same_audit(run: Run) -> None:
    dead_letter, events = make_dead_letter(0), []
    for operator in ("ana", "ana", "eva"):
        pulsar_client = FakePulsarClient([dead_letter])
        run(pulsar_client, "discard", "--all", "--reason", "x", "--operator", operator, "--yes")
        events += [evento.id for evento in audited(pulsar_client)]
    assert events[0] == events[1] != events[2]


def test_a_message_that_two_letters_are_about_goes_out_once(run: Run) -> None:
    pulsar_client = FakePulsarClient(
        [make_dead_letter(0), make_dead_letter(1, dlq_message_id="(9,0,-1,-1)"), make_dead_letter(2)]
    )
    assert run(pulsar_client, "redrive", "--all", "--yes") == 0
    assert sum(topic == ORDENES for topic, _, _ in pulsar_client.sent) == 2
    assert len(audited(pulsar_client)) == 3
    assert [event for event in pulsar_client.calls if event.startswith("ack")] == ["ack 0", "ack 1", "ack 2"]


@pytest.mark.parametrize(
    ("dead_letter", "reason"),
    [
        (Message(MessageId(1, 0)), "it does not say where it came from"),
        (
            make_dead_letter(0, dlq_topic="persistent://otro/ns/x"),
            "it came from persistent://otro/ns/x, which ordenes/crear-orden does",
        ),
        (make_dead_letter(0, dlq_schema_version="7"), "schema version 7 of persistent://monoliticas/ordenes"),
    ],
)
def test_what_can_not_be_redriven_is_an_error_and_can_be_discarded(
    run: Run, dead_letter: Message, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pulsar_client = FakePulsarClient([dead_letter, make_dead_letter(1)])
    assert run(pulsar_client, "redrive", "--all", "--yes") == 1
    assert f"can't redrive crear-orden:1:0: {reason}" in capsys.readouterr().err
    assert "ack 0" not in pulsar_client.calls
    assert "ack 1" in pulsar_client.calls
    pulsar_client = FakePulsarClient([dead_letter])
    assert run(pulsar_client, "discard", "crear-orden:1:0", "--reason", "x", "--yes") == 0
    assert pulsar_client.calls[-2:] == ["ack 0", "close"]


def test_what_came_without_a_schema_is_redriven_with_todays(run: Run) -> None:
    pulsar_client = FakePulsarClient([make_dead_letter(0, dlq_schema_version="-1", dlq_topic=f"{ORDENES}-partition-3")])
    assert run(pulsar_client, "redrive", "--all", "--yes") == 0
    assert pulsar_client.sent[0][0] == ORDENES
    assert '"ComandoCrearOrden"' in pulsar_client.schemas[0].schema()


def test_an_order_in_the_audit_is_an_order_and_forged_properties_are_harmless(run: Run) -> None:
    pulsar_client = FakePulsarClient([Message(MessageId(1, 0), {"dlq-topic": "a\0b" * 999, "dlq-message-id": "\0"})])
    assert run(pulsar_client, "discard", "--all", "--reason", "x", "--yes") == 0
    (evento,) = audited(pulsar_client)
    assert (evento.data.id_orden, evento.data.id_mensaje, len(evento.data.origen)) == (None, r"\x00", 1000)


def test_batches_hold_few_letters_if_they_are_big(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "BYTES", 10)
    monkeypatch.setattr(process, "BATCH_SIZE", 3)

    def of_size(size: int) -> Any:
        return replace(make_dead_letter(0), body=b"x" * size), None

    sizes = [1, 1, 1, 1, 8, 2, 99, 1]
    groups: Any = [[len(message.body) for message, _ in batch] for batch in process.batches(map(of_size, sizes))]
    assert groups == [[1, 1, 1], [1, 8], [2], [99], [1]]


def test_exit_codes(run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(FakePulsarClient([make_dead_letter(0)]), "list") == 0
    assert run(FakePulsarClient([make_dead_letter(0)]), "list", "--exit-code") == 3
    assert run(FakePulsarClient(), "list", "--exit-code") == 0
    assert run(FakePulsarClient([make_dead_letter(0)]), "list", "--exit-code", "--reason-matches", "nothing") == 0
    assert run(FakePulsarClient([make_dead_letter(0)]), "show", "crear-orden:1:9") == 1
    assert "there is no letter crear-orden:1:9" in capsys.readouterr().err
    monkeypatch.setattr(FakePulsarClient, "subscribe", interrupt)
    assert run(FakePulsarClient([make_dead_letter(0)]), "list") == 130
