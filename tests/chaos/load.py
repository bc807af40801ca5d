"""Customers: orders and drivers at a steady rate, whatever happens; people who cancel, dispatch, deliver and bring
orders back, adjust the stock, rename and retire drivers; and somebody who watches them end.

Longer than 200 lines: whoever takes part is one look.
"""

import random
import threading
import time
from dataclasses import dataclass
from http.client import HTTPException
from json import JSONDecodeError
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError

from tests.chaos.log import Log
from tests.support.platform import Platform, wait_for

CLIENTS: Final = 8
AMPLE_STOCK: Final = 1_000_000
SCARCE_STOCK: Final = 15
CONDUCTORES_PER_ORDEN: Final = 0.6
"""Fewer than are wanted, all the time: some orders are compensated, and their stock is given back."""
CHANGES: Final[dict[str, dict[str, str]]] = {
    "despacho": {},
    "entrega": {"recibido_por": "Eva"},
    "cancelacion": {},
    "devolucion": {"motivo": "nadie en casa"},
}
"""What somebody asks of orders that are there, possible or not, with the body."""
CHANGE_WEIGHTS: Final = (4, 4, 1, 1)
CHANGES_PER_ORDEN: Final = 1.5
ADJUSTMENTS: Final = (-1000 * AMPLE_STOCK, -3, -1, 1, 2, 5)
"""By how much somebody adjusts a stock; the first one is always refused, those below 0 may be."""
ADJUSTMENTS_PER_ORDEN: Final = 0.3
DRIVER_CHANGES_PER_ORDEN: Final = 0.1
RETIREMENTS: Final = 0.3
"""The part of the changes of drivers that retires them; the others are new names."""
POLL_INTERVAL: Final = 0.25
"""How often it is looked which orders have ended, in s."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The products that orders ask for."""

    initial_stock: dict[str, int]
    """Stock at the beginning."""
    orderable: list[str]
    weights: list[int]


def prepare(platform: Platform) -> Catalog:
    """Products with plenty, with too little, one that is deleted, and one that never was."""
    stocks = [AMPLE_STOCK] * 6 + [SCARCE_STOCK] * 4 + [AMPLE_STOCK]
    ids = [_crear_producto(platform, stock) for stock in stocks]
    wait_for("the products", lambda: all(platform.request("GET", f"/productos/{i}")[0] == 200 for i in ids))
    assert platform.request("DELETE", f"/productos/{ids[-1]}")[0] == 202
    wait_for("the deletion", lambda: platform.request("GET", f"/productos/{ids[-1]}")[0] == 404)
    weights = [12] * 6 + [5] * 4 + [4, 4]
    return Catalog(dict(zip(ids, stocks, strict=True)), [*ids, str(uuid4())], weights)


def prepare_ample(platform: Platform, ordenes: int) -> Catalog:
    """Products and drivers for so many orders and more: each can be fulfilled."""
    ids = [_crear_producto(platform, AMPLE_STOCK) for _ in range(3)]
    wait_for("the products", lambda: all(platform.request("GET", f"/productos/{i}")[0] == 200 for i in ids))
    drivers = """
        insert into conductores (id_conductor) select gen_random_uuid() from generate_series(1, :count)
        returning id_conductor::text, desde::text"""
    ids_conductor, times = zip(*platform.sql("conductores", drivers, count=ordenes), strict=True)
    read = """
        insert into conductores (id_conductor, estado, desde, version)
        select id_conductor, 'libre', desde, 1
        from unnest(cast(:ids as uuid[]), cast(:times as timestamptz[])) as told (id_conductor, desde)"""
    platform.sql("conductores_lectura", read, ids=list(ids_conductor), times=list(times))
    return Catalog(dict.fromkeys(ids, AMPLE_STOCK), ids, [1] * len(ids))


def _crear_producto(platform: Platform, stock: int) -> str:
    status, body, _ = platform.request("POST", "/productos", {"nombre": "Té", "stock": stock})
    assert status == 202, body
    return str(body["id"])


