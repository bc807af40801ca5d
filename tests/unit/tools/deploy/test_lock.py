"""What is compared is compared under the lock, and what somebody else did meanwhile stays."""

import pytest
from tools.cluster.repository import function_configs
from tools.deploy import plan
from tools.errors import FailureReported, ToolError

from tests.support.fake_functions import NAME, FakeFunctions, deploy, deployed
from tests.support.fake_record import FakeRecord


def test_a_deployment_plans_when_nobody_else_deploys_any_more(cluster: FakeFunctions, record: FakeRecord) -> None:
    """B has built its packages, then A deploys, then B takes the lock, fails and puts back: what A deployed."""
    deployed(cluster, record, b"old")

    def other() -> None:
        record.on_open = lambda: None
        deployed(cluster, record, b"A's")

    record.on_open = other
    cluster.sources, cluster.broken = b"B's", {b"B's"}
    with pytest.raises(FailureReported, match=f"the versions before are back, and run: {NAME}"):
        deploy(record)
    assert cluster.functions[NAME].package == b"A's"


def test_a_rollback_chooses_when_nobody_else_deploys_any_more(cluster: FakeFunctions, record: FakeRecord) -> None:
    deployed(cluster, record, b"1")
    deployed(cluster, record, b"2")

    def other() -> None:
        record.on_open = lambda: None
        deployed(cluster, record, b"3")

    record.on_open = other
    deploy(record, "rollback", NAME)
    assert cluster.functions[NAME].package == b"2"


def test_what_somebody_else_changed_meanwhile_is_not_put_back(cluster: FakeFunctions, record: FakeRecord) -> None:
    deployed(cluster, record, b"old")
    cluster.sources, cluster.broken = b"new", {b"new", b"by hand"}

    def change(_: str) -> None:
        if cluster.commands and cluster.functions[NAME].package == b"new" and next(looks):
            cluster.put(cluster.functions[NAME].config, b"by hand")

    looks = iter([False, True, *[False] * 1000])
    cluster.look = change
    with pytest.raises(FailureReported, match=f"changed by somebody else meanwhile, and left as they are: {NAME}"):
        deploy(record)
    assert cluster.functions[NAME].package == b"by hand"


@pytest.mark.parametrize("arguments", [("--plan", NAME), (NAME,), ("canary", NAME)])
def test_what_would_break_the_engines_promises_is_refused_by_the_plan_too(
    cluster: FakeFunctions, record: FakeRecord, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    configs = function_configs()
    configs[NAME]["processingGuarantees"] = "ATLEAST_ONCE"
    monkeypatch.setattr(plan, "function_configs", lambda: configs)
    with pytest.raises(ToolError, match=f"{NAME}: processingGuarantees is 'ATLEAST_ONCE', must be 'MANUAL'"):
        deploy(record, *arguments)
    assert cluster.commands == []


@pytest.mark.parametrize("arguments", [(NAME,), ("rollback", NAME), ("canary", NAME), ("canary", NAME, "--discard")])
def test_nobody_changes_anything_while_somebody_deploys(
    cluster: FakeFunctions, record: FakeRecord, arguments: tuple[str, ...]
) -> None:
    deployed(cluster, record, b"old")
    record.create_producer()
    with pytest.raises(ToolError, match="somebody else is deploying"):
        deploy(record, *arguments)
    assert cluster.commands == []
    deploy(record, "--plan", NAME)
