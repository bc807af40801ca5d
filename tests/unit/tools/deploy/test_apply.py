"""A deployment that is interrupted, gets no answers, or meets another one, ends in a state that it tells."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from tools.cluster import patience
from tools.deploy import watch
from tools.errors import FailureReported, ToolError

from tests.support.fake_functions import NAME, NO_LEADER, TIMED_OUT, FakeFunctions, deploy, deployed
from tests.support.fake_record import FakeRecord


def failures(record: FakeRecord) -> list[tuple[str, str]]:
    """What is on record: packages and why they failed."""
    return [(version.package.decode(), version.failure) for version in record.versions()]


def once(*texts: str | None) -> Callable[[str], str | None]:
    """Those texts, one after the other, then None."""
    remaining = iter(texts)
    return lambda _: next(remaining, None)


def test_what_was_done_though_the_answer_was_lost_is_not_done_again(cluster: FakeFunctions, record: FakeRecord) -> None:
    cluster.answer = once(TIMED_OUT)
    deploy(record)
    assert cluster.commands == [f"create {NAME}"]
    assert failures(record) == [("new", "")]


def test_what_pulsar_admin_itself_did_twice_is_done(cluster: FakeFunctions, record: FakeRecord) -> None:
    cluster.answer = once(f"Reason: Function {NAME} already exists")
    deploy(record)
    assert failures(record) == [("new", "")]


def test_a_worker_without_a_leader_is_told_again(cluster: FakeFunctions, record: FakeRecord) -> None:
    deployed(cluster, record, b"old")
    cluster.sources = b"new"
    refusals = iter([False, False])
    cluster.carries_out = lambda _: next(refusals, True)
    cluster.answer = once(NO_LEADER, NO_LEADER)
    deploy(record)
    assert cluster.commands == 3 * [f"update {NAME}"]
    assert failures(record) == [("old", ""), ("new", "")]


def test_what_is_refused_for_good_is_not_told_again_and_nothing_is_put_back(
    cluster: FakeFunctions, record: FakeRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.carries_out = lambda _: False
    cluster.answer = lambda _: "Reason: the role may not"
    with pytest.raises(FailureReported):
        deploy(record)
    assert cluster.commands == [f"create {NAME}"]
    assert "the role may not" in capsys.readouterr().err
    assert failures(record) == []


def test_patience_ends(cluster: FakeFunctions, record: FakeRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SECONDS", 0.1)
    cluster.carries_out, cluster.answer = lambda _: False, lambda _: NO_LEADER
    with pytest.raises(FailureReported):
        deploy(record)
    assert cluster.commands


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a bug")])
@pytest.mark.parametrize("when", ["while it is told", "while it is watched"])
def test_whatever_the_way_out_is_what_was_changed_is_on_record_and_the_next_run_goes_on(
    cluster: FakeFunctions,
    record: FakeRecord,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    when: str,
) -> None:
    deployed(cluster, record, b"old")
    cluster.sources = b"new"

    def interrupted(*_: Any) -> None:
        raise error

    with monkeypatch.context() as context:
        if when == "while it is told":
            cluster.answer = interrupted
        else:
            context.setattr("tools.deploy.apply.watch", interrupted)
        with pytest.raises(type(error)):
            deploy(record)
    assert failures(record) == [("old", ""), ("new", f"not known to run: {str(error) or 'interrupted'}")]
    assert f"on record as version 2, not known to run: {NAME}" in capsys.readouterr().err
    cluster.answer = lambda _: None
    deploy(record, "rollback", NAME)  # the lock is free, and one can go back
    assert cluster.functions[NAME].package == b"old"


def test_a_record_that_can_not_be_written_is_said(
    cluster: FakeFunctions, record: FakeRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    record.fails = True
    with pytest.raises(Exception, match="no answer"):
        deploy(record)
    assert f"changed, perhaps, and not on record (no answer): {NAME}" in capsys.readouterr().err


def test_a_worker_that_dies_while_it_is_watched_is_no_reason_to_put_anything_back(
    cluster: FakeFunctions, record: FakeRecord
) -> None:
    deployed(cluster, record, b"old")
    cluster.sources = b"new"
    cluster.look = lambda _: (503, {"reason": "no worker"}) if cluster.commands else None
    with pytest.raises(ToolError, match=f"not known whether these run: {NAME}; .*no worker"):
        deploy(record)
    assert cluster.commands == [f"update {NAME}"]
    assert [package for package, failure in failures(record) if failure] == ["new"]


def test_functions_may_take_turns_to_start(cluster: FakeFunctions, record: FakeRecord) -> None:
    looks: list[float] = []
    timeout = vars(watch)["TIMEOUT"]

    def starting(name: str) -> tuple[int, object] | None:
        now = time.monotonic()
        looks.append(now)
        seconds = {NAME: 0.6, "crear-producto": 1.3}[name] * timeout
        return (503, {"reason": "it starts"}) if now - looks[0] < seconds else None

    cluster.look = starting
    deploy(record, NAME, "crear-producto")
    assert failures(record) == [("new", ""), ("new", "")]
