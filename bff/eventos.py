"""Server-Sent Events: the steps of an order's saga as they come, then the order as it ended.

An event's id names all that was sent up to it: steps that are logged late, or a connection that breaks, skip none.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from werkzeug.exceptions import BadRequest

from bff.espera import MAXIMA, esta_terminada, miradas
from bff.formatos import FORMATOS, PREFERIDO
from bff.lecturas import Fila, SinBaseDeDatos

TIPO: Final = "text/event-stream"
PRINCIPIO: Final = b"retry: 1000\n\n"
PACIENCIA: Final = 1
"""An order that was accepted a moment ago has this long, in s, to be seen; then it is none."""
FIN: Final = "fin"
ULTIMOS: Final = ("comando-marcar-listo-despacho", "comando-revertir-orden-creada")
"""A saga's last step, well or compensated."""
IDS: Final = rf"[0-9a-f]{{8}}(\.[0-9a-f]{{8}}){{0,200}}(\.{FIN})?"
"""The ids of events, as a regular expression."""


def vistos(ultimo_id: str | None) -> list[str]:
    """What the client has, as its Last-Event-ID says. Raises 400."""
    if ultimo_id is None:
        return []
    if not re.fullmatch(IDS, ultimo_id):
        raise BadRequest("Last-Event-ID must be the id of an event of this stream: begin again without it")
    return ultimo_id.split(".")


class Flujo:
    """Of one order. `leer` gives it as far as it can be read, and the steps of its saga. `visto`: was there any;
    `completo`: has the client got everything.
    """

    def __init__(self, leer: Callable[[], tuple[Fila | None, Sequence[Fila]]], vistos: list[str]) -> None:
        self._leer = leer
        self._vistos = vistos
        self.visto = False
        self.completo = False

    def eventos(self) -> Iterator[bytes]:
        """Until the end of the saga, at most MAXIMA s: then clients come again. So they do when a database is away."""
        try:
            limite = time.monotonic() + PACIENCIA
            for _ in miradas(MAXIMA):
                orden, pasos = self._leer()
                self.visto = self.visto or bool(pasos)
                yield from self._nuevos(orden, pasos)
                if self.completo or (not self.visto and time.monotonic() > limite):
                    return
        except SinBaseDeDatos:
            if not self.visto:
                raise

    def _nuevos(self, orden: Fila | None, pasos: Sequence[Fila]) -> Iterator[bytes]:
        for paso in pasos:
            if (marca := paso["id_mensaje"][-8:]) not in self._vistos:  # not its beginning, which is a time
                self._vistos.append(marca)
                yield self._evento("paso", paso)
        if esta_terminada(orden) and any(paso["evento"] in ULTIMOS for paso in pasos):
            self.completo = True
            if FIN not in self._vistos:
                self._vistos.append(FIN)
                yield self._evento("orden", orden)

    def _evento(self, nombre: str, datos: Fila) -> bytes:
        cuerpo = FORMATOS[PREFERIDO].escribir(datos)
        return f"id: {'.'.join(self._vistos)}\nevent: {nombre}\ndata: ".encode() + cuerpo + b"\n\n"
