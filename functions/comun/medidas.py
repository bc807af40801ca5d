"""What Prometheus is told of each batch: user metrics of the function, `pulsar_function_user_metric{metric="…"}`.

Recorded after the commit, so that each effect counts once: a process that dies in between forgets some, invents none.
Read the sums of counters; of times and sizes the count is that of the batches.
"""

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from functions.comun.mensajes import Datos, EventoOrden, Mensaje

DUPLICADOS: Final = "duplicates"
CUARENTENAS: Final = "quarantined"
FALLAS: Final = "infrastructure_failures"
RECHAZOS: Final = "schema_refusals"
LIMITES: Final = ("0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf")
"""Of the histogram of `saga_seconds`: Pulsar has none, so each bucket is a metric, and Prometheus joins them."""
_CUBETAS: Final = {f"saga_seconds_le_{limite}": float(limite) for limite in LIMITES}
MOTIVOS: Final = 20
"""Different reasons of compensations that are counted apart: whoever may publish can think of more."""


class Medidas:
    """`anotar`: the context's `record_metric`."""

    def __init__(self, anotar: Callable[[str, float], None]) -> None:
        self.anotar = anotar
        self._motivos: set[str] = set()
        # an increase can be seen only of what was there before
        for contador in (DUPLICADOS, CUARENTENAS, FALLAS, RECHAZOS):
            anotar(contador, 0)

    @contextmanager
    def tiempo(self, nombre: str) -> Iterator[None]:
        """In s, of what is inside, unless it fails."""
        inicio = time.perf_counter()
        yield
        self.anotar(nombre, time.perf_counter() - inicio)

    def decididas(self, causas: Sequence[Mensaje[Datos]], decisiones: Sequence[Sequence[Datos]]) -> None:
        """What became of orders: begun, ended, why, and how long after the request."""
        ahora, cuentas, duraciones = time.time(), Counter[str](), list[float]()
        for causa, salidas in zip(causas, decisiones, strict=True):
            for orden in salidas:
                if isinstance(orden, EventoOrden):
                    cuentas[f"orders_{orden.estado}"] += 1
                    if orden.estado != "creada":
                        duraciones.append(ahora - causa.ingestion / 1000)
                    if orden.motivo is not None:
                        cuentas[f"compensations_{self._nombre(orden.motivo)}"] += 1
        for nombre, cuenta in cuentas.items():
            self.anotar(nombre, cuenta)
        if duraciones:
            self._terminadas(sorted(duraciones))

    def _terminadas(self, duraciones: Sequence[float]) -> None:
        """In s, ascending."""
        for segundos in duraciones:
            self.anotar("saga_seconds", segundos)
        for nombre, limite in _CUBETAS.items():
            if cuantas := bisect_right(duraciones, limite):
                self.anotar(nombre, cuantas)

    def _nombre(self, motivo: str) -> str:
        nombre = "_".join("".join(c if c.isalnum() else " " for c in motivo.lower()).split())[:40]
        if len(self._motivos) < MOTIVOS:
            self._motivos.add(nombre)
        return nombre if nombre in self._motivos else "otros"
