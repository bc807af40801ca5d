"""Three orders to watch: one in JSON, one in XML, and one that fails and is compensated.

Talks to the BFF only, as any client would: BFF_PORT (3000) on 127.0.0.1.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Final, NoReturn, TypeVar
from uuid import UUID

from bff.cliente import Cliente, Orden, Problema, SinRespuesta

BFF: Final = f"http://127.0.0.1:{os.environ.get('BFF_PORT', '3000')}"
PLAZO: Final = 30
"""Longest wait for anything, in s."""
API: Final = Cliente(BFF, plazo=5)
T = TypeVar("T")


def esperar(que: str, obtener: Callable[[], T | None]) -> T:
    """What `obtener` gives once it is true; ends the program after PLAZO."""
    limite = time.monotonic() + PLAZO
    while not (valor := obtener()):
        if time.monotonic() > limite:
            _no_vino(que)
        time.sleep(0.02)
    return valor


def _no_vino(que: str) -> NoReturn:
    sys.exit(f"error: {que} did not come within {PLAZO} s; look at: make logs, make status")


def preparar(stock: int, conductores: int) -> UUID:
    """A product with stock, and drivers enough."""
    id_producto = API.crear_producto("Café de Nariño, 500 g", stock)
    for numero in range(1, conductores + 1):
        API.registrar_conductor(f"Conductor {numero}")
    esperar("the product", lambda: API.producto(id_producto))
    print(f"\nA product with {stock} units, and {conductores} drivers: POST /productos, POST /conductores")
    return id_producto


def seguir(titulo: str, cuerpo: str, tipo: str, esperado: str) -> None:
    """Posts an order, prints its saga while it happens, and its end."""
    print(f"\n{titulo}\n  POST /orders  {tipo}\n    {cuerpo}")
    id_orden = UUID(API.pedir("POST", "/orders", cuerpo.encode(), tipo).json()["id_orden"])
    principio = None
    for evento in API.eventos(id_orden, PLAZO):
        if isinstance(evento, Orden):
            como = f"driver {evento.id_driver}" if evento.id_driver else evento.motivo
            print(f"  order {id_orden} is {evento.estado}: {como}")
            if evento.estado != esperado:
                sys.exit(f"error: it should be {esperado}")
            return
        principio = principio or evento.timestamp
        ms = (evento.timestamp - principio).total_seconds() * 1000
        print(f"    {ms:5.0f} ms {'↩' if evento.is_compensation else '→'} {evento.evento}", flush=True)
    _no_vino("the end of the saga")


def main() -> None:
    argparse.ArgumentParser("python -m deployment.local.demo", description=__doc__).parse_args()
    antes = 10
    id_producto = preparar(antes, conductores=2)
    campos = {"id_producto": str(id_producto), "user_id": "ana", "cantidad": 2, "direccion_entrega": "Calle 45 # 13-40"}
    seguir("1. An order in JSON", json.dumps(campos), "application/json", "iniciada")
    xml = "".join(f"<{campo}>{valor}</{campo}>" for campo, valor in (campos | {"cantidad": 3}).items())
    seguir("2. An order in XML", f"<root>{xml}</root>", "application/xml", "iniciada")
    seguir("3. An order of more than there is", json.dumps(campos | {"cantidad": 6}), "application/json", "fallida")
    despues = antes - 2 - 3
    esperar("the read model", lambda: (p := API.producto(id_producto)) is not None and p.stock == despues)
    print(f"\nStock before: {antes}; after 2 + 3 units sold and 6 refused: {despues}")
    print(f"""
Everything goes on running. Try:
  {BFF}/panel   in a browser: functions and topics with figures, orders as they go
  curl {BFF}/orders
  curl {BFF}/productos
  make status        what runs, and where its logs are
  make logs NAME=crear-orden
  .venv/bin/python -m deployment.local run -- sh -c '$PULSAR_ADMIN functions list --tenant monoliticas \\
      --namespace ordenes'
  make down          stop it; make up goes on with the same data; make clean removes it""")


if __name__ == "__main__":
    try:
        main()
    except SinRespuesta as error:
        sys.exit(f"error: the BFF at {BFF} does not answer ({error}): is the platform up? (make up)")
    except Problema as error:
        sys.exit(f"error: {error}")
