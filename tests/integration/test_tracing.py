"""One order's whole trace, from the request to the projections, as a collector of OpenTelemetry gets it."""

import sys

import pytest

from bff.app import create_app
from functions.messages.outgoing import Outgoing
from functions.telemetry import spans
from tests.support.collector import assert_span_chain, running_collector
from tests.support.data import make_producto
from tests.support.fakes import FakeReadModels
from tests.support.platform import Platform
from tests.support.world import World

INCOMING_TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ROUTE = {
    "ordenes/crear-orden": "ordenes/comando-crear-orden",
    "productos/disminuir-stock": "productos/comando-disminuir-stock",
    "ordenes/revertir-orden-creada": "ordenes/comando-revertir-orden-creada",
}
"""What an order of an unknown product goes through: function, and the topic of what it takes."""


class WorldPublisher:
    """Publishes for the BFF."""

    def __init__(self, world: World) -> None:
        self._world = world

    def publish(self, message: Outgoing) -> None:
        self._world.broker.save(message.topic, message.raw, dict(message.properties))

    def check(self) -> None: ...


def request(world: World, traceparent: str) -> None:
    """One order of a product that there is not, until its saga has ended."""
    tracer = spans.connect("bff")
    app = create_app(WorldPublisher(world), FakeReadModels(), tracer=tracer)
    body = {
        "id_producto": str(make_producto().id_producto),
        "user_id": "ana",
        "cantidad": 2,
        "direccion_entrega": "Calle 45",
    }
    assert app.test_client().post("/orders", json=body, headers={"traceparent": traceparent}).status_code == 202
    world.run()
    world.close()
    if tracer:
        tracer.close()


def test_every_step_of_an_order_is_a_child_of_what_caused_it(
    databases: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_collector() as (collected, address):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        request(World(databases), INCOMING_TRACEPARENT)
    assert_span_chain(collected.spans, INCOMING_TRACEPARENT, ROUTE)


def test_a_trace_that_nobody_records_is_not_exported(databases: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_collector() as (collected, address):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        request(World(databases), INCOMING_TRACEPARENT.removesuffix("01") + "00")
    assert collected.spans == []


def test_without_a_collector_there_is_no_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in spans.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert spans.connect("bff") is None


def test_packages_that_are_missing_are_said_so_and_nothing_else_happens(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert spans.connect("bff") is None
    assert "pip install opentelemetry-sdk" in caplog.text
