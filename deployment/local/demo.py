"""Three orders to watch: one in JSON, one in XML, and one that fails and is compensated.

Talks to the BFF only, as any client would: BFF_PORT (3000) on 127.0.0.1.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

FINALES: Final = ("comando-marcar-listo-despacho", "comando-revertir-orden-creada")
"""A saga's last step, well or compensated."""
BFF: Final = f"http://127.0.0.1:{os.environ.get('BFF_PORT', '3000')}"
PLAZO: Final = 30
"""Longest wait for anything, in s."""


def pedir(metodo: str, ruta: str, cuerpo: str | None = None, tipo: str = "application/json") -> Any:
    """The JSON answer; None for 404. Ends the program with the problem for any other error."""
    datos = None if cuerpo is None else cuerpo.encode()
    peticion = urllib.request.Request(BFF + ruta, datos, {"Content-Type": tipo}, method=metodo)
    try:
        with urllib.request.urlopen(peticion, timeout=10) as respuesta:
            return json.load(respuesta)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        sys.exit(f"error: {metodo} {ruta}: {error.code} {error.read().decode()}")
    except OSError as error:
        sys.exit(f"error: the BFF at {BFF} does not answer ({error}): is the platform up? (make up)")


def esperar(que: str, obtener: Callable[[], Any]) -> Any:
    """What `obtener` gives once it is true; ends the program after PLAZO."""
    limite = time.monotonic() + PLAZO
    while not (valor := obtener()):
        if time.monotonic() > limite:
            sys.exit(f"error: {que} did not come within {PLAZO} s; look at: make logs, make status")
        time.sleep(0.02)
    return valor


def producto(id_producto: str) -> Any:
    respuesta = pedir("GET", f"/productos/{id_producto}")
    return respuesta and respuesta["resultado"]


def preparar(stock: int, conductores: int) -> str:
    """A product with stock, and drivers enough."""
    nuevo = pedir("POST", "/productos", json.dumps({"nombre": "Café de Nariño, 500 g", "stock": stock}))
    for numero in range(1, conductores + 1):
        pedir("POST", "/conductores", json.dumps({"nombre": f"Conductor {numero}"}))
    esperar("the product", lambda: producto(nuevo["id"]))
    print(f"\nA product with {stock} units, and {conductores} drivers: POST /productos, POST /conductores")
    return str(nuevo["id"])


def seguir(titulo: str, cuerpo: str, tipo: str, esperado: str) -> None:
    """Posts an order, prints its saga while it happens, and its end."""
    print(f"\n{titulo}\n  POST /orders  {tipo}\n    {cuerpo}")
    aceptada = pedir("POST", "/orders", cuerpo, tipo)
    ruta, vistos, principio = f"/orders/{aceptada['id_orden']}", 0, 0.0

    def terminada() -> Any:
        nonlocal vistos, principio
        orden = pedir("GET", ruta)
        fin = orden is not None and orden["estado"] != "creada"
        pasos = pedir("GET", f"{ruta}/saga") or []
        for paso in pasos[vistos:]:
            momento = datetime.fromisoformat(paso["timestamp"]).timestamp()
            principio = principio or momento
            marca = "↩" if paso["is_compensation"] else "→"
            print(f"    {1000 * (momento - principio):5.0f} ms {marca} {paso['evento']}", flush=True)
        vistos = len(pasos)
        cerrada = bool(pasos) and pasos[-1]["evento"] in FINALES
        return orden if fin and cerrada else None

    orden = esperar("the end of the saga", terminada)
    detalle = f"driver {orden['id_driver']}" if orden["id_driver"] else orden["motivo"]
    print(f"  order {orden['id_orden']} is {orden['estado']}: {detalle}")
    if orden["estado"] != esperado:
        sys.exit(f"error: it should be {esperado}")


def main() -> None:
    argparse.ArgumentParser("python -m deployment.local.demo", description=__doc__).parse_args()
    id_producto = preparar(stock=10, conductores=2)
    antes = producto(id_producto)["stock"]
    campos = {"id_producto": id_producto, "user_id": "ana", "cantidad": 2, "direccion_entrega": "Calle 45 # 13-40"}
    seguir("1. An order in JSON", json.dumps(campos), "application/json", "iniciada")
    xml = "".join(f"<{campo}>{valor}</{campo}>" for campo, valor in (campos | {"cantidad": 3}).items())
    seguir("2. An order in XML", f"<root>{xml}</root>", "application/xml", "iniciada")
    seguir("3. An order of more than there is", json.dumps(campos | {"cantidad": 6}), "application/json", "fallida")
    despues = esperar("the read model", lambda: (p := producto(id_producto)) and p["stock"] == antes - 5 and p)["stock"]
    print(f"\nStock before: {antes}; after 2 + 3 units sold and 6 refused: {despues}")
    print(f"""
Everything goes on running. Try:
  curl {BFF}/orders
  curl {BFF}/productos
  make status        what runs, and where its logs are
  make logs NAME=crear-orden
  .venv/bin/python -m deployment.local run -- sh -c '$PULSAR_ADMIN functions list --tenant monoliticas \\
      --namespace ordenes'
  make down          stop it; make up goes on with the same data; make clean removes it""")


if __name__ == "__main__":
    main()
