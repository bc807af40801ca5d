"""Listening: in which order, what is shown, and what happens when the broker or the reader of the output goes away.

Longer than 200 lines: its tests share one cluster of fake topics and readers.
"""

import base64
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import StringIO
from itertools import count
from typing import Any

import pulsar
import pytest
from rich.console import Console
from tools.cluster import client
from tools.cluster.topics import dead_letter_topics
from tools.launch import outcome
from tools.listen import cli, follow, print
from tools.messages import listener as listener_module
from tools.messages.cloudevents_json import to_cloudevent
from tools.messages.listener import Listener
from tools.messages.received import read_message
from tools.messages.samples import sample
from tools.messages.writer_schemas import SchemaRegistry

from functions.messages.ids import new
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import PAYLOADS, ComandoCrearOrden, Payload
from functions.program.run import exit_code
from tests.support.data import listo, make_orden, pedir_stock
from tests.support.fake_mailbox import ORDENES, PREFIX, FakePulsarClient, MessageId, interrupt

CREAR, STOCK, LISTO = (
    "ordenes/comando-crear-orden",
    "productos/comando-disminuir-stock",
    "ordenes/comando-marcar-listo-despacho",
)
DLQ = "ordenes/crear-orden-dlq"
Run = Callable[..., int]


@dataclass
class RawMessage:
    """A message as the client's own object shows it."""

    body: bytes
    timestamp: int = 1_000
    version: int = 0
    message_properties: dict[str, str] = field(default_factory=dict)
    key: Callable[[], str] = lambda: "clave"

    @property
    def _message(self) -> "RawMessage":
        return self

    def data(self) -> bytes:
        return self.body

    def publish_timestamp(self) -> int:
        return self.timestamp

    def int_schema_version(self) -> int:
        return self.version

    def properties(self) -> dict[str, str]:
        return self.message_properties

    def partition_key(self) -> str:
        return self.key()

    def message_id(self) -> MessageId:
        return MessageId(1, 2)


@dataclass
class FakeReader:
    """A reader of `remaining`; an error among them is raised, None is a moment in which nothing comes."""

    remaining: list[RawMessage | Exception | None]
    since: int = 0

    def read_next(self, _timeout: int) -> RawMessage:
        if not self.remaining or (message := self.remaining.pop(0)) is None:
            raise pulsar.Timeout("nothing comes")
        if isinstance(message, Exception):
            raise message
        return message

    def seek(self, since: int) -> None:
        self.since = since

    def is_connected(self) -> bool:
        return True


class Cluster(FakePulsarClient):
    """`topics`: what comes from each."""

    def __init__(self, topics: dict[str, Sequence[RawMessage | Exception | None]]) -> None:
        super().__init__()
        self.topics = topics
        self.readers: dict[str, FakeReader] = {}
        self.start_positions: set[Any] = set()

    def create_reader(self, topic: str, start: Any, **_: Any) -> FakeReader:
        short_name = topic.removeprefix(PREFIX)
        self.start_positions.add(str(start))
        self.readers[short_name] = FakeReader(list(self.topics.get(short_name, ())))
        return self.readers[short_name]


def raw(data: Payload, timestamp: int = 1_000, **rest: Any) -> RawMessage:
    return RawMessage(to_outgoing(new(), 1_234, "bff", data).raw, timestamp, **rest)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, in_foreground: None) -> Run:
    """Runs listen.py on a fake cluster until nothing comes; its exit code."""

    def run_with(cluster: Cluster, *arguments: str) -> int:
        monkeypatch.setattr(client, "connect", lambda: cluster)
        monkeypatch.setattr("sys.argv", ["listen.py", "--until-idle", "0.05", *arguments])
        return exit_code(lambda: outcome(cli.__name__))

    return run_with


