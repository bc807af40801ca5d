"""The audit of what operators do with dead letters: events that the function registrar-saga writes to the saga log."""

import time
from contextlib import suppress
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from dlq_letters import Carta
from dlq_mailbox import topic
from terminal import seguro
from writer_schemas import Lectura

from functions.comun.codec import Publicacion, publicacion
from functions.comun.ids import Id, leer
from functions.comun.mensajes import EventoCuarentena


@dataclass(frozen=True, slots=True)
class Auditoria:
    """Who does what, and why."""

    accion: str
    motivo: str
    operador: str

    def evento(self, carta: Carta, lectura: Lectura) -> Publicacion:
        """Always the same for the same act: an operator who does it again after a crash changes nothing."""
        datos = {campo: lectura.datos.get(campo) for campo in ("id_orden", "transaction_id")}
        evento = EventoCuarentena(
            funcion=carta.funcion,
            origen=_limpio(carta.propiedades.get("dlq-topic", topic(carta.funcion))),
            id_mensaje=_limpio(carta.propiedades.get("dlq-message-id", carta.id)),
            accion=self.accion,
            motivo=_limpio(self.motivo),
            operador=_limpio(self.operador),
            **{campo: _id(valor) for campo, valor in datos.items()},
        )
        acto = (topic(carta.funcion), carta.id, carta.publicada, self.accion, self.motivo, self.operador)
        ingestion = lectura.sobre.get("ingestion")
        cuando = ingestion if isinstance(ingestion, int) else time.time_ns() // 1_000_000
        return publicacion(Id(str(uuid5(NAMESPACE_URL, repr(acto)))), cuando, "dlq", evento)


def _id(valor: object) -> Id | None:
    """None for what is none: letters hold whatever was sent."""
    with suppress(ValueError):
        return leer(str(valor))
    return None


def _limpio(texto: str) -> str:
    return seguro(texto)[:1000]
