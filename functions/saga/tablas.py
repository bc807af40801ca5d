"""The saga log in the database `saga`: every command of every saga, once; quarantines too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from functions.comun.base_datos import columnas

_ANOTAR: Final = sa.text("""
    insert into sagalog (id_mensaje, transaction_id, id_orden, time_stamp, is_compensation, evento, contenido)
    select * from unnest(cast(:id_mensaje as uuid[]), cast(:transaction_id as uuid[]), cast(:id_orden as uuid[]),
                         cast(:time_stamp as timestamptz[]), cast(:is_compensation as boolean[]),
                         cast(:evento as text[]), cast(:contenido as jsonb[])) order by 1
    on conflict do nothing""")


@dataclass(frozen=True, slots=True)
class Paso:
    """One step of a saga, which is None if not known. `contenido` is the message's payload as JSON."""

    id_mensaje: UUID
    transaction_id: UUID | None
    id_orden: UUID | None
    time_stamp: datetime
    is_compensation: bool
    evento: str
    contenido: str


def anotar(tx: sa.Connection, pasos: Sequence[Paso]) -> None:
    """Adds steps to the log; those it has change nothing."""
    campos = ("id_mensaje", "transaction_id", "id_orden", "time_stamp", "is_compensation", "evento", "contenido")
    tx.execute(_ANOTAR, columnas(pasos, *campos))
