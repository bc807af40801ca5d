"""What happened and when, on one clock: orders asked for, accepted and ended; faults; figures about them."""

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(slots=True)
class Falla:
    """One fault. `vuelta`: the service was ready again; of an instance, which its worker restarts, it stays None."""

    tipo: str
    que: str
    cuando: float
    vuelta: float | None = None


class Registro:
    """Filled by many threads. Times are those of time.monotonic(), in s."""

    def __init__(self) -> None:
        self.inicio = time.monotonic()
        self.pedidas: dict[str, float] = {}
        """Accepted orders: when their request was sent."""
        self.aceptadas: dict[str, float] = {}
        """Accepted orders: when the 202 came."""
        self.terminadas: dict[str, float] = {}
        """Accepted orders: when their end could be read, as customers read it. To about 0.3 s."""
        self.conductores: set[str] = set()
        self.respuestas: Counter[str] = Counter()
        self.fallas: list[Falla] = []
        self.incidentes: list[str] = []
        self._candado = threading.Lock()

    def ahora(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.inicio

    def respuesta(self, que: str) -> None:
        with self._candado:
            self.respuestas[que] += 1

    def abiertas(self) -> list[str]:
        """Accepted and not ended."""
        return [id_orden for id_orden in tuple(self.aceptadas) if id_orden not in self.terminadas]

    def decir(self, texto: str) -> None:
        print(f"{self.ahora():7.1f} s  {texto}", flush=True)

    def incidente(self, texto: str) -> None:
        """What nobody asked for; it goes into the report."""
        self.incidentes.append(f"{self.ahora():.1f} s: {texto}")
        self.decir(f"!! {texto}")


@dataclass(frozen=True, slots=True)
class Recuperacion:
    """Of the faults of one kind, median and maximum in s; None where there is nothing to measure."""

    tipo: str
    cuantas: int
    abajo: tuple[float, float] | None
    aceptada: tuple[float, float] | None
    terminada: tuple[float, float] | None


def recuperaciones(registro: Registro) -> list[Recuperacion]:
    """For each kind of fault how long the service was away, and until an order sent after the fault was
    accepted, and until the first of the orders sent after the fault had ended."""
    por_envio = sorted((enviada, id_orden) for id_orden, enviada in registro.pedidas.items())
    aceptadas = _primera_despues(por_envio, registro.aceptadas)
    terminadas = _primera_despues(por_envio, registro.terminadas)
    filas = []
    for tipo in sorted({falla.tipo for falla in registro.fallas}):
        fallas = [falla for falla in registro.fallas if falla.tipo == tipo]
        filas.append(
            Recuperacion(
                tipo,
                len(fallas),
                _resumen(falla.vuelta - falla.cuando for falla in fallas if falla.vuelta is not None),
                _resumen(_esperas(fallas, aceptadas)),
                _resumen(_esperas(fallas, terminadas)),
            )
        )
    return filas


def mayor_pausa(registro: Registro) -> tuple[float, float]:
    """The longest time, in s, in which no order ended although some were open; and when it ended."""
    hechos = sorted(
        [(cuando, 1) for cuando in registro.aceptadas.values()]
        + [(max(cuando, registro.aceptadas[i]), -1) for i, cuando in registro.terminadas.items()]
    )
    abiertas, desde, peor = 0, 0.0, (0.0, 0.0)
    for cuando, cambio in [*hechos, (time.monotonic(), 0)]:
        if abiertas and cambio <= 0:
            peor = max(peor, (cuando - desde, cuando - registro.inicio))
        if not abiertas or cambio < 0:
            desde = cuando
        abiertas += cambio
    return peor


def vidas(registro: Registro) -> list[float]:
    """From acceptance to end, in s, of the orders that have ended; ascending."""
    return sorted(max(0.0, fin - registro.aceptadas[id_orden]) for id_orden, fin in registro.terminadas.items())


def _primera_despues(por_envio: list[tuple[float, str]], cuando: dict[str, float]) -> list[tuple[float, float]]:
    """For each order its sending, and the earliest moment in `cuando` among the orders not sent before it."""
    pares, minimo = [], float("inf")
    for enviada, id_orden in reversed(por_envio):
        minimo = min(minimo, cuando.get(id_orden, float("inf")))
        pares.append((enviada, minimo))
    return pares[::-1]


def _esperas(fallas: Iterable[Falla], pares: list[tuple[float, float]]) -> list[float]:
    """From each fault to that moment of the first order sent after it."""
    momentos = ((f.cuando, next((m for enviada, m in pares if enviada >= f.cuando), None)) for f in fallas)
    return [momento - cuando for cuando, momento in momentos if momento is not None]


def _resumen(valores: Iterable[float]) -> tuple[float, float] | None:
    lista = list(valores)
    return (median(lista), max(lista)) if lista else None
