"""What is given is what is missing, what is taken away is what is too many, and nobody loses what they keep."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from tools.cluster import changes as cluster_changes
from tools.cluster import patience, rest
from tools.errors import ToolError
from tools.grants import cli
from tools.grants.model import Place, Right, required
from tools.grants.plan import changes, too_many
from tools.grants.present import present

from tests.support.fake_admin import fake_admin
from tests.support.fake_policies import FakePolicies

ORDENES = "monoliticas/ordenes"
TOPIC = f"persistent://{ORDENES}/comando-crear-orden"
TOPICS = sorted({name for kind, name in {right.place for right in required()} if kind == "topic"})
OLD = Right(("namespace", ORDENES), "deploy", "consume")
"""As the roles of a cluster had it before grants.py."""


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePolicies]:
    """A cluster that provision.py has prepared, and nothing else."""
    monkeypatch.delenv("PULSAR_CLIENT_CONF", raising=False)
    monkeypatch.setattr(patience, "PAUSES", (0.01, 0.01))
    fake = FakePolicies(TOPICS)
    monkeypatch.setattr(cluster_changes, "execute", fake.execute)
    with fake_admin(fake) as admin:
        monkeypatch.setenv("PULSAR_ADMIN_URL", admin.url)
        yield fake
    rest.api.cache_clear()


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["grants.py", *arguments])
    return cli.main()


def test_what_is_missing_is_given_once(
    cluster: FakePolicies, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch) == 0
    assert present(TOPICS) == required()
    assert f"granted: {len(cluster.commands)} changes\n" in capsys.readouterr().out
    made = len(cluster.commands)
    assert run(monkeypatch) == 0
    assert len(cluster.commands) == made
    assert capsys.readouterr().out.endswith("granted: no changes\n")


def test_a_plan_names_what_is_missing_and_too_many_and_changes_nothing(
    cluster: FakePolicies, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch)
    cluster.policies[ORDENES]["namespace_auth"]["deploy"] = ["consume"]
    cluster.policies[ORDENES]["destination_auth"][TOPIC]["bff"] = ["consume"]
    cluster.policies[ORDENES]["subscription_auth_roles"]["crear-orden"].append("ana")
    cluster.commands.clear()
    capsys.readouterr()
    assert run(monkeypatch, "--plan") == 0
    _, *lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"  missing: bff may produce: topic {TOPIC}",
        "  too many: deploy may consume: namespace monoliticas/ordenes",
        "  too many: ana may consume: subscription monoliticas/ordenes/crear-orden",
        f"  too many: bff may consume: topic {TOPIC}",
        "plan: 1 missing, 3 too many",
    ]
    assert cluster.commands == []


def test_pods_may_fetch_their_packages_where_functions_are_pods(
    cluster: FakePolicies, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, "--pods") == 0
    assert present(TOPICS) == required(pods=True)
    more = required(pods=True) - required()
    assert {(right.place[0], right.action) for right in more} == {("namespace", "functions")}
    assert Right(("namespace", ORDENES), "function-crear-orden", "functions") in more
    assert run(monkeypatch, "--revoke") == 0
    assert present(TOPICS) == required()


def test_nothing_is_taken_away_unless_it_is_asked_for(
    cluster: FakePolicies, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.administrators = ["ana"]
    cluster.policies[ORDENES]["namespace_auth"]["deploy"] = ["consume"]
    cluster.policies[ORDENES]["destination_auth"][TOPIC] = {"bff": ["consume"]}
    cluster.policies[ORDENES]["subscription_auth_roles"] = {"crear-orden": ["ana"], "other": ["ana", "eva"]}
    before = present(TOPICS)
    assert run(monkeypatch) == 0
    assert present(TOPICS) == before | required()
    assert "too many: 5 rights, --plan shows them, --revoke takes them away" in capsys.readouterr().err
    assert run(monkeypatch, "--revoke") == 0
    assert present(TOPICS) == required() | {Right(("tenant", "monoliticas"), "ana", "administer")}
    assert capsys.readouterr().err == ""


def test_nobody_loses_in_between_what_they_keep(cluster: FakePolicies) -> None:
    """A right moves from a namespace to its topics, an action goes and another one stays, a list gets other roles."""
    places = (("topic", TOPIC), ("subscription", f"{ORDENES}/crear-orden"))
    needed = frozenset(right for right in required() if right.place in places)
    both = ["consume", "produce"]
    cluster.policies[ORDENES]["namespace_auth"]["function-crear-orden"] = both
    cluster.policies[ORDENES]["destination_auth"][TOPIC] = {"bff": both, "function-registrar-saga": both}
    cluster.policies[ORDENES]["subscription_auth_roles"]["crear-orden"] = ["function-crear-orden", "ana"]
    seen = [may(present(TOPICS), needed)]
    for _, command in changes(present(TOPICS), needed, revoke=True):
        cluster.execute([command], "")
        seen.append(may(present(TOPICS), needed))
    assert all(earlier <= later for earlier, later in pairwise(seen))
    assert len(seen[0]) == 4
    assert present(TOPICS) == needed


def may(rights: frozenset[Right], needed: frozenset[Right]) -> set[Right]:
    """What roles need and may do, by a right of their own or by one on the namespace of the topic."""
    return {right for right in needed if rights & {right, Right(("namespace", ORDENES), right.role, right.action)}}


def test_subscriptions_are_closed_before_anybody_is_let_onto_their_topics() -> None:
    verbs = [command[1] for _, command in changes(frozenset(), required(), revoke=False)]
    assert verbs == sorted(verbs, key=["grant-subscription-permission", "update", "grant-permission"].index)


def test_a_list_that_somebody_keeps_is_set_at_once_and_never_open_in_between() -> None:
    place: Place = ("subscription", "monoliticas/ordenes/crear-orden")
    needed = frozenset({Right(place, "a", "consume")})
    ((text, command),) = changes(frozenset({Right(place, "b", "consume")}), needed, revoke=True)
    assert text == "a may consume: subscription monoliticas/ordenes/crear-orden"
    grant = ["namespaces", "grant-subscription-permission", ORDENES, "--subscription", "crear-orden", "--roles", "a"]
    assert command == grant


def test_the_administrators_of_the_tenant_are_never_too_many() -> None:
    ana = Right(("tenant", "monoliticas"), "ana", "administer")
    assert too_many(required() | {ana, OLD}, required()) == [OLD]
    ((_, command),) = changes(frozenset({ana}), frozenset({Right(ana.place, "deployer", "administer")}), revoke=True)
    assert command == ["tenants", "update", "monoliticas", "--admin-roles", "ana,deployer"]


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ("tenant", "the tenant monoliticas"),
        ("namespace", "the namespace monoliticas/saga and"),
        ("topic", f"the topic {TOPIC}: run provision.py"),
    ],
)
def test_what_provision_has_not_made_yet_is_said_and_nothing_is_changed(
    cluster: FakePolicies, monkeypatch: pytest.MonkeyPatch, lacking: str, named: str
) -> None:
    if lacking == "tenant":
        cluster.administrators = None
    elif lacking == "namespace":
        del cluster.policies["monoliticas/saga"]
    else:
        cluster.topics = [topic for topic in TOPICS if topic != TOPIC]
    with pytest.raises(ToolError, match=f"the cluster lacks {named}"):
        run(monkeypatch)
    assert cluster.commands == []


def test_what_the_broker_refuses_ends_it(cluster: FakePolicies, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.refuses = 400 * ["Reason: HTTP 401 Unauthorized"]
    with pytest.raises(ToolError, match="HTTP 401 Unauthorized"):
        run(monkeypatch)


def test_what_fails_once_is_done_again(cluster: FakePolicies, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.refuses = ["Reason: HTTP 409 Concurrent modification"]
    assert run(monkeypatch) == 0
    assert present(TOPICS) == required()


def test_the_roles_are_printed_without_a_cluster(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULSAR_ADMIN_URL", "http://127.0.0.1:1")
    assert run(monkeypatch, "--roles") == 0
    assert {"administrator", "deployer", "operator", "bff", "function-crear-orden"} <= set(
        capsys.readouterr().out.split()
    )
