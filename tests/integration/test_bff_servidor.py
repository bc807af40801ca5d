"""`python -m bff` as a process, with its broker and its databases away."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.plataforma import RAIZ, esperar

ORDEN = {
    "id_producto": "6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f",
    "user_id": "ana",
    "cantidad": 2,
    "direccion_entrega": "X",
}


def puerto_libre() -> int:
    with socket.create_server(("127.0.0.1", 0)) as enchufe:
        return int(enchufe.getsockname()[1])


class Bff:
    """A running BFF."""

    def __init__(self, **entorno: str) -> None:
        self.puerto = puerto_libre()
        cerrado = str(puerto_libre())
        propio = {"BFF_PORT": str(self.puerto), "BROKER_PORT": cerrado, "DB_PORT": cerrado, "PYTHONUNBUFFERED": "1"}
        self.proceso = lanzar(**propio | entorno)

    def pedir(self, metodo: str, ruta: str, cuerpo: object = None) -> tuple[int, Any, float]:
        """Status, decoded JSON, seconds."""
        inicio = time.monotonic()
        conexion = HTTPConnection("127.0.0.1", self.puerto, timeout=10)
        conexion.request(metodo, ruta, json.dumps(cuerpo), {"Content-Type": "application/json", "Connection": "close"})
        respuesta = conexion.getresponse()
        return respuesta.status, json.loads(respuesta.read()), time.monotonic() - inicio

    def crudo(self, peticion: bytes) -> bytes:
        """The whole answer to bytes that need not be HTTP."""
        with socket.create_connection(("127.0.0.1", self.puerto), 5) as enchufe:
            enchufe.sendall(peticion)
            return b"".join(iter(lambda: enchufe.recv(65536), b""))

    def vivo(self) -> bool:
        try:
            return self.pedir("GET", "/health")[0] == 200
        except OSError:
            assert self.proceso.poll() is None
            return False

    def terminar(self, senal: int) -> tuple[int, str]:
        """Exit code and output."""
        self.proceso.send_signal(senal)
        salida, _ = self.proceso.communicate(timeout=20)
        return self.proceso.returncode, salida


def lanzar(*argumentos: str, **entorno: str) -> "subprocess.Popen[str]":
    limpio = {clave: valor for clave, valor in os.environ.items() if not clave.startswith(("BFF_", "DB_", "PULSAR_"))}
    orden = [sys.executable, "-m", "bff", *argumentos]
    salida = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(orden, cwd=RAIZ, env=limpio | entorno, **salida)  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def bff() -> Iterator[Bff]:
    servidor = Bff()
    esperar("the BFF", servidor.vivo)
    yield servidor
    servidor.terminar(signal.SIGTERM)


def test_sixteen_clients_at_once_are_told_within_two_seconds_that_the_broker_is_away(bff: Bff) -> None:
    with ThreadPoolExecutor(16) as hilos:
        for _ in range(3):
            respuestas = list(hilos.map(lambda _: bff.pedir("POST", "/orders", ORDEN), range(16)))
            assert {estado for estado, _, _ in respuestas} == {503}
            assert max(segundos for _, _, segundos in respuestas) < 2
            assert bff.pedir("GET", "/health")[2] < 1


def test_a_database_that_is_away_is_told_within_two_seconds(bff: Bff) -> None:
    for ruta in ("/orders", "/productos", f"/orders/{ORDEN['id_producto']}/saga", "/ready"):
        estado, problema, segundos = bff.pedir("GET", ruta)
        assert (estado, problema["status"]) == (503, 503)
        assert segundos < 2


@pytest.mark.parametrize(
    "peticion",
    [
        b"BASURA\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
    ids=["no HTTP", "negative length", "unknown coding"],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(bff: Bff, peticion: bytes) -> None:
    assert bff.crudo(peticion).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "cuerpo",
    [
        b"Content-Length: 99999999\r\n\r\n",
        b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n",
        b"Content-Length: 70000\r\n\r\n" + b" " * 70_000,
        b"Transfer-Encoding: chunked\r\n\r\n" + b"2710\r\n%s\r\n" % (b" " * 10_000) * 7 + b"0\r\n\r\n",
    ],
    ids=["announced", "to be continued", "sent", "in chunks"],
)
def test_a_body_that_is_too_large_is_a_problem(bff: Bff, cuerpo: bytes) -> None:
    cabeza = b"POST /orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    cabeza, _, problema = bff.crudo(cabeza + cuerpo).partition(b"\r\n\r\n")
    assert cabeza.startswith(b"HTTP/1.1 413 ")
    assert b"content-type: application/problem+json" in cabeza.lower()
    assert json.loads(problema)["status"] == 413


@pytest.mark.parametrize("senal", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_requests_in_hand_end(bff: Bff, senal: int) -> None:
    """An order needs a second here, to find out that the broker is away."""
    with ThreadPoolExecutor(2) as hilos:
        ocioso = HTTPConnection("127.0.0.1", bff.puerto)
        ocioso.connect()
        en_curso = hilos.submit(bff.pedir, "POST", "/orders", ORDEN)
        time.sleep(0.3)
        codigo, salida = bff.terminar(senal)
        assert en_curso.result()[0] == 503
        assert codigo == 0
        for dicho in ("POST /orders 503", "worker stopped", "stopped"):
            assert f'"message": "{dicho}"' in salida
        assert "Traceback" not in salida
        with pytest.raises(ConnectionRefusedError):
            bff.pedir("GET", "/health")


def test_many_signals_at_once_are_as_one(bff: Bff) -> None:
    """As when a service manager sends them to the whole group, and the supervisor to each worker."""
    todos = [psutil.Process(bff.proceso.pid), *psutil.Process(bff.proceso.pid).children()]
    for _ in range(20):
        for proceso in todos:
            with suppress(psutil.NoSuchProcess):
                proceso.send_signal(signal.SIGINT)
                proceso.terminate()
    codigo, salida = bff.terminar(signal.SIGTERM)
    assert codigo == 0
    assert "Traceback" not in salida
    assert salida.count('"message": "worker stopped"') == len(todos) - 1


def test_a_port_that_is_taken_is_an_error_that_says_so(bff: Bff) -> None:
    proceso = lanzar(BFF_PORT=str(bff.puerto))
    salida, _ = proceso.communicate(timeout=20)
    esperado = f"error: can't listen on 127.0.0.1:{bff.puerto}: Address already in use. Free the port, or set"
    assert proceso.returncode == 1
    assert salida.startswith(esperado)


@pytest.mark.parametrize(
    ("nombre", "valor"),
    [
        ("BFF_PORT", "x"),
        ("BFF_PORT", "70000"),
        ("BFF_THREADS", "0"),
        ("DB_PORT", ""),
        ("PULSAR_SERVICE_URL", "x"),
        ("BFF_RATE", "x"),
        ("BFF_PROXIES", "-1"),
        ("BFF_WORKERS", "0"),
        ("BFF_PANEL", "yes"),
        ("PULSAR_ADMIN_URL", "127.0.0.1:8080"),
    ],
)
def test_a_wrong_setting_is_an_error_that_names_it(nombre: str, valor: str) -> None:
    proceso = lanzar(**{"BFF_PORT": str(puerto_libre())} | {nombre: valor})
    salida, _ = proceso.communicate(timeout=20)
    assert proceso.returncode == 1
    assert salida.startswith(f"error: {nombre} is {valor!r}")
    assert len(salida.splitlines()) == 1


def test_listening_elsewhere_than_on_loopback_without_asking_for_tokens_is_refused() -> None:
    salida, _ = (proceso := lanzar(BFF_HOST="0.0.0.0", BFF_PORT=str(puerto_libre()))).communicate(timeout=20)
    assert proceso.returncode == 1
    assert salida.startswith("error: 0.0.0.0 is no loopback address")
    servidor = Bff(BFF_HOST="0.0.0.0", BFF_JWT_SECRET="s" * 32)
    esperar("the BFF", servidor.vivo)
    assert servidor.pedir("GET", "/orders")[0] == 401
    assert servidor.terminar(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("trabajadores", ["1", "3"])
def test_a_worker_that_dies_is_replaced_and_orphans_end(trabajadores: str, tmp_path: Path) -> None:
    servidor = Bff(BFF_WORKERS=trabajadores, TMPDIR=str(tmp_path))
    esperar("the BFF", servidor.vivo)
    padre = psutil.Process(servidor.proceso.pid)
    esperar("all workers", lambda: len(padre.children()) == int(trabajadores))
    victima, *_ = hijos = padre.children()
    victima.kill()
    esperar("another worker", lambda: len(nuevos := padre.children()) == len(hijos) and victima not in nuevos)
    esperar("the BFF", servidor.vivo)
    _, salida = servidor.terminar(signal.SIGKILL)  # and waits until none of them has its output any more
    assert "Unexpected exit from worker" in salida


def test_the_panel_is_there_unless_it_is_switched_off(bff: Bff) -> None:
    assert b" 200 OK\r\n" in bff.crudo(b"GET /panel HTTP/1.0\r\n\r\n")
    assert bff.pedir("GET", "/panel/topics")[1] == {"estado": "sin_direccion"}
    otro = Bff(BFF_PANEL="off")
    esperar("the BFF", otro.vivo)
    assert otro.pedir("GET", "/panel/topics")[0] == 404
    assert otro.terminar(signal.SIGTERM)[0] == 0


def test_help_names_every_setting() -> None:
    salida, _ = lanzar("--help").communicate(timeout=20)
    for nombre in ("BFF_HOST", "BFF_PORT", "PULSAR_SERVICE_URL", "BROKER_HOST", "DB_NAME", "DB_READ_HOSTNAME"):
        assert nombre in salida
