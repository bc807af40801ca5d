"""Following rows: read together, as soon as somebody says so, else again and again."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bff.backends.read_models import DatabaseUnavailable
from bff.following.followed import Followed
from bff.following.following import MAX_KEYS, Following, Pace
from functions.messages.ids import Id, new
from tests.support.platform import wait_for

NEVER = 10**6
OFTEN = Pace(first=0.001, quiet=NEVER, told=0.001, again=0.001, longest=0.01)
ONLY_TOLD = Pace(first=NEVER, quiet=NEVER, told=0.001, again=NEVER, longest=NEVER)


class Rows:
    """What can be read; `reads` are the ids of each reading."""

    def __init__(self) -> None:
        self.rows: dict[Id, str] = {}
        self.reads: list[list[Id]] = []
        self.failure: Exception | None = None

    def read(self, ids: Sequence[Id]) -> dict[Id, str]:
        self.reads.append(list(ids))
        if self.failure is not None:
            raise self.failure
        return {key: self.rows[key] for key in ids if key in self.rows}


@pytest.fixture
def rows() -> Rows:
    return Rows()


def has_news(followed: Followed[str], timeout: float = 60) -> bool:
    return asyncio.run(followed.news(timeout))


def test_what_is_told_is_read_at_once_and_nothing_before(rows: Rows) -> None:
    following = Following("rows", rows.read, ONLY_TOLD, lambda: True)
    key = new()
    followed = following.follow(key)
    following.tell(new())  # nobody follows that
    assert not has_news(followed, 0.05)
    rows.rows[key] = "there"
    following.tell(key)
    assert has_news(followed)
    assert (followed.latest, rows.reads) == ("there", [[key]])


def test_without_a_word_it_is_read_again_and_again(rows: Rows) -> None:
    key = new()
    followed = Following("rows", rows.read, OFTEN).follow(key)
    assert has_news(followed)
    assert followed.latest is None
    rows.rows[key] = "there"
    wait_for("it to be read", lambda: has_news(followed) and followed.latest == "there")


def test_once_nobody_tells_any_more_it_is_read_again_and_again(rows: Rows) -> None:
    is_told = True
    following = Following("rows", rows.read, OFTEN, lambda: is_told)
    key = new()
    followed = following.follow(key)
    following.tell(key)
    is_told = False
    wait_for("some readings", lambda: len(rows.reads) > 3)
    assert has_news(followed)


def test_what_many_follow_is_read_together(rows: Rows) -> None:
    following = Following("rows", rows.read, ONLY_TOLD, lambda: True)
    keys = [new() for _ in range(2 * MAX_KEYS)]
    everybody = [following.follow(key) for key in keys for _ in range(2)]
    entered, go_on = threading.Event(), threading.Event()
    read = rows.read

    def slow(ids: Sequence[Id]) -> dict[Id, str]:
        entered.set()
        assert go_on.wait(60)
        return read(ids)

    following._read = slow
    following.tell(keys[0])
    assert entered.wait(60)
    for key in keys[1:]:
        following.tell(key)
    go_on.set()
    assert all(has_news(followed) for followed in everybody)
    assert len(rows.reads) <= 6
    assert max(len(ids) for ids in rows.reads) <= MAX_KEYS


def test_who_follows_from_an_event_loop_is_woken(rows: Rows) -> None:
    following = Following("rows", rows.read, ONLY_TOLD, lambda: True)
    key = new()
    followed = following.follow(key)

    async def run() -> bool:
        asyncio.get_running_loop().call_later(0.05, following.tell, key)
        return await followed.news(60)

    assert asyncio.run(run())


@pytest.mark.parametrize("end", [Following.close, lambda _: None])
def test_whoever_is_not_followed_any_more_is_not_read(rows: Rows, end: Callable[[Any], None]) -> None:
    left: list[str] = []
    following = Following("rows", rows.read, OFTEN)
    followed = following.follow(new(), on_leave=lambda: left.append("left"))
    assert has_news(followed)
    end(following)
    followed.leave()
    assert (left, followed.is_over, has_news(followed, 0)) == (["left"], True, False)
    other = following.follow(new())  # the thread has something to do, so it would read the first one too
    seen = len(rows.reads)
    wait_for("more readings", lambda: len(rows.reads) > seen + 2 or other.is_over)
    assert all(ids != [followed.key] for ids in rows.reads[seen + 1 :])


def test_after_the_end_nothing_can_be_waited_for(rows: Rows) -> None:
    following = Following("rows", rows.read, OFTEN)
    following.close()
    assert following.follow(new()).is_over


def test_a_failure_is_handed_over_and_it_is_read_again(rows: Rows, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    key = new()
    for failure, logged in ((DatabaseUnavailable("away"), False), (ZeroDivisionError("a bug"), True)):
        caplog.clear()
        rows.failure = failure
        followed = Following("rows", rows.read, OFTEN).follow(key)
        assert has_news(followed)
        assert isinstance(followed.failure, DatabaseUnavailable)
        assert ("a bug" in caplog.text) == logged
        rows.failure = None
        rows.rows[key] = "there"
        while followed.latest != "there" or followed.failure is not None:
            assert has_news(followed)
        followed.leave()
