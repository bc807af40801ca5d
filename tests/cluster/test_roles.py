"""What each role may do on a real cluster, and that everything else is refused: every role, topic and action."""

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from itertools import groupby
from typing import Any

import pulsar
import pytest

from deployment.local.cluster import nodes, tokens
from tests.support import role_matrix
from tests.support.cluster import ClusterPlatform
from tests.support.role_matrix import Access, Administering

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def is_refused(client: pulsar.Client, row: Access) -> bool:
    """Whether the broker does not let the role do it. What it has no schema for, it lets it do, as far as rights go."""
    try:
        if row.action == "produce":
            client.create_producer(row.topic).close()
        else:
            client.create_reader(row.topic, pulsar.MessageId.latest).close()
    except pulsar.AuthorizationError:
        return True
    except pulsar.IncompatibleSchema:
        return False
    return False


def wrong_rows(cluster: ClusterPlatform, role: str, rows: list[Access]) -> list[str]:
    """What a role may do and is refused, or may not do and is let."""
    client = cluster.client(role)
    try:
        return [str(row) for row in rows if is_refused(client, row) == row.allowed]
    finally:
        client.close()


def test_each_role_may_use_the_topics_that_it_needs_and_no_others(cluster: ClusterPlatform) -> None:
    rows = {role: list(group) for role, group in groupby(role_matrix.access(), lambda row: row.role)}
    with ThreadPoolExecutor(4) as pool:
        wrong = pool.map(lambda role: wrong_rows(cluster, role, rows[role]), rows)
        assert [row for found in wrong for row in found] == []
    assert len(rows) == len(tokens.roles())


def administer(cluster: ClusterPlatform, row: Administering) -> int:
    """The HTTP status of a request with the role's token."""
    kind, port = ("functions-worker", 0) if row.at_worker else ("broker", 1)
    address = cluster.settings.address(nodes.of_kind(kind)[0]), nodes.PORTS[kind][port]
    for _ in range(3):
        connection = HTTPSConnection(*address, context=cluster.tls, timeout=60)
        token = tokens.file(cluster.data, row.role).read_text()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body: Any = None if row.body is None else json.dumps(row.body)
        connection.request(row.method, row.path, body, headers)
        response = connection.getresponse()
        location = response.getheader("Location", "")
        connection.close()
        if response.status != 307:
            break
        address = location.split("/")[2].split(":")[0], nodes.PORTS[kind][port]  # the broker that has the topic
    return response.status


def test_only_administrators_administer(cluster: ClusterPlatform) -> None:
    wrong = [
        (row, status)
        for row in role_matrix.administering()
        if ((status := administer(cluster, row)) in (401, 403)) == row.allowed or status >= 500
    ]
    assert wrong == []


def test_a_subscription_is_for_its_function_only(cluster: ClusterPlatform) -> None:
    """Of topics that several functions read: the role of one at the subscription of another."""
    consuming = {(row.role, row.topic) for row in role_matrix.access() if row.action == "consume" and row.allowed}
    rows = [row for row in role_matrix.subscribing() if not row.allowed and (row.role, row.topic) in consuming]
    assert rows
    for row in rows:
        client = cluster.client(row.role)
        with pytest.raises(pulsar.AuthorizationError):
            client.subscribe(row.topic, row.subscription, pulsar.ConsumerType.Shared)
        client.close()
