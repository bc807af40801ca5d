"""From the letters that an operator means to what is done with them: publish, audit, acknowledge, in this order."""

import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pulsar
from client import PLAZO
from dlq_actions import Accion
from dlq_audit import Auditoria
from dlq_letters import Carta, Filtro
from dlq_mailbox import Buzon, contar, topic
from dlq_print import Progreso
from terminal import seguro
from writer_schemas import Esquemas, Lectura

from functions.comun.publicador import NoPublicado, Publicador

LOTE: Final = 100
"""Letters at once, at most."""
BYTES: Final = 8 * 1024 * 1024
"""Of all letters at once, at most; but always one letter."""
SENALES: Final = (signal.SIGINT, signal.SIGTERM)
Leida = tuple[Carta, Lectura]


@dataclass(frozen=True, slots=True)
class Recorrido:
    """Which letters of which functions."""

    cliente: pulsar.Client
    esquemas: Esquemas
    funciones: Sequence[str]
    filtro: Filtro

    def visitar(self, visita: Callable[[Buzon, Iterator[Leida]], None]) -> bool:
        """Shows each function's letters; False if some of them did not come."""
        print("counting letters …", file=sys.stderr, flush=True)
        cuentas = {funcion: cuantas for funcion, cuantas in contar(self.funciones).items() if cuantas}
        progreso, completo = Progreso(sum(cuentas.values())), True
        for funcion, cuantas in cuentas.items():
            with Buzon(self.cliente, funcion, cuantas) as buzon:
                visita(buzon, self._elegidas(funcion, progreso.contar(buzon)))
            if buzon.incompleto:
                aviso = f"not all {cuantas} letters of {topic(funcion)} came: the broker is slow, or one is incomplete"
                print(f"warning: {aviso}; run this again", file=sys.stderr)
                completo = False
        return completo

    def _elegidas(self, funcion: str, cartas: Iterable[Carta]) -> Iterator[Leida]:
        pedidas = sum(1 for nombre, _ in self.filtro.ids or () if nombre == funcion.partition("/")[2])
        for carta in cartas:
            lectura = self.esquemas.leer(carta.topic, carta.version, carta.cuerpo)
            if self.filtro.elige(carta, lectura.datos):
                yield carta, lectura
                pedidas -= 1
                if pedidas == 0:
                    return


class Tratamiento:
    """Redrives or discards letters; or, not `en_serio`, only says what it would do."""

    def __init__(self, accion: Accion, auditoria: Auditoria, cliente: pulsar.Client, en_serio: bool) -> None:
        self._accion, self._auditoria, self._en_serio = accion, auditoria, en_serio
        self._publicador = Publicador(cliente, plazo_ms=1000 * PLAZO)
        self.vistas: set[str] = set()
        self.hechas = 0
        self.fallidas = 0

    def visitar(self, buzon: Buzon, elegidas: Iterator[Leida]) -> None:
        for lote in lotes(elegidas):
            self.vistas.update(carta.id for carta, _ in lote)
            posibles = []
            for carta, lectura in lote:
                if impedimento := self._accion.impedimento(carta):
                    self._fallo(carta, impedimento)
                else:
                    posibles.append((carta, lectura))
            if self._en_serio and posibles:
                with sin_interrumpir():
                    self._tratar(buzon, posibles)
            else:
                self._decir(f"would {self._accion.verbo}", posibles)

    def _tratar(self, buzon: Buzon, lote: Sequence[Leida]) -> None:
        fallos = self._accion.hacer([carta for carta, _ in lote])
        hechas = [leida for leida in lote if leida[0].id not in fallos]
        if not hechas and len(lote) > 1:
            raise NoPublicado(f"{next(iter(fallos.values()))}; none of {len(lote)} letters is done, they stay")
        self._publicador.publicar([self._auditoria.evento(*leida) for leida in hechas])
        for carta, _ in hechas:
            buzon.acusar(carta)
        self._decir(self._accion.hecho, hechas)
        for carta, _ in lote:
            if fallo := fallos.get(carta.id):
                self._fallo(carta, fallo)

    def _decir(self, verbo: str, cartas: Sequence[Leida]) -> None:
        self.hechas += len(cartas)
        for carta, _ in cartas:
            print(f"{verbo} {carta.id}{seguro(self._accion.destino(carta))}")
            if carta.posicion.indice >= 0:
                aviso = "was published in a batch: it leaves only together with all letters of its batch"
                print(f"warning: {carta.id} {aviso}", file=sys.stderr)

    def _fallo(self, carta: Carta, motivo: str) -> None:
        self.fallidas += 1
        print(f"error: can't {self._accion.verbo} {carta.id}: {seguro(motivo)}", file=sys.stderr)


def lotes(elegidas: Iterable[Leida]) -> Iterator[list[Leida]]:
    """At most LOTE letters, and BYTES unless one alone is bigger."""
    lote: list[Leida] = []
    for leida in elegidas:
        if lote and (len(lote) == LOTE or sum(len(c.cuerpo) for c, _ in lote) + len(leida[0].cuerpo) > BYTES):
            yield lote
            lote = []
        lote.append(leida)
    if lote:
        yield lote


@contextmanager
def sin_interrumpir() -> Iterator[None]:
    """Ctrl-C and SIGTERM take effect at the end of this, not in between."""
    pedido: list[int] = []
    antes = {senal: signal.signal(senal, lambda numero, _: pedido.append(numero)) for senal in SENALES}
    try:
        yield
    finally:
        for senal, accion in antes.items():
            signal.signal(senal, accion)
    if pedido:
        raise KeyboardInterrupt
