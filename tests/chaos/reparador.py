"""Starts services again with the platform's own `up`, when it is time."""

import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from deployment.local import services
from tests.chaos.registro import Falla, Registro
from tests.plataforma import RAIZ, Plataforma

PLAZO: Final = 300.0
"""A service that is not ready so long after it could have been started counts as lost, in s."""
_LISTO: Final = re.compile(r"^ *(\S+) +(?:ready|already running)", re.MULTILINE)


class Reparador:
    """Knows which services are down. One that ended by itself is an incident, and is started again too.

    The platform lets one command change it at a time, and `up` waits until all is ready, which for the functions
    worker takes half a minute. If another service's time comes meanwhile, this `up` is ended, and the next one names
    them all.
    """

    def __init__(self, platform: Plataforma, registro: Registro) -> None:
        self.perdidas: list[str] = []
        """Services that could not be started any more."""
        self.caidas: dict[str, tuple[float, Falla | None]] = {}
        """Services that are down: from when on they may be started, and the fault. Only while holding `candado`."""
        self.candado = threading.Condition()
        self._platform = platform
        self._registro = registro
        self._fin = False
        self._trabajo = ThreadPoolExecutor(1, "reparador").submit(self._reparar)

    def acabado(self) -> bool:
        """True if nothing is started again any more: a service is lost, or this has failed."""
        return self._trabajo.done()

    def parar(self) -> None:
        """Returns when every service runs, or is lost."""
        with self.candado:
            self._fin = True
            self.candado.notify()
        self._trabajo.result()

    def _reparar(self) -> None:
        while not self.perdidas:
            with self.candado:
                self._buscar_muertos()
                debidas = self._debidas()
                if not debidas:
                    if self._fin and not self.caidas:
                        return
                    self.candado.wait(0.1)
            if debidas:
                self._levantar(debidas)

    def _buscar_muertos(self) -> None:
        for nombre in services.NAMES:
            if nombre not in self.caidas and services.pid(self._platform.data, nombre) is None:
                self.caidas[nombre] = (time.monotonic(), None)
                self._registro.incidente(f"{nombre} ended by itself; it is started again")

    def _debidas(self) -> list[str]:
        """The services whose time has come; the worker only together with its broker, or after it."""
        debidas = [nombre for nombre, (cuando, _) in self.caidas.items() if cuando <= time.monotonic()]
        if "pulsar" in self.caidas and "pulsar" not in debidas:
            return [nombre for nombre in debidas if nombre != "functions-worker"]
        return debidas

    def _levantar(self, nombres: list[str]) -> None:
        orden = [sys.executable, "-u", "-m", "deployment.local", "up", *nombres]
        salida = self._platform.data / "logs" / "chaos-up.log"
        with salida.open("w") as archivo:
            proceso = subprocess.Popen(
                orden, cwd=RAIZ, env=self._platform.entorno, stdout=archivo, stderr=subprocess.STDOUT
            )
        vistas: set[str] = set()
        while (codigo := self._esperar(proceso)) is None:
            self._anotar(salida.read_text(), vistas)
            with self.candado:
                otras = set(self._debidas()) - (set(nombres) - vistas)
            if otras and self._puede_interrumpirse(set(nombres) - vistas):
                proceso.terminate()
                proceso.wait(10)
                break
        self._anotar(salida.read_text(), vistas)
        if codigo:
            error = salida.read_text().partition("error: ")[2].partition(" The end of")[0]
            self._registro.incidente(f"up {' '.join(nombres)}: {error or codigo}")
        with self.candado:
            self.perdidas = [nombre for nombre, (desde, _) in self.caidas.items() if time.monotonic() > desde + PLAZO]

    @staticmethod
    def _esperar(proceso: subprocess.Popen[bytes]) -> int | None:
        try:
            return proceso.wait(0.1)
        except subprocess.TimeoutExpired:
            return None

    def _anotar(self, salida: str, vistas: set[str]) -> None:
        """Those that `up` calls ready are down no longer. It says so once: later they may be down again."""
        with self.candado:
            for nombre in set(_LISTO.findall(salida)) - vistas:
                vistas.add(nombre)
                _, falla = self.caidas.pop(nombre, (0.0, None))
                if falla:
                    falla.vuelta = time.monotonic()
                    self._registro.decir(f"      {nombre} is back after {falla.vuelta - falla.cuando:.1f} s")

    def _puede_interrumpirse(self, esperados: set[str]) -> bool:
        """Only while `up` waits: not between the start of a process and its pid file."""
        with self.candado:
            sin_broker = "pulsar" in self.caidas
        faltan = {nombre for nombre in esperados if services.pid(self._platform.data, nombre) is None}
        return not faltan or (faltan == {"functions-worker"} and sin_broker)
