"""Orders on the whole platform: every path of the saga, and what is left when instances are killed."""

import json
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest

from tests.plataforma import Plataforma, esperar

pytestmark = pytest.mark.e2e

BIEN = ["comando-crear-orden", "comando-disminuir-stock", "comando-asignar-conductor", "comando-marcar-listo-despacho"]
SIN_CONDUCTOR = [*BIEN[:3], "comando-revertir-disminuir-stock", "comando-revertir-orden-creada"]
SIN_STOCK = [*BIEN[:2], "comando-revertir-orden-creada"]
DE_UNA_ORDEN = (
    "crear-orden",
    "disminuir-stock",
    "asignar-conductor",
    "marcar-listo-despacho",
    "revertir-disminuir-stock",
    "revertir-orden-creada",
    "proyectar-orden",
    "proyectar-producto",
    "registrar-saga",
)


def crear_producto(platform: Plataforma, stock: int) -> str:
    estado, cuerpo, _ = platform.pedir("POST", "/productos", {"nombre": "Té", "stock": stock})
    assert estado == 202
    esperar("the product", lambda: platform.pedir("GET", f"/productos/{cuerpo['id']}")[0] == 200)
    return str(cuerpo["id"])


def registrar_conductores(platform: Plataforma, cuantos: int) -> None:
    """Takes every free driver away, and registers as many."""
    platform.sql("conductores", "update conductores set libre = false")
    for _ in range(cuantos):
        assert platform.pedir("POST", "/conductores", {})[0] == 202
    libres = "select count(*) from conductores where libre"
    esperar("the drivers", lambda: platform.sql("conductores", libres) == [(cuantos,)])


def pedir_orden(platform: Plataforma, id_producto: str, cantidad: int = 1) -> str:
    campos = {"id_producto": id_producto, "user_id": "ana", "cantidad": cantidad, "direccion_entrega": "Calle 45"}
    estado, cuerpo, _ = platform.pedir("POST", "/orders", campos)
    assert estado == 202, cuerpo
    return str(cuerpo["id_orden"])


def final(platform: Plataforma, id_orden: str) -> Any:
    """The order's last state and its saga's steps, once both are complete."""
    pasos = {"iniciada": "comando-marcar-listo-despacho", "fallida": "comando-revertir-orden-creada"}

    def terminada() -> Any:
        estado, orden, _ = platform.pedir("GET", f"/orders/{id_orden}")
        if estado == 404 or orden["estado"] == "creada":
            return None
        estado, pasos_dichos, _ = platform.pedir("GET", f"/orders/{id_orden}/saga")
        if estado == 404:  # the log may be 20 ms behind, an order may end in less
            return None
        saga = [paso["evento"] for paso in pasos_dichos]
        return (orden, saga) if saga[-1] == pasos[orden["estado"]] else None

    return esperar(f"the end of order {id_orden}", terminada)


def stock(platform: Plataforma, id_producto: str) -> int:
    return int(platform.sql("productos", "select stock from productos where id = :id", id=id_producto)[0][0])


@pytest.mark.parametrize("tipo", ["application/json", "application/xml", "text/xml; charset=utf-8"])
def test_an_order_in_any_format_is_carried_to_iniciada(platform: Plataforma, tipo: str) -> None:
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    campos = {"id_producto": id_producto, "user_id": "ana", "cantidad": 2, "direccion_entrega": "Calle 45 # 13"}
    campos |= {"instrucciones_entrega": "Tocar el timbre"}
    xml = "<pedido>" + "".join(f"<{c}>{v}</{c}>" for c, v in campos.items()) + "</pedido>"
    estado, cuerpo, cabeceras = platform.pedir("POST", "/orders", json.dumps(campos) if "json" in tipo else xml, tipo)
    assert (estado, cuerpo["mssg"]) == (202, "Procesando mensaje")
    assert cabeceras["Location"] == f"/orders/{cuerpo['id_orden']}"
    orden, saga = final(platform, cuerpo["id_orden"])
    assert (orden["estado"], orden["cantidad"], orden["direccion_entrega"]) == ("iniciada", 2, "Calle 45 # 13")
    assert UUID(orden["id_driver"])
    assert orden["instrucciones_entrega"] == "Tocar el timbre"
    assert saga == BIEN
    assert stock(platform, id_producto) == 3


def test_who_prefers_to_wait_is_told_how_the_order_ended(platform: Plataforma) -> None:
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    campos = {"id_producto": id_producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45"}
    for esperado in ("iniciada", "fallida"):
        estado, orden, cabeceras = platform.pedir("POST", "/orders", campos, Prefer="wait=10")
        assert (estado, orden["estado"], cabeceras["Preference-Applied"]) == (200, esperado, "wait=10")
        assert platform.pedir("GET", cabeceras["Location"])[1] == orden


def test_without_stock_the_order_is_fallida(platform: Plataforma) -> None:
    id_producto = crear_producto(platform, 5)
    orden, saga = final(platform, pedir_orden(platform, id_producto, 6))
    assert (orden["estado"], orden["motivo"], orden["id_driver"]) == ("fallida", "stock insuficiente", None)
    assert saga == SIN_STOCK
    assert stock(platform, id_producto) == 5


def test_an_unknown_and_a_deleted_product_make_the_order_fallida(platform: Plataforma) -> None:
    orden, saga = final(platform, pedir_orden(platform, str(uuid4())))
    assert (orden["estado"], orden["motivo"], saga) == ("fallida", "producto desconocido", SIN_STOCK)
    id_producto = crear_producto(platform, 5)
    assert platform.pedir("DELETE", f"/productos/{id_producto}")[0] == 202
    esperar("the deletion", lambda: platform.pedir("GET", f"/productos/{id_producto}")[0] == 404)
    orden, saga = final(platform, pedir_orden(platform, id_producto))
    assert (orden["estado"], orden["motivo"], saga) == ("fallida", "producto eliminado", SIN_STOCK)


def test_without_a_driver_the_stock_is_given_back(platform: Plataforma) -> None:
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 0)
    orden, saga = final(platform, pedir_orden(platform, id_producto, 4))
    assert (orden["estado"], orden["motivo"], orden["id_driver"]) == ("fallida", "sin conductor libre", None)
    assert saga == SIN_CONDUCTOR
    assert stock(platform, id_producto) == 5


