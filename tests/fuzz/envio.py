"""Sends raw requests over kept-alive connections, and watches the answers and the server's memory."""

import socket
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from bff.servidor import CABECERAS
from tests.fuzz import respuestas
from tests.fuzz.cuerpos import Peticion, peticion

HILOS: Final = 8
PARTES: Final = 5
"""Memory is measured after each fifth of the requests."""
CALENTAMIENTO: Final = 3
"""Parts after which it must stay: a process that does nothing but send through Pulsar's client grows for 75,000
messages, and then no more."""
CRECIMIENTO: Final = 1.1
"""At most, from then on: bodies of all sizes leave holes, about 100 bytes a request; no object was seen to be kept."""
_ULTIMA: Final = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@dataclass
class Resultado:
    estados: Counter[int] = field(default_factory=Counter)
    memoria: list[tuple[int, dict[int, int]]] = field(default_factory=list)
    """After so many requests, the bytes of each of the server's processes."""
    hallazgos: list[str] = field(default_factory=list)


@dataclass
class _Cliente:
    """A thread's connection."""

    direccion: tuple[str, int]
    enchufe: socket.socket | None = None

    def pedir(self, pedida: Peticion) -> tuple[list[int], str | None]:
        """Statuses, and what was wrong with an answer."""
        if not pedida.entera:
            return self._sola(pedida)
        if self.enchufe is None:
            self.enchufe = socket.create_connection(self.direccion, timeout=20)
        try:
            self.enchufe.sendall(pedida.crudo)
            with self.enchufe.makefile("rb") as flujo:
                respuesta, cuerpo = respuestas.leer(flujo, pedida.metodo)
        except respuestas.PROTOCOLO as error:
            self.cerrar()
            cabecera = pedida.crudo.partition(b"\r\n\r\n")[0]
            # a 431, or the client was to wait for a word: closed with bytes unread, which may take the answer away
            sin_leer = len(cabecera) > CABECERAS or b"\r\nExpect: " in cabecera
            if isinstance(error, ConnectionResetError) and sin_leer:
                return [], None
            return [], f"no answer: {error!r}"
        if respuesta.will_close:
            self.cerrar()
        return [respuesta.status], respuestas.defecto(respuesta, cuerpo)

    def _sola(self, pedida: Peticion) -> tuple[list[int], str | None]:
        """On a connection of its own, which the last request ends however the bytes before it are understood."""
        try:
            with socket.create_connection(self.direccion, timeout=20) as enchufe:
                with suppress(ConnectionError):  # answered before all of it was read
                    enchufe.sendall(pedida.crudo + _ULTIMA)
                leidas = respuestas.todas(enchufe, pedida.metodo)
        except ConnectionResetError:  # closed with bytes unread, which may take the answer away
            return [], None
        except respuestas.PROTOCOLO as error:
            return [], f"no answer: {error!r}"
        defectos = [respuestas.defecto(respuesta, cuerpo) for respuesta, cuerpo in leidas] or ["no answer"]
        return [respuesta.status for respuesta, _ in leidas], next(filter(None, defectos), None)

    def cerrar(self) -> None:
        if self.enchufe is not None:
            self.enchufe.close()
        self.enchufe = None


def correr(url: str, cuantas: int, semilla: int, carpeta: Path, decir: Callable[[str], None] = print) -> Resultado:
    """Sends `cuantas` requests. What was wrongly answered is in `carpeta`, as bytes."""
    carpeta.mkdir(parents=True, exist_ok=True)
    partes = urlsplit(url)
    direccion, resultado = (partes.hostname or "", partes.port or 80), Resultado()
    desde, cerrojo = 0, threading.Lock()

    def tanda(hilo: int, primera: int, ultima: int) -> None:
        cliente = _Cliente(direccion)
        for numero in range(primera + hilo, ultima, HILOS):
            pedida = peticion(semilla, numero)
            estados, defecto = cliente.pedir(pedida)
            with cerrojo:
                resultado.estados.update(estados)
                if defecto is not None:
                    resultado.hallazgos.append(_guardar(carpeta, direccion, f"{semilla}-{numero}", pedida, defecto))
        cliente.cerrar()

    for hasta in [cuantas * parte // PARTES for parte in range(1, PARTES + 1)]:
        with ThreadPoolExecutor(HILOS) as hilos:
            list(hilos.map(lambda hilo, desde=desde, hasta=hasta: tanda(hilo, desde, hasta), range(HILOS)))
        resultado.memoria.append((hasta, memoria(direccion[1])))
        total = sum(resultado.memoria[-1][1].values())
        decir(
            f"{hasta} bodies, {len(resultado.hallazgos)} findings, {total / 2**20:.0f} MiB, {dict(resultado.estados)}"
        )
        desde = hasta
    resultado.hallazgos += de_memoria(resultado.memoria[CALENTAMIENTO - 1][1], resultado.memoria[-1][1])
    return resultado


def _guardar(carpeta: Path, direccion: tuple[str, int], nombre: str, pedida: Peticion, defecto: str) -> str:
    fichero = carpeta / f"{nombre}.http"
    fichero.write_bytes(pedida.crudo)
    return f"{defecto}\n    nc -q 3 {direccion[0]} {direccion[1]} < {fichero}"


def memoria(puerto: int) -> dict[int, int]:
    """Bytes of each process that listens there: its workers share the port."""
    abiertas = [conexion for conexion in psutil.net_connections("tcp") if conexion.status == psutil.CONN_LISTEN]
    oyentes = {conexion.pid for conexion in abiertas if conexion.laddr[1:] == (puerto,)}
    return {pid: psutil.Process(pid).memory_info().rss for pid in oyentes if pid}


def de_memoria(antes: dict[int, int], despues: dict[int, int]) -> list[str]:
    """What is wrong with it."""
    if not antes or antes.keys() != despues.keys():
        return [f"the server's processes are others at the end: {sorted(antes)}, then {sorted(despues)}"]
    if (crecida := sum(despues.values()) / sum(antes.values())) > CRECIMIENTO:
        return [f"memory grew by {100 * (crecida - 1):.0f} %: {antes}, then {despues}"]
    return []
