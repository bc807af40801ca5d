"""What is changed of a cluster: only what differs."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tools.cluster.changes import Change
from tools.cluster.topics import NAMESPACES
from tools.errors import ToolError
from tools.provision import cli
from tools.provision.backlog import backlog_limit
from tools.provision.model import POLICIES, changes, size_policies

from tests.support.fake_shell import FakeShell

LIMIT = 1000 << 20
QUOTA = {"limit": LIMIT, "limitSize": LIMIT, "limitTime": -1, "policy": "producer_exception"}
"""As the broker shows it."""


def plan(policies: Any, limit: int = LIMIT) -> list[Change]:
    """The changes of a cluster whose namespaces have these policies, and all else."""
    cluster: Any = SimpleNamespace(
        tenants=["monoliticas"], policies=dict.fromkeys(NAMESPACES, policies), topics=(), schema_differences=()
    )
    return list(changes(cluster, {}, limit, Path()))


def policies(**other: Any) -> dict[str, Any]:
    all_policies = {name: value for name, (value, _) in (POLICIES | size_policies(LIMIT)).items()}
    return all_policies | {"backlog_quota_map": {"destination_storage": QUOTA}} | other


def test_each_namespace_has_a_quota_that_refuses_and_deletes_nothing() -> None:
    assert plan(policies()) == []
    expected = ["namespaces", "set-backlog-quota", "--type", "destination_storage", "--limit", str(LIMIT)]
    for other in ({}, {"message_age": QUOTA}, {"destination_storage": QUOTA | {"policy": "consumer_backlog_eviction"}}):
        made = plan(policies(backlog_quota_map=other))
        assert [change for change, _ in made] == [f"policy of {name}: backlog_quota_map" for name in NAMESPACES]
        assert made[0][1] == [*expected, "--policy", "producer_exception", NAMESPACES[0]]
    assert len(plan(policies(), limit=1)) == len(NAMESPACES)


def test_more_is_retained_than_may_wait() -> None:
    """Else Pulsar refuses: "Backlog Quota exceeds configured retention quota"."""
    for limit in (1, LIMIT, 5 << 30):
        (retention, command), (quota, _) = size_policies(limit).values()
        assert retention["retentionSizeInMB"] << 20 > quota["destination_storage"]["limitSize"]
        assert command == f"set-retention -t 1d -s {retention['retentionSizeInMB']}M"
    assert size_policies(LIMIT)["retention_policies"][0]["retentionSizeInMB"] == 1024
    assert len(plan(policies(), limit=5 << 30)) == 2 * len(NAMESPACES)


def test_messages_do_not_expire() -> None:
    """What an outage makes wait must not be deleted for its age."""
    assert not [command for _, command in plan(None) if "set-message-ttl" in command]


@pytest.mark.parametrize(("text", "size"), [("500M", 500 << 20), ("5G", 5 << 30), ("1T", 1 << 40)])
def test_how_much_may_wait_is_a_setting(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    monkeypatch.setenv("PULSAR_BACKLOG_LIMIT", text)
    assert backlog_limit() == size


@pytest.mark.parametrize("text", ["", "5", "0G", "-1G", "5GB", "5g", "1.5G", "many"])
def test_what_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PULSAR_BACKLOG_LIMIT", text)
    with pytest.raises(ToolError, match=f"PULSAR_BACKLOG_LIMIT is '{text}': it must be a number with M, G or T"):
        backlog_limit()


def test_how_many_changes_were_made_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = FakeShell.replacing(monkeypatch, "tenant", "namespace")
    assert cli._apply(shell.plan(), shell.plan) == 0
    assert capsys.readouterr().out.endswith("  tenant\n  namespace\nprovisioned: 2 changes\n")


def test_what_is_refused_for_good_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell.replacing(monkeypatch, "tenant")
    shell.answers = {"tenant": "Reason: the role may not"}
    with pytest.raises(ToolError, match="the role may not"):
        cli._apply(shell.plan(), shell.plan)
    assert shell.commands == ["tenant"]
