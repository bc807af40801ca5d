"""A cluster that is slow, starts, or changes its leader is asked again, and people are told what is waited for."""

import threading
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import pytest
from tools.cluster import patience, rest
from tools.errors import ToolError

from tests.support.fake_admin import DROPPED, HALF, FakeAdmin, Response, fake_admin
from tests.support.platform import free_ports


class Scripted:
    """Answers one response after the other, the last one for ever; `None`: no answer until the test ends."""

    def __init__(self, *responses: Response | None) -> None:
        self.responses = chain(responses, repeat(responses[-1]))
        self.over = threading.Event()
        self.asked = 0

    def get(self, _: str, __: Response) -> Response:
        self.asked += 1
        response = next(self.responses)
        if response is None:
            self.over.wait()
        return response or DROPPED


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rest, "ANSWER_TIMEOUT", 0.3)
    monkeypatch.setattr(patience, "PAUSES", (0.01, 0.02))
    monkeypatch.delenv("PULSAR_CLIENT_CONF", raising=False)
    yield
    rest.api.cache_clear()


def use(monkeypatch: pytest.MonkeyPatch, fake: FakeAdmin) -> None:
    monkeypatch.setenv("PULSAR_ADMIN_URL", fake.url)


FOUND: Response = (200, ["found"])
STARTING: Response = (503, {"reason": "Function worker service is not done initializing"})


@pytest.mark.parametrize(
    "responses",
    [(None, None, FOUND), (DROPPED, FOUND), (HALF, FOUND), (STARTING, STARTING, FOUND), ((503, b"<html>"), FOUND)],
    ids=["late", "dropped", "half", "starting", "proxy"],
)
def test_what_gets_no_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch, responses: Any) -> None:
    with fake_admin(script := Scripted(*responses)) as fake:
        use(monkeypatch, fake)
        assert rest.broker_answers("/a") == [["found"]]
        script.over.set()
    assert script.asked == len(responses)


def test_a_leader_that_died_is_asked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    elsewhere = (307, b"", {"Location": f"http://127.0.0.1:{port}/a"})
    with fake_admin(Scripted(elsewhere, FOUND)) as fake:
        use(monkeypatch, fake)
        assert rest.broker_answers("/a") == [["found"]]


@pytest.mark.parametrize("response", [(401, b""), (403, {"reason": "no"}), (404, b"<html>"), (400, {"reason": "no"})])
def test_what_does_not_pass_by_itself_is_said_at_once(monkeypatch: pytest.MonkeyPatch, response: Response) -> None:
    with fake_admin(script := Scripted(response)) as fake:
        use(monkeypatch, fake)
        with pytest.raises(ToolError, match="answers HTTP"):
            rest.broker_answers("/a")
    assert script.asked == 1


def test_patience_ends_with_the_last_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SECONDS", 0.2)
    with fake_admin(script := Scripted(STARTING)) as fake:
        use(monkeypatch, fake)
        with pytest.raises(ToolError, match="answers HTTP 503: Function worker service is not done initializing"):
            rest.broker_answers("/a")
    assert script.asked > 2


def test_people_are_told_what_is_slow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(patience, "FIRST_NOTICE", 0.01)
    said = threading.Event()

    class Late:
        """Answers when people have been told."""

        def get(self, _: str, __: Response) -> Response:
            said.wait()
            return FOUND

    def noticed(*texts: Any, **options: Any) -> None:
        print(*texts, **options)
        said.set()

    monkeypatch.setattr(patience, "print", noticed, raising=False)
    monkeypatch.setattr(rest, "ANSWER_TIMEOUT", 30)
    with fake_admin(Late()) as fake:
        use(monkeypatch, fake)
        assert rest.broker_answers("/a") == [["found"]]
    assert f"waiting for {fake.url} for 0 s: no answer yet …" in capsys.readouterr().err


def test_nothing_is_tried_again_once_it_is_closed() -> None:
    with patience.Patience("x") as opened:
        assert opened.wait(0, "")
    assert not opened.wait(0, "")


@pytest.mark.parametrize(
    ("running", "number", "expected"), [(True, 5, {0: 5}), (True, 0, {0: 0}), (False, 5, {0: 5}), (False, 0, {})]
)
def test_a_count_of_restarts_that_nobody_knows_is_none(running: bool, number: int, expected: dict[int, int]) -> None:
    status = {"instances": [{"instanceId": 0, "status": {"running": running, "numRestarts": number}}]}
    assert dict(rest.restarts(status)) == expected
