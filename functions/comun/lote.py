"""Batches: decide message by message on the newest state, then see what is new and what has changed."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from functions.comun.mensajes import Datos, EventoOrden, EventoProducto, Mensaje

A = TypeVar("A")
D = TypeVar("D", bound=Datos)
V = TypeVar("V", EventoOrden, EventoProducto)
Salidas = list[list[Datos]]
"""What each message of a batch leads to, in the batch's order."""


def ids(lote: Sequence[Mensaje[Datos]], campo: str) -> list[UUID]:
    """The different values of a payload field."""
    return list({getattr(mensaje.data, campo) for mensaje in lote})


def aplicar(
    antes: Mapping[UUID, A],
    lote: Sequence[Mensaje[D]],
    decidir: Callable[[A | None, D], tuple[A, list[Datos]]],
) -> tuple[dict[UUID, A], Salidas]:
    """Each message's decision on its aggregate, found by the partition key: the states after, the outputs."""
    despues, salidas = dict(antes), []
    for mensaje in lote:
        clave = getattr(mensaje.data, mensaje.data.clave)
        despues[clave], publicar = decidir(despues.get(clave), mensaje.data)
        salidas.append(publicar)
    return despues, salidas


def nuevos(antes: Mapping[UUID, A], despues: Mapping[UUID, A]) -> list[A]:
    """What was not there before."""
    return [estado for clave, estado in despues.items() if clave not in antes]


def cambiados(antes: Mapping[UUID, A], despues: Mapping[UUID, A]) -> list[A]:
    """What was there before and is different now."""
    return [despues[clave] for clave, estado in antes.items() if despues[clave] is not estado]


def ultimos(lote: Sequence[Mensaje[V]]) -> list[V]:
    """The newest state of each aggregate among these domain events."""
    por_version = sorted((mensaje.data for mensaje in lote), key=lambda evento: evento.version)
    return list({getattr(evento, evento.clave): evento for evento in por_version}.values())
