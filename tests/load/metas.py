"""What is to be reached, what the original reached, and what was measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any, Final

from tests.load.procesos import CARGA

Partes = Mapping[str, Any]
SERVICIOS: Final = ("postgres", "pulsar", "functions-worker", "bff", CARGA)
"""Components that are no function instance."""


@dataclass(frozen=True, slots=True)
class Meta:
    nombre: str
    unidad: str
    original: str
    valor: float
    es_minimo: bool
    medida: Callable[[Partes], float]
    """Raises KeyError or ValueError if that was not measured."""


@dataclass(frozen=True, slots=True)
class Juicio:
    meta: Meta
    medido: float | None

    @property
    def alcanzada(self) -> bool | None:
        """None if it was not measured."""
        if self.medido is None:
            return None
        return self.medido >= self.meta.valor if self.meta.es_minimo else self.medido <= self.meta.valor

    @property
    def veredicto(self) -> str:
        if self.medido is None:
            return "not measured"
        objetivo = f"{'≥' if self.meta.es_minimo else '≤'} {self.meta.valor:,g}"
        return "reached" if self.alcanzada else f"not reached: {cifra(self.medido)}, goal {objetivo}"


def cifra(valor: float) -> str:
    """Three digits that count, or all before the point."""
    return f"{valor:,.0f}" if abs(valor) >= 100 else f"{valor:.3g}"


def instancias(memoria: Mapping[str, Any]) -> dict[str, Any]:
    """Of the components those that are function instances."""
    return {nombre: usada for nombre, usada in memoria.items() if nombre not in SERVICIOS}


def _mejor(campo: str) -> Callable[[Partes], float]:
    return lambda partes: max(float(ronda[campo]) for ronda in partes["http"]["rondas"])


def _de(*camino: str) -> Callable[[Partes], float]:
    def leer(partes: Partes) -> float:
        valor: Any = partes
        for clave in camino:
            valor = valor[clave]
        return float(valor)

    return leer


def _cpu(partes: Partes) -> float:
    """The order's check is a part of what it costs, where it was measured."""
    atraso = partes["atraso"]
    return float(atraso["cpu_total_ms"]) + float(atraso.get("plazo_ms", 0))


def _del_techo(partes: Partes) -> float:
    """In %."""
    return 100 * float(partes["atraso"]["sagas_s"]) / float(partes["techo"]["sagas_s"])


def _instancia(partes: Partes) -> float:
    usadas = instancias(partes["huella"]["memoria"]).values()
    return mean(float(usada["pss"] or usada["rss"]) / int(usada["procesos"]) for usada in usadas)


TODAS: Final = (
    Meta("sagas over HTTP, until all have ended", "/s", "44", 880, True, _mejor("sagas_s")),
    Meta("orders accepted over HTTP", "/s", "136", 1360, True, _mejor("aceptadas_s")),
    Meta("backlog", "sagas/s", "–", 1500, True, _de("atraso", "sagas_s")),
    Meta("backlog, part of the ceiling", "%", "–", 50, True, _del_techo),
    Meta("CPU for an order of the backlog, all processes", "ms", "37–43", 2, False, _cpu),
    Meta("a single order until it has ended, p50", "ms", "44", 16, False, _de("sueltas", "espera", "p50_ms")),
    Meta("a single order until it has ended, p99", "ms", "–", 40, False, _de("sueltas", "espera", "p99_ms")),
    Meta("CPU for an order, with most stored / with least", "×", "–", 1.1, False, _de("crecimiento", "razon")),
    Meta("an idle function instance (PSS, mean)", "MB", "–", 60, False, _instancia),
    Meta("from `up` until the first order has ended", "s", "–", 25, False, _de("arranque", "total")),
)


def juzgar(partes: Partes) -> list[Juicio]:
    juicios = []
    for meta in TODAS:
        try:
            juicios.append(Juicio(meta, meta.medida(partes)))
        except (KeyError, ValueError):
            juicios.append(Juicio(meta, None))
    return juicios
