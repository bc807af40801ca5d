"""Waits until functions really run: every instance up, its new consumers on the subscriptions, and no failure since.

Code that can't be imported kills its instance, which the worker starts again and again. An exception in a function's
first message is in the status, or the engine puts the message into the dead letters, with the traceback. A database
that is away ails no version: functions wait for it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import pulsar
from deploy_logs import Registros
from deploy_look import Config, Vista, mirar, ultima_carta
from terminal import seguro

PLAZO: Final = 90
"""Longest wait for the functions to run, in s."""
ESTABLE: Final = 3.0
"""So long, in s, must looks at a new version see the same: code that dies at its start may have consumers before."""
PAUSA: Final = 0.5
"""Between two looks, in s."""
MUERTES: Final = 2
"""So many restarts, and a traceback in the log, are a crash loop; one can be anybody's fault."""
SIN_TRAZA: Final = 5
"""So many are one without: on a machine that is too busy, workers give up instances that start too slowly."""
LINEAS: Final = 40
"""Of a traceback that is shown: its end."""


@dataclass(slots=True)
class Vigilada:
    """One function, over several looks. `nueva`: this deployment changed it."""

    nueva: bool
    antes: Vista
    ultima: Vista | None = None
    reinicios: int = 0
    desde: float | None = None
    """Since when every look was the same good one."""
    firme: float = -1
    """How long that was, in s; less than 0 if the last look was not good."""

    def mirada(self, vista: Vista, hora: float) -> None:
        anterior = self.ultima or self._primera(vista)
        if vista.consumidores is None:  # nobody answered
            vista = replace(vista, reinicios=anterior.reinicios)
        crecio = vista.reinicios - anterior.reinicios
        self.reinicios += crecio if crecio >= 0 else vista.reinicios  # less: another version's count begins
        if vista.mal or (self.nueva and self.antes.nombres & vista.nombres):
            self.desde = None
        elif self.desde is None or crecio or vista.nombres != anterior.nombres:
            self.desde = hora
        self.ultima, self.firme = vista, hora - self.desde if self.desde is not None else -1

    def _primera(self, vista: Vista) -> Vista:
        """What the first look is compared with: itself if its count of restarts may be the version before's."""
        return self.antes if self.nueva and not 0 < self.antes.reinicios <= vista.reinicios else vista

    @property
    def mal(self) -> str:
        """Of one that was waited for in vain."""
        que = (self.ultima.mal if self.ultima else "") or "it did not stay up, or the version before still runs"
        return f"after {PLAZO} s: {que}"

    def rota(self, traza: str) -> str:
        """What is broken for certain, empty if nothing is known; of functions that were not changed, the crash loop.

        `traza`: the last traceback in the log since the deployment.
        """
        assert self.ultima
        if self.reinicios >= (MUERTES if traza else SIN_TRAZA):
            return f"its instances died {self.reinicios} times\n{self.ultima.error}".rstrip()
        if self._suya and self.ultima.excepciones:
            return f"an exception in process\n{self.ultima.excepciones[-1]}"
        return ""

    @property
    def cuarentenas(self) -> bool:
        """True if dead letters have come that may be the new version's."""
        return self._suya and self.ultima is not None and self.ultima.cartas > self.antes.cartas

    @property
    def _suya(self) -> bool:
        """Before the second look at the same consumers, what is seen may be the other version's."""
        return self.nueva and self.firme > 0


def _carta(cliente: pulsar.Client, config: Config, vista: Vista) -> str:
    """About the newest dead letter, if it is there because of a bug, and this version's."""
    carta = ultima_carta(cliente, config)
    hora = datetime.fromtimestamp(int(carta.get("dlq-time", 0)) / 1000, UTC)
    if not carta.get("dlq-traceback") or hora < min((vista.consumidores or {}).values()):
        return ""
    return f"a message was quarantined: {carta.get('dlq-reason')}\n{carta['dlq-traceback']}"


def vigilar(
    cliente: pulsar.Client,
    configs: Mapping[str, Config],
    antes: Mapping[str, Vista],
    registros: Registros,
    segundos: float,
) -> dict[str, str]:
    """Returns when every function runs, those in `antes` (the changed ones, as they were) for `segundos` at least.

    What ails each that does not; as soon as a changed one is known to be broken, else after PLAZO.
    """
    limite = time.monotonic() + PLAZO + segundos
    vigiladas = {nombre: Vigilada(nombre in antes, antes.get(nombre, Vista())) for nombre in configs}
    pendientes, rotas, dichas = dict(configs), dict[str, str](), ""
    while pendientes and not any(nombre in antes for nombre in rotas):
        for nombre, vista in mirar(pendientes).items():
            vigilada = vigiladas[nombre]
            vigilada.mirada(vista, time.monotonic())
            que = vigilada.rota(registros.traza(nombre))
            if not que and vigilada.cuarentenas:
                que = _carta(cliente, configs[nombre], vista)
            if que:
                rotas[nombre] = _explicada(nombre, que, registros)
                del pendientes[nombre]
            elif vigilada.firme >= max(segundos, ESTABLE) or (vigilada.firme >= 0 and not vigilada.nueva):
                del pendientes[nombre]
        tarde = time.monotonic() - limite
        if tarde > PLAZO or (tarde > 0 and any(vigiladas[nombre].firme < 0 for nombre in pendientes)):
            return rotas | {nombre: _explicada(nombre, vigiladas[nombre].mal, registros) for nombre in pendientes}
        if pendientes and not rotas:
            if dichas != (dichas := ", ".join(pendientes)):
                print(f"  waiting for {dichas} …", flush=True)
            time.sleep(PAUSA)
    return rotas


def _explicada(nombre: str, que: str, registros: Registros) -> str:
    """With the traceback, indented, if there is one to be had."""
    if "Traceback" not in que:
        que = f"{que}\n{registros.traza(nombre)}".rstrip()
    primera, *resto = que.splitlines()
    if not resto:
        resto = ["no traceback: its log says more (here: make logs NAME=…; elsewhere FUNCTIONS_LOGS, see --help)"]
    return "\n    ".join([seguro(primera), *(seguro(linea, "\t") for linea in resto[-LINEAS:])])


def listadas(rotas: Mapping[str, str]) -> str:
    """All of it, for people."""
    return "\n".join(f"  {nombre}: {que}" for nombre, que in rotas.items())
