"""Batches: decide message by message on the newest state, then see what is new and what has changed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from functions.comun.ids import Id
from functions.comun.mensajes import Datos, EventoOrden, EventoProducto, Mensaje

A = TypeVar("A")
D = TypeVar("D", bound=Datos)
V = TypeVar("V", EventoOrden, EventoProducto)
Salidas = list[list[Datos]]
"""What each message of a batch leads to, in the batch's order."""


def ids(lote: Sequence[Mensaje[Datos]], campo: str) -> list[Id]:
    """The different values of a payload field."""
    return list({getattr(mensaje.data, campo) for mensaje in lote})


def decidir(
    tx: Any,
    lote: Sequence[Mensaje[D]],
    cargar: Callable[[Any, Sequence[Id]], dict[Id, A]],
    decision: Callable[[A | None, D], tuple[A, list[Datos]]],
    guardar: Callable[[Any, Mapping[Id, A], Mapping[Id, A]], None],
) -> Salidas:
    """Load, decide message by message on its aggregate, which the partition key names, save; the outputs."""
    clave = lote[0].data.clave
    antes, salidas = cargar(tx, ids(lote, clave)), []
    despues = dict(antes)
    for mensaje in lote:
        id_agregado = getattr(mensaje.data, clave)
        despues[id_agregado], publicar = decision(despues.get(id_agregado), mensaje.data)
        salidas.append(publicar)
    guardar(tx, antes, despues)
    return salidas


def ninguno(_tx: Any, _ids: Sequence[Id]) -> dict[Id, Any]:
    """Loads nothing: for aggregates that are probably not there yet."""
    return {}


def nuevos(antes: Mapping[Id, A], despues: Mapping[Id, A]) -> list[A]:
    """What was not there before."""
    return [estado for clave, estado in despues.items() if clave not in antes]


def cambiados(antes: Mapping[Id, A], despues: Mapping[Id, A]) -> list[A]:
    """What was there before and is different now."""
    return [despues[clave] for clave, estado in antes.items() if despues[clave] is not estado]


def ultimos(lote: Sequence[Mensaje[V]]) -> list[V]:
    """The newest state of each aggregate among these domain events."""
    por_version = sorted((mensaje.data for mensaje in lote), key=lambda evento: evento.version)
    return list({getattr(evento, evento.clave): evento for evento in por_version}.values())