class LoadGenerator:
    """`rate` orders a second from CLIENTES threads until it is stopped; a client that had to wait skips what it
    missed. With `changes`, orders go on after their sagas."""

    def __init__(self, platform: Platform, log: Log, catalog: Catalog, rate: float, seed: int, changes: bool = False):
        self._platform = platform
        self._changes_per_orden = CHANGES_PER_ORDEN if changes else 0.0
        self._log = log
        self._catalog = catalog
        self._period = CLIENTS / rate
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._client, args=(i, random.Random(f"{seed}/{i}")), name=f"client-{i}")
            for i in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when no request is under way."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _client(self, number: int, rng: random.Random) -> None:
        due = time.monotonic() + self._period * number / CLIENTS
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            self._request_orden(rng)
            if rng.random() < CONDUCTORES_PER_ORDEN and (body := self._send("/conductores", {})):
                self._log.conductores.add(body["id_conductor"])
            for _ in range(int(self._changes_per_orden + rng.random())):
                self._change_orden(rng)
            if self._changes_per_orden and rng.random() < ADJUSTMENTS_PER_ORDEN:
                self._adjust_stock(rng)
            if self._changes_per_orden and rng.random() < DRIVER_CHANGES_PER_ORDEN:
                self._change_driver(rng)
            due = max(due + self._period, time.monotonic())

    def _change_orden(self, rng: random.Random) -> None:
        """Of the newest orders one, whose saga may still be under way, or one of all."""
        accepted = list(self._log.accepted)
        if not accepted:
            return
        path = rng.choices(tuple(CHANGES), CHANGE_WEIGHTS)[0]
        id_orden = rng.choice(accepted[-20:] if rng.random() < 0.7 else accepted)
        self._send(f"/orders/{id_orden}/{path}", CHANGES[path], f"/orders/…/{path}")

    def _adjust_stock(self, rng: random.Random) -> None:
        id_producto = rng.choice(list(self._catalog.initial_stock))
        body = {"cantidad": rng.choice(ADJUSTMENTS), "motivo": "Inventario"}
        if answer := self._send(f"/productos/{id_producto}/stock", body, "/productos/…/stock"):
            self._log.ajustes.add(answer["id_ajuste"])

    def _change_driver(self, rng: random.Random) -> None:
        conductores = list(self._log.conductores)
        if not conductores:
            return
        path = f"/conductores/{rng.choice(conductores)}"
        if rng.random() < RETIREMENTS:
            self._send(path, None, "/conductores/…", "DELETE")
        else:
            self._send(path, {"nombre": rng.choice(("Ana", "Eva"))}, "/conductores/…", "PATCH")

    def _request_orden(self, rng: random.Random) -> None:
        id_producto = rng.choices(self._catalog.orderable, self._catalog.weights)[0]
        fields = {"user_id": "ana", "cantidad": rng.randint(1, 3), "direccion_entrega": "Calle 45"}
        sent_at = time.monotonic()
        if body := self._send("/orders", fields | {"id_producto": id_producto}):
            self._log.requested[body["id_orden"]] = sent_at
            self._log.accepted[body["id_orden"]] = time.monotonic()

    def _send(
        self, path: str, body: dict[str, Any] | None, logged_path: str | None = None, method: str = "POST"
    ) -> Any:
        """The body of a 202. Anything else counts for nothing: it may have been done, or not."""
        name = logged_path or path
        try:
            status, response, _ = self._platform.request(method, path, body)
        except (OSError, HTTPException, JSONDecodeError) as error:
            reason = getattr(error, "reason", error)
            self._log.response(f"{method} {name}: {type(reason).__name__}")
            return None
        self._log.response(f"{method} {name}: {status}")
        return response if status == 202 else None


class Watcher:
    """Notes when accepted orders end, in the read model; while PostgreSQL is away nothing can be seen to end."""

    _QUERY: Final = "select id_orden from ordenes where id_orden = any(cast(:ids as uuid[])) and estado <> 'creada'"

    def __init__(self, platform: Platform, log: Log) -> None:
        self._platform = platform
        self._log = log
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._observe, name="watcher")
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _observe(self) -> None:
        while not self._stopping.wait(POLL_INTERVAL):
            if open_ordenes := self._log.open_ordenes():
                try:
                    rows = self._platform.sql("ordenes_lectura", self._QUERY, ids=open_ordenes)
                except (SQLAlchemyError, OSError):
                    continue
                moment = time.monotonic()
                self._log.ended.update((str(id_orden), moment) for (id_orden,) in rows)
