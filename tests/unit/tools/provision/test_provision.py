"""What is changed of a cluster: only what differs; what was done though the answer was lost is not done again."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tools.cluster import patience
from tools.cluster.shell import Response
from tools.cluster.topics import NAMESPACES
from tools.errors import ToolError
from tools.provision import cli
from tools.provision.backlog import backlog_limit
from tools.provision.model import POLICIES, Change, changes, size_policies

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


class Broker:
    """What is missing, and what pulsar-admin prints for each command, once; `lost`: those that are carried out."""

    def __init__(self, *names: str) -> None:
        self.missing = {name: [name] for name in names}
        self.answers: dict[str, str] = {}
        self.lost: set[str] = set()
        self.commands: list[str] = []

    def execute(self, commands: Sequence[Sequence[str]], _: str) -> list[Response]:
        return [self._execute(name) for (name,) in commands]

    def _execute(self, name: str) -> Response:
        self.commands.append(name)
        failure = self.answers.pop(name, None)
        if failure is None or name in self.lost:
            del self.missing[name]
        return Response(name, failure or "", failure)

    def apply(self, monkeypatch: pytest.MonkeyPatch) -> int:
        monkeypatch.setattr(cli, "execute", self.execute)
        monkeypatch.setattr(patience, "PAUSES", (0.01, 0.01))
        return cli._apply(list(self.missing.items()), lambda: list(self.missing.items()))


def test_what_was_done_though_the_answer_was_lost_is_not_done_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = Broker("tenant", "namespace", "topic")
    broker.answers = {"tenant": "Reason: java.util.concurrent.TimeoutException", "topic": "Reason: already exists"}
    broker.lost = {"tenant", "topic"}
    assert broker.apply(monkeypatch) == 0
    assert broker.commands == ["tenant", "namespace", "topic"]
    assert "provisioned: 3 changes" in capsys.readouterr().out


def test_what_could_not_be_done_yet_is_done_again_with_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker("tenant", "namespace")
    broker.answers = {"tenant": "Reason: HTTP 503 Service Unavailable", "namespace": "Reason: Tenant does not exist"}
    assert broker.apply(monkeypatch) == 0
    assert broker.commands == 2 * ["tenant", "namespace"]


def test_what_another_run_gets_in_the_way_of_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker("tenant", "namespace", "topic")
    broker.answers = {"tenant": "Reason: Tenant already exists", "topic": "Reason: concurrent modification"}
    broker.lost = {"tenant"}
    assert broker.apply(monkeypatch) == 0
    assert broker.commands == ["tenant", "namespace", "topic", "topic"]


def test_what_is_refused_for_good_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker("tenant")
    broker.answers = {"tenant": "Reason: the role may not"}
    with pytest.raises(ToolError, match="the role may not"):
        broker.apply(monkeypatch)
    assert broker.commands == ["tenant"]
