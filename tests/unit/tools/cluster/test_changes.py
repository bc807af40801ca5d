"""Changes are made once: what was done though the answer was lost is not done again."""

import pytest
from tools.cluster.changes import apply

from tests.support.fake_shell import FakeShell


def test_what_was_done_though_the_answer_was_lost_is_not_done_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = FakeShell.replacing(monkeypatch, "tenant", "namespace", "topic")
    shell.answers = {"tenant": "Reason: java.util.concurrent.TimeoutException", "topic": "Reason: already exists"}
    shell.lost = {"tenant", "topic"}
    assert apply(shell.plan(), shell.plan) is None
    assert shell.commands == ["tenant", "namespace", "topic"]
    assert capsys.readouterr().out == "  tenant\n  namespace\n  topic\n"


def test_what_could_not_be_done_yet_is_done_again_with_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell.replacing(monkeypatch, "tenant", "namespace")
    shell.answers = {"tenant": "Reason: HTTP 503 Service Unavailable", "namespace": "Reason: Tenant does not exist"}
    assert apply(shell.plan(), shell.plan) is None
    assert shell.commands == 2 * ["tenant", "namespace"]


def test_what_another_run_gets_in_the_way_of_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell.replacing(monkeypatch, "tenant", "namespace", "topic")
    shell.answers = {"tenant": "Reason: Tenant already exists", "topic": "Reason: concurrent modification"}
    shell.lost = {"tenant"}
    assert apply(shell.plan(), shell.plan) is None
    assert shell.commands == ["tenant", "namespace", "topic", "topic"]


def test_what_is_refused_for_good_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell.replacing(monkeypatch, "tenant")
    shell.answers = {"tenant": "Reason: the role may not"}
    failure = apply(shell.plan(), shell.plan)
    assert failure is not None
    assert failure.failure == "Reason: the role may not"
    assert shell.commands == ["tenant"]
