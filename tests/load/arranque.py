"""From nothing to the first order that has ended, and the same for a platform that was down."""

import time
from collections.abc import Callable
from typing import Any

from tests.load.cifras import decir
from tests.plataforma import Plataforma, esperar


def nueva(platform: Plataforma) -> dict[str, float]:
    """Seconds of each step; what was downloaded before is not downloaded again."""
    pasos: dict[str, float] = {}
    _cronometrar(pasos, "up", lambda: platform.local("up"))
    _cronometrar(pasos, "deploy", platform.desplegar)
    _cronometrar(pasos, "first order", lambda: primera_orden(platform))
    return pasos | {"total": sum(pasos.values())}


def otra_vez(platform: Plataforma) -> dict[str, float]:
    """The same platform: stopped, and started again."""
    pasos: dict[str, float] = {}
    _cronometrar(pasos, "down", lambda: platform.local("down"))
    _cronometrar(pasos, "up again", lambda: platform.local("up"))
    _cronometrar(pasos, "first order again", lambda: primera_orden(platform))
    return pasos


def _cronometrar(pasos: dict[str, float], nombre: str, accion: Callable[[], object]) -> None:
    decir(f"{nombre} …")
    comienzo = time.monotonic()
    accion()
    pasos[nombre] = time.monotonic() - comienzo


def primera_orden(platform: Plataforma) -> Any:
    """A product, a driver and an order, over HTTP; the order as it ended."""
    estado, producto, _ = platform.pedir("POST", "/productos", {"nombre": "Primero", "stock": 1})
    assert estado == 202, producto
    estado, conductor, _ = platform.pedir("POST", "/conductores", {"nombre": "Ana"})
    assert estado == 202, conductor
    consulta = "select 1 from conductores where id_conductor = cast(:id as uuid)"
    esperar("the driver", lambda: platform.sql("conductores", consulta, id=conductor["id_conductor"]))
    esperar("the product", lambda: platform.pedir("GET", f"/productos/{producto['id']}")[0] == 200)
    campos = {"id_producto": producto["id"], "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45"}
    estado, orden, _ = platform.pedir("POST", "/orders", campos, Prefer="wait=10")
    assert (estado, orden.get("estado")) == (200, "iniciada"), orden
    return orden
