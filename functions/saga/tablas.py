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
    select * from rows from (
        unnest(cast(:id_mensaje as uuid[]), cast(:transaction_id as uuid[]), cast(:id_orden as uuid[]),
               cast(:time_stamp as timestamptz[]), cast(:is_compensation as boolean[]), cast(:evento as text[])),
        jsonb_array_elements(cast(:contenidos as jsonb))) order by 1
    on conflict do nothing""")


@inmutable
class Paso:
    """One step of a saga, which is None if not known. `contenido` is the message's payload."""

    id_mensaje: Id
    transaction_id: Id | None
    id_orden: Id | None
    time_stamp: datetime
    is_compensation: bool
    evento: str
    contenido: Mapping[str, object]


def anotar(tx: sa.Connection, pasos: Sequence[Paso]) -> None:
    """Adds steps to the log; those it has change nothing."""
    campos = ("id_mensaje", "transaction_id", "id_orden", "time_stamp", "is_compensation", "evento")
    tx.execute(_ANOTAR, {**columnas(pasos, *campos), "contenidos": contenidos(pasos)})


def contenidos(pasos: Sequence[Paso]) -> str:
    """All in one JSON array: one document to write, and for PostgreSQL to read."""
    return _JSON.encode([paso.contenido for paso in pasos])


def _a_texto(valor: object) -> str:
    return valor.isoformat(timespec="milliseconds") if isinstance(valor, datetime) else str(valor)


_JSON: Final = json.JSONEncoder(default=_a_texto, ensure_ascii=False)
