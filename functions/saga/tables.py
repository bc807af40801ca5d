"""The saga log in the database `saga`: every command of every saga, once; quarantines too."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from functions.messages.envelope import Message
from functions.messages.payloads import (
    ComandoLiberarConductor,
    ComandoRevertirDisminuirStock,
    ComandoRevertirOrdenCreada,
)
from functions.postgres.arrays import columns

COMPENSATIONS: Final = (ComandoLiberarConductor, ComandoRevertirDisminuirStock, ComandoRevertirOrdenCreada)

_INSERT: Final = sa.text("""
    insert into sagalog (id_mensaje, transaction_id, id_orden, time_stamp, is_compensation, evento, contenido)
    select id_mensaje, transaction_id, id_orden, to_timestamp(cast(ms as float8) / 1000), is_compensation, evento,
           contenido
    from rows from (
        unnest(cast(:id_mensaje as uuid[]), cast(:transaction_id as uuid[]), cast(:id_orden as uuid[]),
               cast(:ms as bigint[]), cast(:is_compensation as boolean[]), cast(:evento as text[])),
        jsonb_array_elements(cast(:contents as jsonb)))
        as p (id_mensaje, transaction_id, id_orden, ms, is_compensation, evento, contenido)
    order by id_mensaje
    on conflict do nothing""")


def save(tx: sa.Connection, messages: Sequence[Message[Any]]) -> None:
    """Adds them to the log; those it has change nothing."""
    tx.execute(_INSERT, rows(messages))


def rows(messages: Sequence[Message[Any]]) -> dict[str, Any]:
    """The log's columns; `ms` since 1970-01-01 UTC. All payloads are one JSON array: one document to write, and for
    PostgreSQL to read.
    """
    payloads: list[Any] = [message.data for message in messages]
    contents = [{field: getattr(payload, field) for field in payload.__slots__} for payload in payloads]
    return {
        "id_mensaje": [message.id for message in messages],
        **columns(payloads, "transaction_id", "id_orden"),
        "ms": [message.time for message in messages],
        "is_compensation": [isinstance(payload, COMPENSATIONS) for payload in payloads],
        "evento": [payload.topic.partition("/")[2] for payload in payloads],
        "contents": _JSON.encode(contents),
    }


def _to_text(value: object) -> str:
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)


_JSON: Final = json.JSONEncoder(default=_to_text, ensure_ascii=False)
