"""deadlines.py: what it publishes, and what it says of what was published."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tools.deadlines import cli

from functions.messages.payloads import ComandoSuspenderPlazos
from tests.support.fake_pulsar import PREFIX, FakeClient, FakeMessage

TOPIC = ComandoSuspenderPlazos.topic


@dataclass
class FakeReader:
    """Reads what the client has published."""

    messages: Iterator[FakeMessage]
    count: int

    def has_message_available(self) -> bool:
        return self.count > 0

    def read_next(self, _timeout: int) -> FakeMessage:
        self.count -= 1
        return next(self.messages)

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class ReadableClient(FakeClient):
    """Whose topics can be read, too."""

    closed: list[bool] = field(default_factory=list)

    def create_reader(self, topic: str, _start: Any) -> FakeReader:
        stored = [FakeMessage(t, raw) for t, raw, _ in self.published if PREFIX + t == topic]
        return FakeReader(iter(stored), len(stored))

    def close(self) -> None:
        self.closed.append(True)

    def shutdown(self) -> None:
        """The threads that it does not have end."""


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> ReadableClient:
    fake = ReadableClient()
    monkeypatch.setattr("tools.cluster.client.connect", lambda: fake)
    return fake


def run(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    monkeypatch.setattr("sys.argv", ["deadlines.py", *args])
    return cli.main()


def test_what_an_operator_says_is_published_and_the_last_word_shown(
    client: ReadableClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "status", "--exit-code") == 0
    assert capsys.readouterr().out == "not suspended: the topic has no command\n"
    assert run(monkeypatch, "suspend", "--reason", "no hay luz\x1b[2J", "--operator", "ana") == 0
    assert capsys.readouterr().out == "no order is given up from now on\n"
    [message] = client.messages(TOPIC)
    assert message.data == ComandoSuspenderPlazos(True, "ana", "no hay luz\x1b[2J")
    assert run(monkeypatch, "status", "--exit-code") == 3
    shown = capsys.readouterr().out
    assert shown.startswith("suspended since 20")
    assert shown.endswith("by ana: no hay luz\\x1b[2J\n")
    assert run(monkeypatch, "resume", "--reason", "hay luz", "--operator", "luz") == 0
    capsys.readouterr()
    assert run(monkeypatch, "status", "--exit-code", "--json") == 0
    last = json.loads(capsys.readouterr().out)
    assert (last["suspended"], last["operator"], last["reason"]) == (False, "luz", "hay luz")


def test_a_reason_is_wanted(client: ReadableClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "suspend")
    assert ended.value.code == 2
    assert not client.published
