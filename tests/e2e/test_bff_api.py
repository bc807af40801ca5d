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
from functions.comun.traza import PROPIEDAD, Traza, leer
from tests.e2e.dlq_helpers import dlq, publicar
from tests.e2e.test_saga import BIEN, crear_producto, final, registrar_conductores
from tests.e2e.test_testers import todas
from tests.plataforma import Plataforma, esperar

pytestmark = pytest.mark.e2e

SECRETO = "un-secreto-de-pruebas-de-32-bytes"


def orden_de(id_producto: str, **otros: Any) -> dict[str, Any]:
    return {"id_producto": id_producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45", **otros}


def test_every_message_that_a_request_leads_to_is_in_its_trace(platform: Plataforma) -> None:
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    for traza, cantidad in ((uuid4().hex, 1), (uuid4().hex, 2)):  # the second one is compensated
        traceparent = f"00-{traza}-00f067aa0ba902b7-01"
        pedido = orden_de(id_producto, cantidad=cantidad)
        _, aceptada, cabeceras = platform.pedir("POST", "/orders", pedido, traceparent=traceparent)
        assert cabeceras["X-Request-Id"] == traza
        final(platform, aceptada["id_orden"])
        mensajes = todas(platform, "--order", aceptada["id_orden"], "--json")
        assert {mensaje["topic"] for mensaje in mensajes} >= {"ordenes/comando-crear-orden", "ordenes/evento-orden"}
        assert len(mensajes) >= 5
        assert {leer(m["properties"].get(PROPIEDAD)) for m in mensajes} == {Traza(traza, "01")}
        assert len({m["properties"][PROPIEDAD] for m in mensajes}) == len(mensajes), "each is a span of its own"


def test_a_request_without_a_trace_begins_one(platform: Plataforma) -> None:
    _, aceptada, cabeceras = platform.pedir("POST", "/orders", orden_de(str(uuid4())))
    final(platform, aceptada["id_orden"])
    mensajes = todas(platform, "--order", aceptada["id_orden"], "--json")
    assert {leer(m["properties"].get(PROPIEDAD)) for m in mensajes} == {Traza(cabeceras["X-Request-Id"])}


def eventos(platform: Plataforma, id_orden: str, ultimo: str = "") -> Iterator[tuple[str, str, Any]]:
    """Id, name and data of each event, as it comes."""
    conexion = HTTPConnection(urlparse(platform.bff_url).netloc, timeout=15)
    conexion.request("GET", f"/orders/{id_orden}/events", headers={"Last-Event-ID": ultimo} if ultimo else {})
    respuesta = conexion.getresponse()
    assert (respuesta.status, respuesta.headers["Content-Type"].partition(";")[0]) == (200, "text/event-stream")
    campos: dict[str, str] = {}
    for linea in respuesta:
        nombre, _, valor = linea.decode().rstrip("\n").partition(": ")
        campos[nombre] = valor
        if not nombre and "data" in campos:
            yield campos["id"], campos["event"], json.loads(campos["data"])
            campos = {}
    conexion.close()


def test_a_saga_is_followed_live_and_resumed_where_the_connection_broke(platform: Plataforma) -> None:
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    _, aceptada, _ = platform.pedir("POST", "/orders", orden_de(id_producto))
    id_orden = aceptada["id_orden"]
    ultimo, nombre, paso = next(eventos(platform, id_orden))
    assert (nombre, paso["evento"]) == ("paso", "comando-crear-orden")
    resto = list(eventos(platform, id_orden, ultimo))
    assert [nombre for _, nombre, _ in resto] == ["paso"] * 3 + ["orden"]
    assert {paso["evento"], *(datos.get("evento") for _, _, datos in resto[:-1])} == set(BIEN)
    assert resto[-1][2] == platform.pedir("GET", f"/orders/{id_orden}")[1]
    assert resto[-1][2]["estado"] == "iniciada"
    with pytest.raises(AssertionError, match="204"):
        next(eventos(platform, id_orden, resto[-1][0]))


@contextmanager
def bff_con(platform: Plataforma, **entorno: str) -> Iterator[None]:
    """The BFF with other settings; as before afterwards."""
    antes = dict(platform.entorno)
    try:
        platform.entorno.update(entorno)
        platform.local("restart", "bff")
        yield
    finally:
        platform.entorno.clear()
        platform.entorno.update(antes)
        platform.local("restart", "bff")


def figuras(platform: Plataforma) -> dict[str, float]:
    """Sums over all labels."""
    conexion = HTTPConnection(urlparse(platform.bff_url).netloc, timeout=15)
    conexion.request("GET", "/metrics")
    sumas: dict[str, float] = {}
    for familia in text_string_to_metric_families(conexion.getresponse().read().decode()):
        for muestra in familia.samples:
            sumas[muestra.name] = sumas.get(muestra.name, 0) + muestra.value
    return sumas


def test_several_workers_serve_as_one_and_outlive_one_of_them(platform: Plataforma) -> None:
    with bff_con(platform, BFF_WORKERS="3"):
        pid = services.pid(platform.data, "bff")
        assert pid is not None
        obreros = psutil.Process(pid).children()
        assert len(obreros) == 3
        id_producto = crear_producto(platform, 30)
        registrar_conductores(platform, 30)
        antes = figuras(platform)
        ordenes = [platform.pedir("POST", "/orders", orden_de(id_producto)) for _ in range(30)]
        assert {estado for estado, _, _ in ordenes} == {202}
        despues = figuras(platform)
        assert despues["bff_publish_seconds_count"] - antes["bff_publish_seconds_count"] == 30
        assert despues["bff_request_seconds_count"] - antes["bff_request_seconds_count"] == 31  # the scrape, too
        obreros[0].kill()
        esperar(
            "another worker",
            lambda: obreros[0] not in (vivos := psutil.Process(pid).children()) and len(vivos) == 3,
        )
        for _, aceptada, _ in ordenes:
            assert final(platform, aceptada["id_orden"])[0]["estado"] == "iniciada"
        assert figuras(platform)["bff_publish_seconds_count"] >= despues["bff_publish_seconds_count"]


def test_with_tokens_a_customer_places_and_sees_their_own_orders(platform: Plataforma) -> None:
    def token(sub: str, alcances: str) -> str:
        return f"Bearer {jwt.encode({'sub': sub, 'exp': time.time() + 600, 'scope': alcances}, SECRETO, 'HS256')}"

    cliente, otro = (token(quien, "ordenes:crear ordenes:leer") for quien in ("ana", "eva"))
    operador = token("root", "productos:administrar conductores:administrar")
    with bff_con(platform, BFF_JWT_SECRET=SECRETO):
        assert platform.pedir("POST", "/orders", orden_de(str(uuid4())))[0] == 401
        producto = {"nombre": "Té", "stock": 3}
        assert platform.pedir("POST", "/productos", producto, Authorization=cliente)[0] == 403
        _, nuevo, _ = platform.pedir("POST", "/productos", producto, Authorization=operador)
        ruta = f"/productos/{nuevo['id']}"
        esperar("the product", lambda: platform.pedir("GET", ruta, Authorization=cliente)[0] == 200)
        assert platform.pedir("POST", "/conductores", {}, Authorization=operador)[0] == 202
        pedido = orden_de(nuevo["id"])
        estado, orden, _ = platform.pedir("POST", "/orders", pedido, Authorization=cliente, Prefer="wait=10")
        assert (estado, orden["user_id"]) == (200, "ana")
        assert platform.pedir("POST", "/orders", pedido, Authorization=otro)[0] == 403
        ruta = f"/orders/{orden['id_orden']}"
        assert [platform.pedir("GET", ruta, Authorization=quien)[0] for quien in (cliente, otro)] == [200, 404]
        assert platform.pedir("GET", "/orders?limit=1000", Authorization=otro)[1] == []


def test_a_log_says_which_trace_a_quarantined_message_belongs_to(platform: Plataforma) -> None:
    traza = uuid4().hex
    publicar(platform, "ordenes/comando-crear-orden", b"basura", "x", traceparent=f"00-{traza}-00f067aa0ba902b7-00")
    registro = Path(platform.data, "logs", "functions")
    esperar("the log", lambda: any(traza in r.read_text() for r in registro.rglob("*crear-orden*.log*")))
    dlq(platform, "discard", "--function", "crear-orden", "--reason", "a test", "--yes")
