"""Four orders to watch: one in JSON, which is delivered; one in XML; one that fails and is compensated; and one for the
driver who delivered the first.

Talks to the BFF only, as any client would: BFF_PORT (3000) on 127.0.0.1.
"""

from functions.program.run import run

if __name__ == "__main__":
    run("deployment.local.demo")  # loads it under its own name, and never returns

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Final, NoReturn, TypeVar
from uuid import UUID

from bff.client import Client, NoResponse, Orden, Problem

BFF: Final = f"http://127.0.0.1:{os.environ.get('BFF_PORT', '3000')}"
TIMEOUT: Final = 30
"""Longest wait for anything, in s."""
API: Final = Client(BFF, timeout=5)
T = TypeVar("T")


def wait_for(what: str, fetch: Callable[[], T | None]) -> T:
    """What `fetch` gives once it is true; ends the program after PLAZO."""
    deadline = time.monotonic() + TIMEOUT
    while not (value := fetch()):
        if time.monotonic() > deadline:
            _exit_on_timeout(what)
        time.sleep(0.02)
    return value


def _exit_on_timeout(what: str) -> NoReturn:
    sys.exit(f"error: {what} did not come within {TIMEOUT} s; look at: make logs, make status")


def prepare(stock: int, conductores: int) -> UUID:
    """A product with stock, and drivers enough."""
    id_producto = API.crear_producto("Café de Nariño, 500 g", stock)
    for number in range(1, conductores + 1):
        API.registrar_conductor(f"Conductor {number}")
    wait_for("the product", lambda: API.producto(id_producto))
    print(f"\nA product with {stock} units, and {conductores} drivers: POST /productos, POST /conductores")
    return id_producto


def follow(title: str, body: str, media_type: str, expected: str) -> Orden:
    """Posts an order, prints its saga while it happens, and its end; the order."""
    print(f"\n{title}\n  POST /orders  {media_type}\n    {body}")
    id_orden = UUID(API.request("POST", "/orders", body.encode(), media_type).json()["id_orden"])
    started_at = None
    for evento in API.events(id_orden, TIMEOUT):
        if isinstance(evento, Orden):
            detail = f"driver {evento.id_driver}" if evento.id_driver else evento.motivo
            print(f"  order {id_orden} is {evento.estado}: {detail}")
            if evento.estado != expected:
                sys.exit(f"error: it should be {expected}")
            return evento
        started_at = started_at or evento.timestamp
        ms = (evento.timestamp - started_at).total_seconds() * 1000
        print(f"    {ms:5.0f} ms {'↩' if evento.is_compensation else '→'} {evento.evento}", flush=True)
    _exit_on_timeout("the end of the saga")


def deliver(orden: Orden) -> None:
    """Has an order dispatched and delivered, and prints that."""
    print(f"\n4. The first order is delivered\n  POST /orders/{orden.id_orden}/despacho, …/entrega  Prefer: wait")
    wait_for("the dispatch", lambda: _done(API.despachar_orden(orden.id_orden, wait=5)))
    delivered = wait_for("the delivery", lambda: _done(API.entregar_orden(orden.id_orden, recibido_por="Ana", wait=5)))
    print(f"  order {orden.id_orden} is {delivered.estado}: driver {delivered.id_driver} comes free", flush=True)
    wait_for("the driver", lambda: _is_free(orden.id_driver))


def _is_free(id_conductor: UUID | None) -> bool:
    """Whether the read model shows the driver as free."""
    conductor = API.conductor(id_conductor) if id_conductor else None
    return conductor is not None and conductor.estado == "libre"


def _done(answer: object) -> Orden | None:
    """The order, if the answer is one; None if it was only accepted."""
    return answer if isinstance(answer, Orden) else None


def main() -> None:
    argparse.ArgumentParser("python -m deployment.local.demo", description=__doc__).parse_args()
    try:
        show()
    except NoResponse as error:
        sys.exit(f"error: the BFF at {BFF} does not answer ({error}): is the platform up? (make up)")
    except Problem as error:
        sys.exit(f"error: {error}")


def show() -> None:
    before = 10
    id_producto = prepare(before, conductores=2)
    fields = {"id_producto": str(id_producto), "user_id": "ana", "cantidad": 2, "direccion_entrega": "Calle 45 # 13-40"}
    first = follow("1. An order in JSON", json.dumps(fields), "application/json", "iniciada")
    xml = "".join(f"<{field}>{value}</{field}>" for field, value in (fields | {"cantidad": 3}).items())
    follow("2. An order in XML", f"<root>{xml}</root>", "application/xml", "iniciada")
    follow("3. An order of more than there is", json.dumps(fields | {"cantidad": 6}), "application/json", "fallida")
    deliver(first)
    last = follow("5. An order for the driver who came free", json.dumps(fields), "application/json", "iniciada")
    if last.id_driver != first.id_driver:
        sys.exit(f"error: driver {first.id_driver} should have it")
    after = before - 2 - 3 - 2
    wait_for("the read model", lambda: (p := API.producto(id_producto)) is not None and p.stock == after)
    print(f"\nStock before: {before}; after 2 + 3 + 2 units sold and 6 refused: {after}")
    print(f"""
Everything goes on running. Try:
  {BFF}/panel   in a browser: functions and topics with figures, orders as they go
  curl {BFF}/orders
  curl {BFF}/productos; curl {BFF}/productos/{id_producto}/movimientos
  curl {BFF}/conductores
  make status        what runs, and where its logs are
  make logs NAME=crear-orden
  .venv/bin/python -m deployment.local run -- sh -c '"$PULSAR_ADMIN" functions list --tenant monoliticas \\
      --namespace ordenes'
  make down          stop it; make up goes on with the same data; make clean removes it""")
