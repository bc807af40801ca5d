"""Faults: kill -9 of what a plan names that is drawn from a seed."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import psutil

from deployment.local import services
from tests.chaos.registro import Falla, Registro
from tests.chaos.reparador import Reparador
from tests.plataforma import RAIZ, Plataforma

INSTANCIA: Final = "instance"
PESOS: Final = {INSTANCIA: 6, "bff": 3, "postgres": 3, "pulsar": 1, "functions-worker": 1}
"""Of those that need long to come back, fewer: there is nothing to see while they are away."""
FUNCIONES: Final = sorted(ruta.stem for ruta in (RAIZ / "deployment" / "functions").glob("*.yaml"))
# PostgreSQL's "immediate" shutdown: no goodbye to clients, nothing written; it recovers from its log at the next start
SENALES: Final = {"postgres": signal.SIGQUIT}
A_LA_VEZ: Final = 2
"""So many services may be down at once: else what has just come back would soon be all that is left to kill."""


@dataclass(frozen=True, slots=True)
class Golpe:
    """One entry of a plan: after `pausa` s the first of `tipos` that can be killed, of the functions the first of
    `funciones` that runs; a service is started again after `abajo` s."""

    pausa: float
    tipos: list[str]
    funciones: list[str]
    abajo: float


def plan(semilla: int, cada: float) -> Iterator[Golpe]:
    """Without end, the same for the same seed: each kind once, then by weight, every `cada` s on average."""
    azar = random.Random(semilla)
    primeros = azar.sample(list(PESOS), len(PESOS))
    while True:
        # a weighted permutation: an exponential clock for each kind
        tipos = sorted(PESOS, key=lambda tipo: azar.expovariate(PESOS[tipo]))
        if primeros:
            tipos = [primeros.pop()]
        funciones = azar.sample(FUNCIONES, len(FUNCIONES))
        yield Golpe(azar.uniform(0.4, 1.6) * cada, tipos, funciones, azar.uniform(0.5, 3))


class Fallas:
    """Kills what a plan says, and tells whoever repairs it."""

    def __init__(self, platform: Plataforma, registro: Registro, reparador: Reparador) -> None:
        self._platform = platform
        self._registro = registro
        self._reparador = reparador

    def derribar(self, golpe: Golpe, antes_del_broker: Callable[[], object]) -> bool:
        """Kills the first of the plan's victims that can be killed; false if there is none at the moment."""
        for tipo in golpe.tipos:
            if tipo == INSTANCIA:
                falla = self._matar_instancia(golpe.funciones)
            else:
                falla = self._matar_servicio(tipo, golpe.abajo, antes_del_broker)
            if falla:
                self._registro.fallas.append(falla)
                senal = SENALES.get(tipo, signal.SIGKILL).name
                que = f"{tipo} of {falla.que}" if tipo == INSTANCIA else tipo
                self._registro.decir(f"{len(self._registro.fallas):4}. {senal} {que}")
                return True
        return False

    def _matar_instancia(self, funciones: list[str]) -> Falla | None:
        for funcion in funciones:
            for instancia in self._platform.instancias(funcion):
                falla = Falla(INSTANCIA, funcion, time.monotonic())
                try:
                    instancia.kill()
                except psutil.NoSuchProcess:
                    continue
                return falla
        return None

    def _matar_servicio(self, nombre: str, abajo: float, antes_del_broker: Callable[[], object]) -> Falla | None:
        with self._reparador.candado:
            caidas, pid = self._reparador.caidas, services.pid(self._platform.data, nombre)
            if nombre in caidas or len(caidas) >= A_LA_VEZ or pid is None:
                return None
            if nombre == "pulsar":
                antes_del_broker()
            falla = Falla(nombre, nombre, time.monotonic())
            caidas[nombre] = (falla.cuando + abajo, falla)
            psutil.Process(pid).send_signal(SENALES.get(nombre, signal.SIGKILL))
        return falla
