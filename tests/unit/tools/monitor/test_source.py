"""Looking at a cluster over its admin REST API, and reading messages from where a topic's newest begin."""

import pulsar
import pytest
from tools.monitor.cli import run_once
from tools.monitor.messages import ClusterMessages, start_position
from tools.monitor.source import Cluster

from functions.cluster.admin_rest import AdminUnavailable, Api
from tests.support.fake_admin import NOT_FOUND, FakeAdmin, Response, fake_admin
from tests.support.fake_monitor import EXPECTED, stats, status

NAMESPACES, TOPICS = "/admin/v2/namespaces/monoliticas", "/admin/v2/persistent/monoliticas"
FUNCTIONS = "/admin/v3/functions/monoliticas"


def responses() -> dict[str, Response]:
    """A whole cluster as it should be."""
    answers: dict[str, Response] = {NAMESPACES: (200, ["monoliticas/ordenes", "monoliticas/otro"])}
    for topic, names in EXPECTED.subscriptions.items():
        namespace = f"{TOPICS}/{topic.partition('/')[0]}"
        items = answers.setdefault(namespace, (200, []))[1]
        items.append(f"persistent://monoliticas/{topic}")
        answers[f"{TOPICS}/{topic}/stats"] = (200, stats(*names))
    for function in EXPECTED.instances:
        answers.setdefault(f"{FUNCTIONS}/{function.partition('/')[0]}", (200, []))[1].append(function.partition("/")[2])
        answers[f"{FUNCTIONS}/{function}/status"] = (200, status())
    return answers


def cluster(fake: FakeAdmin, worker: FakeAdmin | None = None) -> Cluster:
    return Cluster(Api(fake.url, {}), Api((worker or fake).url, {}), EXPECTED)


def test_a_whole_cluster_is_looked_at_and_asked_for_precise_figures() -> None:
    with fake_admin(responses()) as fake:
        seen = cluster(fake)
        observation = seen.observe()
        assert run_once(seen, 60, as_json=True) == 0
    assert set(observation.topics) == set(EXPECTED.subscriptions)
    assert observation.functions == dict.fromkeys(sorted(EXPECTED.instances), status())
    figures = {path.partition("?")[2] for path, _ in fake.requested if "/stats" in path}
    assert figures == {"getPreciseBacklog=true&subscriptionBacklogSize=true&getEarliestTimeInBacklog=true"}
    assert len(fake.requested) > 100
    assert len(fake.connections) <= 16, "each of 8 threads keeps one to the broker, one to the functions worker"


def test_what_the_repository_does_not_have_is_looked_at_too_but_not_pulsars_own() -> None:
    answers = responses()
    foreign = ["x y", "partido-partition-0", "partido-partition-1", "__change_events"]
    answers[f"{TOPICS}/otro"] = (200, [f"persistent://monoliticas/otro/{topic}" for topic in foreign])
    answers[f"{TOPICS}/otro/partitioned"] = (200, ["persistent://monoliticas/otro/partido"])
    answers[f"{TOPICS}/otro/x%20y/stats"] = (200, stats("s", msgInCounter=3))
    answers[f"{TOPICS}/otro/partido/partitioned-stats"] = (200, stats("t", msgInCounter=4))
    answers[f"{FUNCTIONS}/otro"] = (200, ["ajena"])
    answers[f"{FUNCTIONS}/otro/ajena/status"] = (500, {"reason": "a bug"})
    with fake_admin(answers) as fake:
        observation = cluster(fake).observe()
        problem = f"{fake.url}{FUNCTIONS}/otro/ajena/status answers HTTP 500: a bug"
    added = {topic: seen for topic, seen in observation.topics.items() if topic not in EXPECTED.subscriptions}
    assert added == {"otro/x y": stats("s", msgInCounter=3), "otro/partido": stats("t", msgInCounter=4)}
    assert observation.functions["otro/ajena"] == problem


def test_a_tenant_that_is_not_there_misses_everything() -> None:
    with fake_admin() as fake:
        observation = cluster(fake).observe()
    assert observation.topics == dict.fromkeys(sorted(EXPECTED.subscriptions))
    assert observation.functions == dict.fromkeys(sorted(EXPECTED.instances))


def test_without_the_functions_worker_topics_are_looked_at_and_without_the_broker_nothing() -> None:
    with fake_admin(responses()) as fake:
        with fake_admin({f"{FUNCTIONS}/conductores": (409, {"reason": "Function Worker is not enabled"})}) as worker:
            observation = cluster(fake, worker).observe()
        assert observation.worker_error.endswith("answers HTTP 409: Function Worker is not enabled")
        assert None not in observation.topics.values()
        with pytest.raises(AdminUnavailable, match="does not answer"):
            cluster(worker, fake).observe()
        assert run_once(cluster(worker, fake), 60, as_json=False) == 3


@pytest.mark.parametrize(
    ("ledgers", "last", "since"),
    [
        ([(7, 0)], "7:-1", (-1, -1)),  # nothing was ever published
        ([(7, 0)], "7:4", (-1, -1)),
        ([(7, 0)], "7:99", (7, 89)),
        ([(3, 50), (7, 0)], "7:3", (3, 43)),
        ([(3, 50), (5, 2), (7, 0)], "7:3", (3, 45)),
        ([(3, 6), (7, 0)], "7:3", (3, -1)),
        ([(3, 50), (7, 0)], "3:49", (3, 39)),
    ],
)
def test_a_topics_newest_entries_begin_in_the_ledger_that_still_has_them(
    ledgers: list[tuple[int, int]], last: str, since: tuple[int, int]
) -> None:
    internal_stats = {"ledgers": [{"ledgerId": n, "entries": e} for n, e in ledgers], "lastConfirmedEntry": last}
    position = start_position(internal_stats, 10)
    assert (position.ledger_id(), position.entry_id()) == since


def test_messages_of_a_topic_with_partitions_are_not_shown_and_that_is_said() -> None:
    with fake_admin({f"{TOPICS}/a/b/internalStats": NOT_FOUND}) as fake:
        message_source = ClusterMessages(pulsar.Client("pulsar://127.0.0.1:1"), Api(fake.url, {}))
        with pytest.raises(AdminUnavailable, match="a/b is missing, or has partitions"):
            next(iter(message_source.by_topic("a/b", lambda: True)))
        message_source.close()
