"""A secured cluster: orders, roles and tokens on it. What needs long is in `make chaos ARGS=--cluster`."""

import json
import random
import ssl
import time
from http.client import HTTPSConnection
from typing import Final

import psutil
import pulsar
import pytest
from tools.grants import model

from deployment.local import services
from deployment.local.cluster import nodes, tokens
from tests.chaos import load
from tests.support.cluster import ClusterPlatform
from tests.support.platform import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PATIENCE: Final = 120.0
"""So long a client goes on, in s."""
LIFETIME: Final = 60
"""Of a token that ends within a test, in s: long enough for a slow machine to use it before."""


@pytest.fixture(scope="module")
def producto(cluster: ClusterPlatform) -> str:
    """A product with stock, and drivers, for all tests."""
    return load.prepare_ample(cluster, 50).orderable[0]


def place(cluster: ClusterPlatform, producto: str) -> str:
    """The state in which an order's saga ends; the client repeats what gets no answer, or 503."""
    client = cluster.patient(PATIENCE)
    fields = {"id_producto": producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45"}
    status, body, _ = client.request("POST", "/orders", fields)
    assert status == 202, body

    def ended() -> str | None:
        status, orden, _ = client.request("GET", f"/orders/{body['id_orden']}")
        return orden["estado"] if status == 200 and orden["estado"] != "creada" else None

    return str(wait_for("the end of the saga", ended))


def test_an_order_goes_through_all_nodes(cluster: ClusterPlatform, producto: str) -> None:
    assert place(cluster, producto) == "iniciada"


def test_each_function_works_with_the_token_of_its_own_role(cluster: ClusterPlatform) -> None:
    for role in model.roles():
        if name := role.partition("function-")[2]:
            (instance,) = cluster.instances(name)
            command = instance.cmdline()
            given = command[command.index("--client_auth_params") + 1]
            assert given == f"file://{tokens.file(cluster.data, role)}"


def test_whoever_shows_no_token_gets_nothing(cluster: ClusterPlatform) -> None:
    for kind, port, path in (
        ("broker", 1, "/admin/v2/clusters"),
        ("functions-worker", 0, "/admin/v3/functions/monoliticas/ordenes"),
        ("bff", 0, "/orders"),
    ):
        for name in nodes.of_kind(kind):
            address = cluster.settings.address(name)
            connection = HTTPSConnection(address, nodes.PORTS[kind][port], context=cluster.tls, timeout=30)
            connection.request("GET", path)
            assert connection.getresponse().status == 401, name
            connection.close()


def test_nobody_trusts_another_authority(cluster: ClusterPlatform) -> None:
    address, port = cluster.settings.address("broker-1"), nodes.PORTS["broker"][1]
    connection = HTTPSConnection(address, port, context=ssl.create_default_context(), timeout=30)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/admin/v2/clusters")


def test_tokens_rotate_while_everything_runs(cluster: ClusterPlatform, producto: str) -> None:
    cluster.local("rotate", "--hours", str(LIFETIME / 3600))
    expired = time.monotonic() + LIFETIME
    try:
        # what connects anew now, does it with a token that lasts no longer than this test
        for process in (psutil.Process(services.pid(cluster.data, "bff-1")), *cluster.instances("disminuir-stock")):
            process.kill()
        cluster.local("up", "bff-1")
        wait_for("another instance", lambda: cluster.instances("disminuir-stock"))
        assert place(cluster, producto) == "iniciada"
    finally:
        cluster.local("rotate")
    (before,) = cluster.instances("disminuir-stock")
    # brokers look for expired tokens every ten seconds
    wait_for("the end of the old tokens", lambda: time.monotonic() > expired + 12)
    for _ in nodes.of_kind("bff"):
        assert place(cluster, producto) == "iniciada"
    assert cluster.instances("disminuir-stock") == [before]


def test_an_expired_token_opens_nothing(cluster: ClusterPlatform) -> None:
    tokens.write(cluster.data, -1)
    try:
        client = cluster.client("operator", operation_timeout_seconds=5)
        with pytest.raises(pulsar.PulsarException):
            client.create_producer("persistent://monoliticas/ordenes/comando-crear-orden")
        client.close()
    finally:
        cluster.local("rotate")


def test_the_replica_of_postgresql_takes_over(cluster: ClusterPlatform, producto: str) -> None:
    assert place(cluster, producto) == "iniciada"
    (primary,) = cluster.of_kind("postgres")
    psutil.Process(services.pid(cluster.data, primary)).kill()
    cluster.local("promote")
    assert place(cluster, producto) == "iniciada"
    cluster.local("up")
    status = json.loads(cluster.local("status", "--json"))
    assert {service["state"] for service in status["services"]} == {"ready"}
    assert cluster.of_kind("postgres") != [primary]
    assert place(cluster, producto) == "iniciada"


@pytest.mark.parametrize("kind", ["bookie", "broker", "functions-worker", "bff"])
def test_orders_survive_the_loss_of_a_node(cluster: ClusterPlatform, producto: str, kind: str) -> None:
    lost = random.choice(nodes.of_kind(kind))
    psutil.Process(services.pid(cluster.data, lost)).kill()
    try:
        assert place(cluster, producto) == "iniciada"
    finally:
        cluster.local("up", lost)
