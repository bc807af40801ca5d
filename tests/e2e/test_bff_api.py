"""The HTTP API on a whole platform: traces, live events, figures, several workers, tokens."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from uuid import uuid4

import jwt
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deployment.local import services
from functions.messages.trace import PROPERTY, Trace, parse
from tests.e2e.dlq_helpers import dlq, publish
from tests.e2e.test_saga import HAPPY_PATH, crear_producto, final, registrar_conductores
from tests.e2e.test_testers import read_all
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e

SECRET = "un-secreto-de-pruebas-de-32-bytes"


def orden_fields(id_producto: str, **extra: Any) -> dict[str, Any]:
    return {"id_producto": id_producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45", **extra}


def messages_of(platform: Platform, id_orden: str) -> list[Any]:
    """All messages about an order."""
    return wait_for("the messages", lambda: read_all(platform, "--order", id_orden, "--json"))


def test_every_message_that_a_request_leads_to_is_in_its_trace(platform: Platform) -> None:
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    for trace, cantidad in ((uuid4().hex, 1), (uuid4().hex, 2)):  # the second one is compensated
        traceparent = f"00-{trace}-00f067aa0ba902b7-01"
        request = orden_fields(id_producto, cantidad=cantidad)
        _, accepted, headers = platform.request("POST", "/orders", request, traceparent=traceparent)
        assert headers["X-Request-Id"] == trace
        final(platform, accepted["id_orden"])
        messages = messages_of(platform, accepted["id_orden"])
        assert {message["topic"] for message in messages} >= {"ordenes/comando-crear-orden", "ordenes/evento-orden"}
        assert len(messages) >= 5
        assert {parse(m["properties"].get(PROPERTY)) for m in messages} == {Trace(trace, "01")}
        assert len({m["properties"][PROPERTY] for m in messages}) == len(messages), "each is a span of its own"


def test_a_request_without_a_trace_begins_one(platform: Platform) -> None:
    _, accepted, headers = platform.request("POST", "/orders", orden_fields(str(uuid4())))
    final(platform, accepted["id_orden"])
    messages = messages_of(platform, accepted["id_orden"])
    assert {parse(m["properties"].get(PROPERTY)) for m in messages} == {Trace(headers["X-Request-Id"])}


def events(platform: Platform, id_orden: str, last_id: str = "") -> Iterator[tuple[str, str, Any]]:
    """Id, name and data of each event, as it comes."""
    connection = HTTPConnection(urlparse(platform.bff_url).netloc, timeout=15)
    connection.request("GET", f"/orders/{id_orden}/events", headers={"Last-Event-ID": last_id} if last_id else {})
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Type"].partition(";")[0]) == (200, "text/event-stream")
    fields: dict[str, str] = {}
    for line in response:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        fields[name] = value
        if not name and "data" in fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}
    connection.close()


def test_a_saga_is_followed_live_and_resumed_where_the_connection_broke(platform: Platform) -> None:
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    _, accepted, _ = platform.request("POST", "/orders", orden_fields(id_producto))
    id_orden = accepted["id_orden"]
    last_id, name, step = next(events(platform, id_orden))
    assert (name, step["evento"]) == ("paso", "comando-crear-orden")
    rest = list(events(platform, id_orden, last_id))
    assert [name for _, name, _ in rest] == ["paso"] * 3 + ["orden"]
    assert {step["evento"], *(data.get("evento") for _, _, data in rest[:-1])} == set(HAPPY_PATH)
    assert rest[-1][2] == platform.request("GET", f"/orders/{id_orden}")[1]
    assert rest[-1][2]["estado"] == "iniciada"
    with pytest.raises(AssertionError, match="204"):
        next(events(platform, id_orden, rest[-1][0]))


@contextmanager
def bff_with(platform: Platform, **env: str) -> Iterator[None]:
    """The BFF with other settings; as before afterwards."""
    before = dict(platform.env)
    try:
        platform.env.update(env)
        platform.local("restart", "bff")
        yield
    finally:
        platform.env.clear()
        platform.env.update(before)
        platform.local("restart", "bff")


def metric_totals(platform: Platform) -> dict[str, float]:
    """Sums over all labels."""
    connection = HTTPConnection(urlparse(platform.bff_url).netloc, timeout=15)
    connection.request("GET", "/metrics")
    totals: dict[str, float] = {}
    for family in text_string_to_metric_families(connection.getresponse().read().decode()):
        for sample in family.samples:
            totals[sample.name] = totals.get(sample.name, 0) + sample.value
    return totals


def test_several_workers_serve_as_one_and_outlive_one_of_them(platform: Platform) -> None:
    with bff_with(platform, BFF_WORKERS="3"):
        pid = services.pid(platform.data, "bff")
        assert pid is not None
        workers = psutil.Process(pid).children()
        assert len(workers) == 3
        id_producto = crear_producto(platform, 30)
        registrar_conductores(platform, 30)
        before = metric_totals(platform)
        ordenes = [platform.request("POST", "/orders", orden_fields(id_producto)) for _ in range(30)]
        assert {status for status, _, _ in ordenes} == {202}
        after = metric_totals(platform)
        assert after["bff_publish_seconds_count"] - before["bff_publish_seconds_count"] == 30
        assert after["bff_request_seconds_count"] - before["bff_request_seconds_count"] == 31  # the scrape, too
        workers[0].kill()
        wait_for(
            "another worker",
            lambda: workers[0] not in (running := psutil.Process(pid).children()) and len(running) == 3,
        )
        for _, accepted, _ in ordenes:
            assert final(platform, accepted["id_orden"])[0]["estado"] == "iniciada"
        assert metric_totals(platform)["bff_publish_seconds_count"] >= after["bff_publish_seconds_count"]


def test_with_tokens_a_customer_places_and_sees_their_own_orders(platform: Platform) -> None:
    def token(sub: str, scopes: str) -> str:
        return f"Bearer {jwt.encode({'sub': sub, 'exp': time.time() + 600, 'scope': scopes}, SECRET, 'HS256')}"

    nobody = str(uuid4())  # has no orders, whatever other tests have sent
    client, other = (token(who, "ordenes:crear ordenes:leer") for who in ("ana", nobody))
    operator_token = token("root", "productos:administrar conductores:administrar")
    with bff_with(platform, BFF_JWT_SECRET=SECRET):
        assert platform.request("POST", "/orders", orden_fields(str(uuid4())))[0] == 401
        producto = {"nombre": "Té", "stock": 3}
        assert platform.request("POST", "/productos", producto, Authorization=client)[0] == 403
        _, new, _ = platform.request("POST", "/productos", producto, Authorization=operator_token)
        path = f"/productos/{new['id']}"
        wait_for("the product", lambda: platform.request("GET", path, Authorization=client)[0] == 200)
        assert platform.request("POST", "/conductores", {}, Authorization=operator_token)[0] == 202
        request = orden_fields(new["id"])
        status, orden, _ = platform.request("POST", "/orders", request, Authorization=client, Prefer="wait=10")
        assert (status, orden["user_id"]) == (200, "ana")
        assert platform.request("POST", "/orders", request, Authorization=other)[0] == 403
        path = f"/orders/{orden['id_orden']}"
        assert [platform.request("GET", path, Authorization=who)[0] for who in (client, other)] == [200, 404]
        assert platform.request("GET", "/orders?limit=1000", Authorization=other)[1] == []


def test_a_log_says_which_trace_a_quarantined_message_belongs_to(platform: Platform) -> None:
    trace = uuid4().hex
    publish(platform, "ordenes/comando-crear-orden", b"basura", "x", traceparent=f"00-{trace}-00f067aa0ba902b7-00")
    log_folder = Path(platform.data, "logs", "functions")
    wait_for("the log", lambda: any(trace in r.read_text() for r in log_folder.rglob("*crear-orden*.log*")))
    dlq(platform, "discard", "--function", "crear-orden", "--reason", "a test", "--yes")