def rows(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_saga_is_shown_in_the_order_of_its_messages(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    orden, second = make_orden(), make_orden()
    cluster = Cluster(
        {
            LISTO: [None, raw(listo(orden), 3_000)],
            STOCK: [raw(pedir_stock(orden), 2_000)],
            CREAR: [None, raw(orden), raw(second)],
        }
    )
    assert run(cluster, "--order", str(orden.id_orden)) == 0
    shown = rows(capsys)
    assert [row["topic"] for row in shown] == [CREAR, STOCK, LISTO]
    assert shown[0]["message"]["data"]["id_orden"] == str(orden.id_orden)
    assert {key: shown[0][key] for key in ("key", "publish_time", "message_id", "schema_version")} == {
        "key": "clave",
        "publish_time": "1970-01-01T00:00:01.000Z",
        "message_id": "(1,2,-1,-1)",
        "schema_version": 0,
    }
    assert (set(cluster.readers), cluster.calls) == (set(PAYLOADS), ["close"])
    assert run(Cluster({CREAR: [raw(orden), raw(second)]}), "--transaction", str(second.transaction_id)) == 0
    assert [row["message"]["data"]["id_orden"] for row in rows(capsys)] == [str(second.id_orden)]


def test_what_is_waiting_is_merged_by_time_with_few_messages_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "BATCH_SIZE", 3)
    times = {CREAR: [*range(100)], STOCK: [5, 50, 50, 51, 98], LISTO: [1, 0, 99]}  # a clock that went back
    cluster = Cluster({topic: [RawMessage(b"", timestamp) for timestamp in own] for topic, own in times.items()})
    listener, heard = Listener(cluster, list(times), pulsar.MessageId.earliest), list[tuple[str, int]]()
    while len(heard) < 108:
        heard += [(topic, message.timestamp) for topic, message in listener.read()]
        assert all(len(reader.queue) <= 3 for reader in listener._readers)
    for topic, own in times.items():
        assert [timestamp for other, timestamp in heard if other == topic] == own
    assert [timestamp for topic, timestamp in heard if topic != LISTO] == sorted(times[CREAR] + times[STOCK])


def test_from_when_on(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = raw(make_orden(), 59_999), raw(make_orden(), 60_000)
    cluster = Cluster({CREAR: [old, new]})
    assert run(cluster, "--since", "1970-01-01T00:01Z", PREFIX + CREAR) == 0
    assert (cluster.readers[CREAR].since, len(rows(capsys))) == (60_000, 1)
    assert run(cluster, "--since", "1960-01-01T00:00Z", CREAR) == 0
    assert (cluster.readers[CREAR].since, len(rows(capsys))) == (0, 2)
    assert run(cluster, "--from-start", CREAR, "--count", "1") == 0
    assert (cluster.start_positions, len(rows(capsys))) == ({str(pulsar.MessageId.earliest)}, 1)
    assert run(cluster, CREAR) == 0
    assert cluster.start_positions == {str(pulsar.MessageId.earliest), str(pulsar.MessageId.latest)}


def test_what_can_not_be_read_is_shown_with_its_bytes(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    def key() -> str:
        return b"\xff".decode()

    garbage = RawMessage(b"\xff\x1b", 2**63, message_properties={"a": "\x1b[2J"}, key=key)
    assert run(Cluster({CREAR: [garbage, raw(make_orden(), version=-1)]}), CREAR) == 0
    bad, without_version = rows(capsys)
    assert bad["publish_time"] == f"{2**63} ms since 1970"
    assert "unreadable with schema version 0" in bad["problem"]
    assert (base64.b64decode(bad["base64"]), bad["message"], bad["key"]) == (garbage.body, None, "")
    assert (without_version["problem"], without_version["schema_version"]) == ("it has no schema version", None)
    assert without_version["message"]["data"]["cantidad"] == 2


def test_dead_letters_are_read_as_their_messages_were_written(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    dead_letter = raw(make_orden(), version=-1, message_properties={"dlq-topic": ORDENES, "dlq-schema-version": "0"})
    cluster = Cluster({DLQ: [dead_letter, RawMessage(b"a mano", version=-1)]})
    assert run(cluster, "--dlq") == 0
    good, bad = rows(capsys)
    assert (good["topic"], good["message"]["type"], good["schema_version"]) == (DLQ, "comando-crear-orden", 0)
    assert "does not say which topic" in bad["problem"]
    assert set(cluster.readers) == {*PAYLOADS, *dead_letter_topics()}


def test_cloudevents_are_alone_on_stdout(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    envelope = sample(CREAR)
    good = RawMessage(to_outgoing(envelope["id"], 0, "bff", ComandoCrearOrden(**envelope["data"])).raw)
    assert run(Cluster({CREAR: [good, RawMessage(b"\xff")]}), CREAR, "--cloudevents") == 0
    output, errors = capsys.readouterr()
    event = json.loads(output)
    assert event == to_cloudevent(CREAR, envelope) | {
        "time": event["time"],
        "ingestion": "1970-01-01T00:00:00.000Z",
        "source": "/monoliticas/bff",
    }
    assert "warning: no CloudEvent" in errors
    assert base64.b64encode(b"\xff").decode() in errors


def test_each_schema_version_is_asked_for_once_and_until_the_broker_answers(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(follow, "CHECK_INTERVAL", 0.0)
    attempts = count()
    original = FakePulsarClient.get_schema_info

    def missing(client: FakePulsarClient, topic: str, version: int) -> Any:
        if next(attempts) < 2:
            raise pulsar.Timeout("away")
        return original(client, topic, version)

    monkeypatch.setattr(FakePulsarClient, "get_schema_info", missing)
    assert run(Cluster({CREAR: [raw(make_orden()) for _ in range(5)]}), CREAR) == 0
    output, errors = capsys.readouterr()
    assert ["problem" in json.loads(line) for line in output.splitlines()] == [False] * 5
    assert next(attempts) == 3
    assert errors.splitlines()[1:] == ["the broker is away (away): waiting for it …", "the broker is back"]


def test_the_broker_goes_away_and_comes_back(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(follow, "CHECK_INTERVAL", 0.0)
    states = iter([True, False, False, True])
    monkeypatch.setattr(FakeReader, "is_connected", lambda _: next(states, True))
    assert run(Cluster({}), CREAR) == 0
    errors = capsys.readouterr().err.splitlines()
    assert errors[1:] == ["the broker is away (no connection): waiting for it …", "the broker is back"]


def test_ctrl_c_ends_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeReader, "read_next", interrupt)
    cluster = Cluster({})
    assert (run(cluster, CREAR), cluster.calls) == (130, ["close"])


def test_the_table_shows_the_newest_and_nothing_that_a_terminal_would_obey(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda fallback=(80, 24): os.terminal_size((fallback[0], 6)))
    table, cluster = print.LiveTable(), Cluster({})
    for name in ("uno", "[bold]dos", "tres\x1b[2J"):
        message = raw(make_orden(user_id=name))
        table.show(read_message(SchemaRegistry(cluster), CREAR, message, is_dead_letter=False))
    screen = StringIO()
    Console(file=screen, width=300).print(table._render())
    text = screen.getvalue()
    assert ("3 messages" in text, "uno" in text, "[bold]dos" in text, "\x1b" in text) == (True, False, True, False)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["x"], "there is no topic x; there are conductores/asignar-conductor-dlq, "),
        (["--since", "ayer"], "'ayer': Invalid isoformat string"),
        (["--until-idle", "0"], "it must be more than 0"),
        (["--order", "x"], "badly formed hexadecimal UUID string"),
        (["--json", "--cloudevents"], "not allowed with argument --json"),
    ],
)
def test_wrong_usage_is_explained(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str], error: str
) -> None:
    assert run(Cluster({}), *arguments) == 2
    assert error in capsys.readouterr().err
