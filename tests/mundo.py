"""All functions on a real PostgreSQL and a broker in memory, a step at a time, with a death wherever a test wants one.

The broker does what Pulsar does for functions with guarantee MANUAL: every subscription gets each message of its
topics; what is not acknowledged is delivered again, to whoever is there, in any order; what a client can't decode
is not its business. A dead instance forgets everything, and another one begins with what is not acknowledged.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import sqlalchemy as sa
from package import configuraciones

from functions.comun import base_datos, engine, publicador
from functions.comun.engine import Motor
from functions.comun.mensajes import Datos
from functions.comun.publicador import Recibido
from tests import motores
from tests.plataforma import Plataforma
from tests.pulsar_falso import PREFIJO, ClienteFalso, crudo, recibido

FUNCIONES: Final = tuple(configuraciones())
DEL_MOTOR: Final = tuple(modulo.__file__ for modulo in (engine, publicador, base_datos))
PLAZO: Final = "ordenes/comando-verificar-orden"


class Muerte(BaseException):
    """The process ends here: what it held in memory is gone, its transaction is undone."""


class Broker(ClienteFalso):
    """`colas` holds, for each function, the messages that it has not acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.colas: dict[str, dict[object, Recibido]] = {nombre: {} for nombre in FUNCIONES}
        self.acks_perdidos = False

    def guardar(self, topic: str, contenido: bytes, propiedades: dict[str, str]) -> None:
        super().guardar(topic, contenido, propiedades)
        for nombre in FUNCIONES:
            if PREFIJO + topic in motores.configuracion(nombre)["inputSpecs"]:
                mensaje = crudo(topic, contenido, **propiedades)
                self.colas[nombre][mensaje.crudo.message_id()] = mensaje

    def reconocer(self, nombre: str, id_mensaje: object) -> None:
        super().reconocer(nombre, id_mensaje)
        if not self.acks_perdidos:
            self.colas[nombre].pop(id_mensaje, None)

    def vaciar(self) -> None:
        self.publicados.clear()
        self.acks_perdidos = False
        for cola in self.colas.values():
            cola.clear()

    def enviar(self, *datos: Datos) -> None:
        for uno in datos:
            self.guardar(uno.topic, recibido(uno).crudo.data(), {})


class Mundo:
    """Every function, one instance each, made when first needed."""

    def __init__(self, bases: Plataforma) -> None:
        self.broker = Broker()
        self._bases = bases
        self._motores: dict[str, Motor] = {}

    def pendientes(self, nombre: str) -> list[Recibido]:
        return list(self.broker.colas[nombre].values())

    def entregar(self, nombre: str, lote: Sequence[Recibido], muere_en: int = 0) -> bool:
        """One batch; the instance dies at that line of the engine, from 1. False if it came to its end before."""
        motor = self._motores.get(nombre) or self._nacer(nombre)
        if not muere_en:
            motor._atender(lote)
            return False
        try:
            with _muerte_en(muere_en):
                motor._atender(lote)
        except Muerte:
            self._renacer(nombre)
            return True
        return False

    def a_medias(self, nombre: str, mensaje: Recibido) -> bool:
        """True if its effects are stored and perhaps not published: whoever loses it now loses what it leads to."""
        base = motores.configuracion(nombre)["userConfig"]["DB_NAME"]
        recibo = "select 1 from recibos where funcion = :funcion and id_mensaje = :id"
        return bool(self._bases.sql(base, recibo, funcion=nombre, id=mensaje.mensaje().id))

    def correr(self, sin: Sequence[str] = ()) -> None:
        """Until no function but those `sin` has anything left; what is to come later comes now."""
        activas = [nombre for nombre in FUNCIONES if nombre not in sin]
        while any(self.broker.colas[nombre] for nombre in activas):
            for nombre in activas:
                if lote := self.pendientes(nombre)[:500]:
                    self.entregar(nombre, lote)

    def vaciar(self) -> None:
        """As on the first day; the instances stay."""
        self.broker.vaciar()
        self._bases.vaciar()

    def cerrar(self) -> None:
        while self._motores:
            self._motores.popitem()[1].detener()

    def _nacer(self, nombre: str) -> Motor:
        self._motores[nombre] = Motor(motores.funcion(nombre), motores.contexto(self._bases, nombre, self.broker))
        return self._motores[nombre]

    def _renacer(self, nombre: str) -> None:
        """Another instance. It takes over the connection, whose transaction is undone: a new one takes 50 ms."""
        muerto = self._motores.pop(nombre)
        base, muerto._base = muerto._base, sa.create_engine("sqlite://")
        muerto.detener()
        self._nacer(nombre)._base = base


@contextmanager
def _muerte_en(linea: int) -> Iterator[None]:
    """Raises Muerte at the given one of the engine's lines: what it calls in between is all before the commit."""
    quedan = [linea]

    def en_linea(marco: FrameType, evento: str, _: Any) -> Any:
        if evento == "line":
            quedan[0] -= 1
            if quedan[0] == 0:
                raise Muerte(f"{marco.f_code.co_filename}:{marco.f_lineno}")
        return en_linea

    def en_llamada(marco: FrameType, _: str, __: Any) -> Any:
        return en_linea if marco.f_code.co_filename in DEL_MOTOR else None

    anterior = sys.gettrace()
    sys.settrace(en_llamada)
    try:
        yield
    finally:
        sys.settrace(anterior)
