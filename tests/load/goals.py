"""What is to be reached, what the original reached, and what was measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any, Final

from tests.load.processes import LOAD_GENERATOR

Parts = Mapping[str, Any]
SERVICES: Final = ("postgres", "pulsar", "functions-worker", "bff", LOAD_GENERATOR)
"""Components that are no function instance."""


@dataclass(frozen=True, slots=True)
class Goal:
    name: str
    unit: str
    original: str
    value: float
    is_minimum: bool
    measure: Callable[[Parts], float]
    """Raises KeyError or ValueError if that was not measured."""


@dataclass(frozen=True, slots=True)
class Verdict:
    goal: Goal
    measured: float | None

    @property
    def is_reached(self) -> bool | None:
        """None if it was not measured."""
        if self.measured is None:
            return None
        return self.measured >= self.goal.value if self.goal.is_minimum else self.measured <= self.goal.value

    @property
    def outcome(self) -> str:
        if self.measured is None:
            return "not measured"
        target = f"{'≥' if self.goal.is_minimum else '≤'} {self.goal.value:,g}"
        return "reached" if self.is_reached else f"not reached: {figure(self.measured)}, goal {target}"


def figure(value: float) -> str:
    """Three digits that count, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def instances(memory: Mapping[str, Any]) -> dict[str, Any]:
    """Of the components those that are function instances."""
    return {name: used for name, used in memory.items() if name not in SERVICES}


def _best(field: str) -> Callable[[Parts], float]:
    return lambda parts: max(float(load_round[field]) for load_round in parts["http"]["rondas"])


def _value_at(*path: str) -> Callable[[Parts], float]:
    def read(parts: Parts) -> float:
        value: Any = parts
        for key in path:
            value = value[key]
        return float(value)

    return read


def _cpu(parts: Parts) -> float:
    """The order's check is a part of what it costs, where it was measured."""
    backlog = parts["atraso"]
    return float(backlog["cpu_total_ms"]) + float(backlog.get("plazo_ms", 0))


def _share_of_ceiling(parts: Parts) -> float:
    """In %."""
    return 100 * float(parts["atraso"]["sagas_s"]) / float(parts["techo"]["sagas_s"])


def _idle_instance(parts: Parts) -> float:
    usages = instances(parts["huella"]["memoria"]).values()
    return mean(float(used["pss"] or used["rss"]) / int(used["processes"]) for used in usages)


ALL: Final = (
    Goal("sagas over HTTP, until all have ended", "/s", "44", 880, True, _best("sagas_s")),
    Goal("orders accepted over HTTP", "/s", "136", 1360, True, _best("aceptadas_s")),
    Goal("backlog", "sagas/s", "–", 1500, True, _value_at("atraso", "sagas_s")),
    Goal("backlog, part of the ceiling", "%", "–", 50, True, _share_of_ceiling),
    Goal("CPU for an order of the backlog, all processes", "ms", "37–43", 2, False, _cpu),
    Goal("a single order until it has ended, p50", "ms", "44", 16, False, _value_at("sueltas", "espera", "p50_ms")),
    Goal("a single order until it has ended, p99", "ms", "–", 40, False, _value_at("sueltas", "espera", "p99_ms")),
    Goal("event streams at once, to their end", "", "–", 2000, True, _value_at("puerta", "flujos", "terminados")),
    Goal("/health beside these streams, p99", "ms", "–", 50, False, _value_at("puerta", "flujos", "health", "p99_ms")),
    Goal(
        "waits answered 200, 1,000 at once, twice",
        "",
        "–",
        2000,
        True,
        _value_at("puerta", "esperas", "respuestas", "200"),
    ),
    Goal("orders/s beside 1,000 slow connections", "×", "–", 0.9, True, _value_at("puerta", "lentas", "razon")),
    Goal("memory of a worker under all of that", "MB", "–", 200, False, _value_at("puerta", "flujos", "memoria_mb")),
    Goal("CPU for an order, with most stored / with least", "×", "–", 1.1, False, _value_at("crecimiento", "razon")),
    Goal("an idle function instance (PSS, mean)", "MB", "–", 60, False, _idle_instance),
    Goal("from `up` until the first order has ended", "s", "–", 25, False, _value_at("arranque", "total")),
)


def judge(parts: Parts) -> list[Verdict]:
    verdicts = []
    for goal in ALL:
        try:
            verdicts.append(Verdict(goal, goal.measure(parts)))
        except (KeyError, ValueError):
            verdicts.append(Verdict(goal, None))
    return verdicts
