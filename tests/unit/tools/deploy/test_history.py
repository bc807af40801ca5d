"""The record of deployments: what is stored of one, and that it is read back as it was."""

import json
from typing import Any

import pytest
from tools.deploy import history
from tools.deploy.history import History, read
from tools.deploy.model import Version

CONFIG = {"name": "crear-orden", "userConfig": {"PACKAGE": "sha256:0123456789abcdef"}}


class Topic:
    """A Pulsar client with one topic: what is sent to it can be read from it."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, dict[str, str], str]] = []

    def create_producer(self, *_: Any, **__: Any) -> "Topic":
        return self

    def create_reader(self, *_: Any) -> "Reader":
        return Reader(list(self.messages))

    def send(self, data: bytes, properties: dict[str, str], partition_key: str) -> None:
        self.messages.append((data, properties, partition_key))

    def close(self) -> None:
        pass


class Reader:
    def __init__(self, messages: list[tuple[bytes, dict[str, str], str]]) -> None:
        self._messages = messages

    def has_message_available(self) -> bool:
        return bool(self._messages)

    def read_next(self, _timeout_ms: int) -> "Message":
        return Message(*self._messages.pop(0))

    def close(self) -> None:
        pass


class Message:
    def __init__(self, data: bytes, properties: dict[str, str], key: str) -> None:
        self._data, self._properties, self._key = data, properties, key

    def data(self) -> bytes:
        return self._data

    def properties(self) -> dict[str, str]:
        return self._properties

    def message_id(self) -> str:
        return self._key


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    monkeypatch.setattr(history, "_user_at_host", lambda: "ana@pc")
    return Topic()


def test_what_is_stored_has_the_keys_that_earlier_versions_of_the_scripts_read(topic: Topic) -> None:
    with History(topic) as record:
        assert record.record("deploy", {"crear-orden": "abc"}, {}, {"crear-orden": (CONFIG, b"zip")}) == 1
    ((data, properties, key),) = topic.messages
    stored = json.loads(properties["version"])
    time = stored.pop("hora")
    assert (data, key, time.endswith("+00:00")) == (b"zip", "crear-orden", True)
    assert stored == {
        "numero": 1,
        "funcion": "crear-orden",
        "accion": "deploy",
        "quien": "ana@pc",
        "commit": "abc",
        "config": CONFIG,
        "fallo": "",
    }


def test_a_deployment_is_read_back_and_the_next_one_has_the_next_number(topic: Topic) -> None:
    with History(topic) as record:
        record.record("deploy", {}, {"crear-orden": "it died\nTraceback"}, {"crear-orden": (CONFIG, b"zip")})
    (version,) = read(topic)
    assert version == Version(
        1, "crear-orden", "deploy", version.time, "ana@pc", "", CONFIG, "it died", b"zip", id="crear-orden"
    )
    assert version.hash == "0123456789ab"
    with History(topic) as record:
        assert record.lacks("crear-orden", CONFIG)  # it failed, so that one can't go back to it
        assert record.record("deploy", {}, {}, {"crear-orden": (CONFIG, b"zip")}) == 2
    with History(topic) as record:
        assert not record.lacks("crear-orden", CONFIG | {"more": 1})
        assert record.lacks("crear-orden", {})
