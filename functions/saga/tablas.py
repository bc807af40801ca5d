"""The saga log in the database `saga`: every command of every saga, once; quarantines too."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from functions.comun.base_datos import columnas
from functions.comun.ids import Id
from functions.comun.inmutable import inmutable

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


@inmutable
class Paso:
    """One step of a saga, which is None if not known. `ms` is when the message was sent, since 1970-01-01 UTC, and
    `contenido` its payload.
    """

    id_mensaje: Id
    transaction_id: Id | None
    id_orden: Id | None
    ms: int
    is_compensation: bool
    evento: str
    contenido: Mapping[str, object]


def anotar(tx: sa.Connection, pasos: Sequence[Paso]) -> None:
    """Adds steps to the log; those it has change nothing."""
    campos = ("id_mensaje", "transaction_id", "id_orden", "ms", "is_compensation", "evento")
    tx.execute(_ANOTAR, {**columnas(pasos, *campos), "contenidos": contenidos(pasos)})


def contenidos(pasos: Sequence[Paso]) -> str:
    """All in one JSON array: one document to write, and for PostgreSQL to read."""
    return _JSON.encode([paso.contenido for paso in pasos])


def _a_texto(valor: object) -> str:
    return valor.isoformat(timespec="milliseconds") if isinstance(valor, datetime) else str(valor)


_JSON: Final = json.JSONEncoder(default=_a_texto, ensure_ascii=False)
