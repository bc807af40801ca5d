"""The saga log in the database `saga`: every command of every saga, once; quarantines too."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from functions.comun.base_datos import columnas
from functions.comun.mensajes import LiberarConductor, Mensaje, RevertirDisminuirStock, RevertirOrdenCreada

COMPENSACIONES: Final = (LiberarConductor, RevertirDisminuirStock, RevertirOrdenCreada)

_ANOTAR: Final = sa.text("""
    insert into sagalog (id_mensaje, transaction_id, id_orden, time_stamp, is_compensation, evento, contenido)
    select id_mensaje, transaction_id, id_orden, to_timestamp(cast(ms as float8) / 1000), is_compensation, evento,
           contenido
    from rows from (
        unnest(cast(:id_mensaje as uuid[]), cast(:transaction_id as uuid[]), cast(:id_orden as uuid[]),
               cast(:ms as bigint[]), cast(:is_compensation as boolean[]), cast(:evento as text[])),
        jsonb_array_elements(cast(:contenidos as jsonb)))
        as p (id_mensaje, transaction_id, id_orden, ms, is_compensation, evento, contenido)
    order by id_mensaje
    on conflict do nothing""")


def anotar(tx: sa.Connection, mensajes: Sequence[Mensaje[Any]]) -> None:
    """Adds them to the log; those it has change nothing."""
    tx.execute(_ANOTAR, filas(mensajes))


def filas(mensajes: Sequence[Mensaje[Any]]) -> dict[str, Any]:
    """The log's columns; `ms` since 1970-01-01 UTC. All payloads are one JSON array: one document to write, and for
    PostgreSQL to read.
    """
    datos: list[Any] = [mensaje.data for mensaje in mensajes]
    contenidos = [{campo: getattr(dichos, campo) for campo in dichos.__slots__} for dichos in datos]
    return {
        "id_mensaje": [mensaje.id for mensaje in mensajes],
        **columnas(datos, "transaction_id", "id_orden"),
        "ms": [mensaje.time for mensaje in mensajes],
        "is_compensation": [isinstance(dichos, COMPENSACIONES) for dichos in datos],
        "evento": [dichos.topic.partition("/")[2] for dichos in datos],
        "contenidos": _JSON.encode(contenidos),
    }


def _a_texto(valor: object) -> str:
    return valor.isoformat(timespec="milliseconds") if isinstance(valor, datetime) else str(valor)


_JSON: Final = json.JSONEncoder(default=_a_texto, ensure_ascii=False)
