"""One order's whole trace, from the request to the projections, as a collector of OpenTelemetry gets it."""

import sys

import pytest

from bff.app import crear_app
from functions.comun import rastreo
from functions.comun.codec import Publicacion
from tests.datos import un_producto
from tests.fakes import LecturasFalsas
from tests.mundo import Mundo
from tests.plataforma import Plataforma
from tests.recolector import exigir_cadena, recolector

LLEGA = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CAMINO = {
    "ordenes/crear-orden": "ordenes/comando-crear-orden",
    "productos/disminuir-stock": "productos/comando-disminuir-stock",
    "ordenes/revertir-orden-creada": "ordenes/comando-revertir-orden-creada",
}
"""What an order of an unknown product goes through: function, and the topic of what it takes."""


class AlMundo:
    """Publishes for the BFF."""

    def __init__(self, mundo: Mundo) -> None:
        self._mundo = mundo

    def publicar(self, mensaje: Publicacion) -> None:
        self._mundo.broker.guardar(mensaje.topic, mensaje.crudo, dict(mensaje.propiedades))

    def comprobar(self) -> None: ...


def pedir(mundo: Mundo, traceparent: str) -> None:
    """One order of a product that there is not, until its saga has ended."""
    rastros = rastreo.conectar("bff")
    app = crear_app(AlMundo(mundo), LecturasFalsas(), rastros=rastros)
    cuerpo = {
        "id_producto": str(un_producto().id_producto),
        "user_id": "ana",
        "cantidad": 2,
        "direccion_entrega": "Calle 45",
    }
    assert app.test_client().post("/orders", json=cuerpo, headers={"traceparent": traceparent}).status_code == 202
    mundo.correr()
    mundo.cerrar()
    if rastros:
        rastros.cerrar()


def test_every_step_of_an_order_is_a_child_of_what_caused_it(
    bases: Plataforma, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recolector() as (todo, direccion):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", direccion)
        pedir(Mundo(bases), LLEGA)
    exigir_cadena(todo.spans, LLEGA, CAMINO)


def test_a_trace_that_nobody_records_is_not_exported(bases: Plataforma, monkeypatch: pytest.MonkeyPatch) -> None:
    with recolector() as (todo, direccion):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", direccion)
        pedir(Mundo(bases), LLEGA.removesuffix("01") + "00")
    assert todo.spans == []


def test_without_a_collector_there_is_no_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in rastreo.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert rastreo.conectar("bff") is None


def test_packages_that_are_missing_are_said_so_and_nothing_else_happens(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert rastreo.conectar("bff") is None
    assert "pip install opentelemetry-sdk" in caplog.text