def test_killed_instances_lose_nothing_and_double_nothing(platform: Plataforma) -> None:
    id_producto = crear_producto(platform, 600)
    registrar_conductores(platform, 500)
    quedan = iter(random.Random(7).sample(DE_UNA_ORDEN, len(DE_UNA_ORDEN)))
    cada, cuenta, candado = 1000 // len(DE_UNA_ORDEN), [0], threading.Lock()

    def una(_: int) -> str:
        id_orden = pedir_orden(platform, id_producto)
        with candado:
            cuenta[0] += 1
            if cuenta[0] % cada == 0 and (funcion := next(quedan, None)):
                matar(platform, funcion)
        return id_orden

    with ThreadPoolExecutor(16) as clientes:
        ordenes = list(clientes.map(una, range(1000)))
    assert next(quedan, None) is None, "not every function was killed"
    comprobar(platform, ordenes, id_producto)


def matar(platform: Plataforma, funcion: str) -> None:
    """kill -9 of the function's instance; its replacement may just be starting."""
    proceso: psutil.Process = esperar(f"an instance of {funcion}", lambda: platform.instancias(funcion))[0]
    proceso.send_signal(signal.SIGKILL)


def comprobar(platform: Plataforma, ordenes: list[str], id_producto: str) -> None:
    """500 of the 1,000 orders have a driver, 500 are compensated, and every figure agrees."""
    de_estas = "id_orden = any(cast(:ids as uuid[]))"
    finales = f"select count(*) from ordenes where {de_estas} and estado <> 'creada'"
    esperar("the end of all orders", lambda: platform.sql("ordenes_lectura", finales, ids=ordenes) == [(1000,)], 120)

    estados = f"select estado, count(*) from ordenes where {de_estas} group by 1 order by 1"
    assert platform.sql("ordenes", estados, ids=ordenes) == [("fallida", 500), ("iniciada", 500)]
    assert stock(platform, id_producto) == 100
    reservado = f"select sum(cantidad) from reservas where {de_estas} and estado = 'reservada'"
    assert platform.sql("productos", reservado, ids=ordenes) == [(500,)]

    asignadas = f"select id_orden, id_conductor from asignaciones where {de_estas} and estado = 'asignada'"
    conductores = dict(platform.sql("conductores", asignadas, ids=ordenes))
    assert len(conductores) == len(set(conductores.values())) == 500
    con_conductor = f"select id_orden, id_driver from ordenes where {de_estas} and id_driver is not null"
    assert dict(platform.sql("ordenes", con_conductor, ids=ordenes)) == conductores

    sagas = f"select evento, count(*), count(distinct id_orden) from sagalog where {de_estas} group by 1"
    sin_conductor, sin_stock = (
        cuantas(platform, ordenes, "sin conductor libre"),
        cuantas(platform, ordenes, "stock insuficiente"),
    )
    assert sin_conductor + sin_stock == 500
    esperados = {
        "comando-crear-orden": 1000,
        "comando-disminuir-stock": 1000,
        "comando-asignar-conductor": 500 + sin_conductor,
        "comando-marcar-listo-despacho": 500,
        "comando-revertir-disminuir-stock": sin_conductor,
        "comando-revertir-orden-creada": 500,
    }
    completo = {evento: (numero, numero) for evento, numero in esperados.items() if numero}

    def registrado() -> dict[str, tuple[int, int]]:
        return {evento: (pasos, distintas) for evento, pasos, distintas in platform.sql("saga", sagas, ids=ordenes)}

    esperar("complete saga logs", lambda: registrado() == completo)
    ordenes_iguales = "select id_orden, estado, id_driver, motivo, version from ordenes order by 1"
    productos_iguales = "select id, nombre, stock, eliminado, version, fecha_actualizacion from productos order by 1"
    esperar("the read model of orders", lambda: iguales(platform, "ordenes", ordenes_iguales))
    esperar("the read model of products", lambda: iguales(platform, "productos", productos_iguales))


def cuantas(platform: Plataforma, ordenes: list[str], motivo: str) -> int:
    consulta = "select count(*) from ordenes where id_orden = any(cast(:ids as uuid[])) and motivo = :motivo"
    return int(platform.sql("ordenes", consulta, ids=ordenes, motivo=motivo)[0][0])


def iguales(platform: Plataforma, base: str, consulta: str) -> bool:
    return platform.sql(base, consulta) == platform.sql(f"{base}_lectura", consulta)
