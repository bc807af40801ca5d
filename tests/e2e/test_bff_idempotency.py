"""Many clients with the same Idempotency-Key, and a BFF that dies in between: one order, one product."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any
from uuid import uuid4

import psutil
import pytest

from deployment.local import services
from tests.e2e.test_saga import crear_producto, final, registrar_conductores, stock
from tests.plataforma import Plataforma, esperar

pytestmark = pytest.mark.e2e

CLIENTES = 50


def a_la_vez(platform: Plataforma, ruta: str, cuerpo: object, clave: str) -> list[Any]:
    """What CLIENTES clients are answered; nothing from a BFF that is gone."""

    def pedir(_numero: int) -> Any:
        try:
            estado, respuesta, _ = platform.pedir("POST", ruta, cuerpo, Idempotency_Key=clave)
        except (OSError, HTTPException):
            return None
        assert estado in (202, 503), respuesta
        return respuesta if estado == 202 else None

    with ThreadPoolExecutor(CLIENTES) as hilos:
        return [respuesta for respuesta in hilos.map(pedir, range(CLIENTES)) if respuesta is not None]


def matar_bff(platform: Plataforma) -> None:
    pid = services.pid(platform.data, "bff")
    assert pid is not None
    psutil.Process(pid).kill()
    platform.local("up")
    esperar("the BFF", lambda: platform.pedir("GET", "/health")[0] == 200)


def test_fifty_clients_with_one_key_make_one_order_even_when_the_bff_dies(platform: Plataforma) -> None:
    id_producto = crear_producto(platform, 100)
    registrar_conductores(platform, 5)
    clave = str(uuid4())
    orden = {"id_producto": id_producto, "user_id": clave, "cantidad": 2, "direccion_entrega": "Calle 45"}
    respuestas = a_la_vez(platform, "/orders", orden, clave)
    assert len(respuestas) == CLIENTES
    matar_bff(platform)
    respuestas += a_la_vez(platform, "/orders", orden, clave)
    (id_orden,) = {respuesta["id_orden"] for respuesta in respuestas}
    assert all(respuesta == respuestas[0] for respuesta in respuestas)
    hecha, _ = final(platform, id_orden)
    assert hecha["estado"] == "iniciada"
    assert stock(platform, id_producto) == 98
    assert platform.sql("ordenes", "select count(*) from ordenes where user_id = :u", u=clave) == [(1,)]
    estado, problema, _ = platform.pedir("POST", "/orders", orden | {"cantidad": 3}, Idempotency_Key=clave)
    assert (estado, "cantidad" in problema["detail"]) == (422, True)


def test_different_orders_under_one_key_at_once_make_one_of_them_and_nothing_mixed(platform: Plataforma) -> None:
    id_producto = crear_producto(platform, 100)
    registrar_conductores(platform, 5)
    clave = str(uuid4())

    def pedir(cantidad: int) -> Any:
        orden = {"id_producto": id_producto, "user_id": f"{clave}/{cantidad}", "cantidad": cantidad}
        campos = orden | {"direccion_entrega": f"Calle {cantidad}"}
        return platform.pedir("POST", "/orders", campos, Idempotency_Key=clave)

    with ThreadPoolExecutor(8) as hilos:
        respuestas = list(hilos.map(pedir, range(1, 9)))
    (id_orden,) = {cuerpo["id_orden"] for estado, cuerpo, _ in respuestas if estado == 202}
    assert {estado for estado, _, _ in respuestas} <= {202, 422}
    hecha, _ = final(platform, id_orden)
    cantidad = hecha["cantidad"]
    assert (hecha["user_id"], hecha["direccion_entrega"]) == (f"{clave}/{cantidad}", f"Calle {cantidad}")
    assert stock(platform, id_producto) == 100 - cantidad
