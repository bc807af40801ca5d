"""From nothing to the first order that has ended, and the same for a platform that was down."""

import time
from collections.abc import Callable
from typing import Any

from tests.load.figures import log
from tests.support.platform import Platform, wait_for


def fresh_start(platform: Platform) -> dict[str, float]:
    """Seconds of each step; what was downloaded before is not downloaded again."""
    steps: dict[str, float] = {}
    _measure_step(steps, "up", lambda: platform.local("up"))
    _measure_step(steps, "deploy", platform.deploy)
    _measure_step(steps, "first order", lambda: first_orden(platform))
    return steps | {"total": sum(steps.values())}


def again(platform: Platform) -> dict[str, float]:
    """The same platform: stopped, and started again."""
    steps: dict[str, float] = {}
    _measure_step(steps, "down", lambda: platform.local("down"))
    _measure_step(steps, "up again", lambda: platform.local("up"))
    _measure_step(steps, "first order again", lambda: first_orden(platform))
    return steps


def _measure_step(steps: dict[str, float], name: str, action: Callable[[], object]) -> None:
    log(f"{name} …")
    started_at = time.monotonic()
    action()
    steps[name] = time.monotonic() - started_at


def first_orden(platform: Platform) -> Any:
    """A product, a driver and an order, over HTTP; the order as it ended."""
    status, producto, _ = platform.request("POST", "/productos", {"nombre": "Primero", "stock": 1})
    assert status == 202, producto
    status, conductor, _ = platform.request("POST", "/conductores", {"nombre": "Ana"})
    assert status == 202, conductor
    query = "select 1 from conductores where id_conductor = cast(:id as uuid)"
    wait_for("the driver", lambda: platform.sql("conductores", query, id=conductor["id_conductor"]))
    wait_for("the product", lambda: platform.request("GET", f"/productos/{producto['id']}")[0] == 200)
    fields = {"id_producto": producto["id"], "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45"}
    status, orden, _ = platform.request("POST", "/orders", fields, Prefer="wait=10")
    assert (status, orden.get("estado")) == (200, "iniciada"), orden
    return orden
