"""What happened and when, on one clock: orders asked for, accepted and ended; faults; figures about them."""

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(slots=True)
class Fault:
    """One fault. `recovered_at`: when the service was ready again; None for an instance, which its worker restarts."""

    kind: str
    what: str
    when: float
    recovered_at: float | None = None


class Log:
    """Filled by many threads. Times are those of time.monotonic(), in s."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.requested: dict[str, float] = {}
        """Accepted orders: when their request was sent."""
        self.accepted: dict[str, float] = {}
        """Accepted orders: when the 202 came."""
        self.ended: dict[str, float] = {}
        """Accepted orders: when their end could be read, as customers read it. To about 0.3 s."""
        self.conductores: set[str] = set()
        self.ajustes: set[str] = set()
        self.responses: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self.incidents: list[str] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.started

    def response(self, what: str) -> None:
        with self._lock:
            self.responses[what] += 1

    def open_ordenes(self) -> list[str]:
        """Accepted and not ended."""
        return [id_orden for id_orden in tuple(self.accepted) if id_orden not in self.ended]

    def print_line(self, text: str) -> None:
        print(f"{self.now():7.1f} s  {text}", flush=True)

    def incident(self, text: str) -> None:
        """What nobody asked for; it goes into the report."""
        self.incidents.append(f"{self.now():.1f} s: {text}")
        self.print_line(f"!! {text}")


@dataclass(frozen=True, slots=True)
class Recovery:
    """Of the faults of one kind, median and maximum in s; None where there is nothing to measure."""

    kind: str
    count: int
    downtime: tuple[float, float] | None
    accepted: tuple[float, float] | None
    ended: tuple[float, float] | None


def recoveries(log: Log) -> list[Recovery]:
    """For each kind of fault how long the service was away, and until an order sent after the fault was
    accepted, and until the first of the orders sent after the fault had ended."""
    by_send_time = sorted((sent_at, id_orden) for id_orden, sent_at in log.requested.items())
    accepted = _first_after(by_send_time, log.accepted)
    ended = _first_after(by_send_time, log.ended)
    rows = []
    for kind in sorted({fault.kind for fault in log.faults}):
        faults = [fault for fault in log.faults if fault.kind == kind]
        rows.append(
            Recovery(
                kind,
                len(faults),
                _summary(fault.recovered_at - fault.when for fault in faults if fault.recovered_at is not None),
                _summary(_waits(faults, accepted)),
                _summary(_waits(faults, ended)),
            )
        )
    return rows


def longest_stall(log: Log) -> tuple[float, float]:
    """The longest time, in s, in which no order ended although some were open; and when it ended."""
    transitions = sorted(
        [(when, 1) for when in log.accepted.values()]
        + [(max(when, log.accepted[i]), -1) for i, when in log.ended.items()]
    )
    open_ordenes, since, worst = 0, 0.0, (0.0, 0.0)
    for when, change in [*transitions, (time.monotonic(), 0)]:
        if open_ordenes and change <= 0:
            worst = max(worst, (when - since, when - log.started))
        if not open_ordenes or change < 0:
            since = when
        open_ordenes += change
    return worst


def lifetimes(log: Log) -> list[float]:
    """From acceptance to end, in s, of the orders that have ended; ascending."""
    return sorted(max(0.0, end - log.accepted[id_orden]) for id_orden, end in log.ended.items())


def _first_after(by_send_time: list[tuple[float, str]], when: dict[str, float]) -> list[tuple[float, float]]:
    """For each order its sending, and the earliest moment in `when` among the orders not sent before it."""
    pairs, minimum = [], float("inf")
    for sent_at, id_orden in reversed(by_send_time):
        minimum = min(minimum, when.get(id_orden, float("inf")))
        pairs.append((sent_at, minimum))
    return pairs[::-1]


def _waits(faults: Iterable[Fault], pairs: list[tuple[float, float]]) -> list[float]:
    """From each fault to that moment of the first order sent after it."""
    moments = ((f.when, next((m for sent_at, m in pairs if sent_at >= f.when), None)) for f in faults)
    return [moment - when for when, moment in moments if moment is not None]


def _summary(values: Iterable[float]) -> tuple[float, float] | None:
    items = list(values)
    return (median(items), max(items)) if items else None
