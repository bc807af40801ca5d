"""Whether databases answer: asked once for all who want to know, and waited for only so long."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from bff.backends import states
from bff.backends.states import States


def test_each_database_has_its_own_answer_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    away = {"productos"}

    def check(database: str) -> None:
        if database in away:
            raise RuntimeError("away")

    asked = States(check)
    for _ in range(3):
        asked.ask()
        assert asked.answers() == {"saga": True, "ordenes": True, "productos": False, "conductores": True}
    assert caplog.messages == ["productos can't be read: away"]
    away.clear()
    asked.ask()
    assert asked.answers()["productos"]


def test_who_asks_meanwhile_shares_the_answers_and_none_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "MAX_WAIT", 0.05)
    calls: Counter[str] = Counter()
    answer = threading.Event()

    def check(database: str) -> None:
        calls[database] += 1
        answer.wait(20)

    asked = States(check)

    def question(_: int) -> set[bool]:
        asked.ask()
        return set(asked.answers().values())

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(question, range(16))) == [{False}] * 16
    assert set(calls.values()) == {1}
    monkeypatch.setattr(states, "MAX_WAIT", 20)
    answer.set()
    assert question(0) == {True}
