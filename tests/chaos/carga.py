"""Customers: orders and drivers at a steady rate, whatever happens; and somebody who watches the orders end."""

import random
import threading
import time
from dataclasses import dataclass
from http.client import HTTPException
from json import JSONDecodeError
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError

from tests.chaos.registro import Registro
from tests.plataforma import Plataforma, esperar

CLIENTES: Final = 8
ABUNDANTE: Final = 1_000_000
ESCASO: Final = 15
CONDUCTORES_POR_ORDEN: Final = 0.6
"""Fewer than are wanted, all the time: some orders are compensated, and their stock is given back."""
MIRADA: Final = 0.25
"""How often it is looked which orders have ended, in s."""


@dataclass(frozen=True, slots=True)
class Catalogo:
    """The products that orders ask for."""

    iniciales: dict[str, int]
    """Stock at the beginning."""
    pedibles: list[str]
    pesos: list[int]


def preparar(platform: Plataforma) -> Catalogo:
    """Products with plenty, with too little, one that is deleted, and one that never was."""
    stocks = [ABUNDANTE] * 6 + [ESCASO] * 4 + [ABUNDANTE]
    ids = [_crear(platform, stock) for stock in stocks]
    esperar("the products", lambda: all(platform.pedir("GET", f"/productos/{i}")[0] == 200 for i in ids))
    assert platform.pedir("DELETE", f"/productos/{ids[-1]}")[0] == 202
    esperar("the deletion", lambda: platform.pedir("GET", f"/productos/{ids[-1]}")[0] == 404)
    pesos = [12] * 6 + [5] * 4 + [4, 4]
    return Catalogo(dict(zip(ids, stocks, strict=True)), [*ids, str(uuid4())], pesos)


def _crear(platform: Plataforma, stock: int) -> str:
    estado, cuerpo, _ = platform.pedir("POST", "/productos", {"nombre": "Té", "stock": stock})
    assert estado == 202, cuerpo
    return str(cuerpo["id"])


class Carga:
    """`ritmo` orders a second from CLIENTES threads until it is stopped; a client that had to wait skips what it
    missed."""

    def __init__(self, platform: Plataforma, registro: Registro, catalogo: Catalogo, ritmo: float, semilla: int):
        self._platform = platform
        self._registro = registro
        self._catalogo = catalogo
        self._periodo = CLIENTES / ritmo
        self._fin = threading.Event()
        self._hilos = [
            threading.Thread(target=self._cliente, args=(i, random.Random(f"{semilla}/{i}")), name=f"cliente-{i}")
            for i in range(CLIENTES)
        ]
        for hilo in self._hilos:
            hilo.start()

    def parar(self) -> None:
        """Returns when no request is under way."""
        self._fin.set()
        for hilo in self._hilos:
            hilo.join()

    def _cliente(self, numero: int, azar: random.Random) -> None:
        turno = time.monotonic() + self._periodo * numero / CLIENTES
        while not self._fin.wait(max(0.0, turno - time.monotonic())):
            self._pedir_orden(azar)
            if azar.random() < CONDUCTORES_POR_ORDEN and (cuerpo := self._enviar("/conductores", {})):
                self._registro.conductores.add(cuerpo["id_conductor"])
            turno = max(turno + self._periodo, time.monotonic())

    def _pedir_orden(self, azar: random.Random) -> None:
        id_producto = azar.choices(self._catalogo.pedibles, self._catalogo.pesos)[0]
        campos = {"user_id": "ana", "cantidad": azar.randint(1, 3), "direccion_entrega": "Calle 45"}
        enviada = time.monotonic()
        if cuerpo := self._enviar("/orders", campos | {"id_producto": id_producto}):
            self._registro.pedidas[cuerpo["id_orden"]] = enviada
            self._registro.aceptadas[cuerpo["id_orden"]] = time.monotonic()

    def _enviar(self, ruta: str, cuerpo: dict[str, Any]) -> Any:
        """The body of a 202. Anything else counts for nothing: it may have been done, or not."""
        try:
            estado, respuesta, _ = self._platform.pedir("POST", ruta, cuerpo)
        except (OSError, HTTPException, JSONDecodeError) as error:
            razon = getattr(error, "reason", error)
            self._registro.respuesta(f"POST {ruta}: {type(razon).__name__}")
            return None
        self._registro.respuesta(f"POST {ruta}: {estado}")
        return respuesta if estado == 202 else None


class Vigia:
    """Notes when accepted orders end, in the read model; while PostgreSQL is away nothing can be seen to end."""

    _CONSULTA: Final = "select id_orden from ordenes where id_orden = any(cast(:ids as uuid[])) and estado <> 'creada'"

    def __init__(self, platform: Plataforma, registro: Registro) -> None:
        self._platform = platform
        self._registro = registro
        self._fin = threading.Event()
        self._hilo = threading.Thread(target=self._mirar, name="vigia")
        self._hilo.start()

    def parar(self) -> None:
        self._fin.set()
        self._hilo.join()

    def _mirar(self) -> None:
        while not self._fin.wait(MIRADA):
            if abiertas := self._registro.abiertas():
                try:
                    filas = self._platform.sql("ordenes_lectura", self._CONSULTA, ids=abiertas)
                except (SQLAlchemyError, OSError):
                    continue
                momento = time.monotonic()
                self._registro.terminadas.update((str(id_orden), momento) for (id_orden,) in filas)
