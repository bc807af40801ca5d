"""Receipts: inbox and outbox in one row for each message that a function has handled."""

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from functions.messages.envelope import Message
from functions.messages.ids import Id
from functions.messages.outgoing import Outgoing, pack, unpack
from functions.messages.payloads import Payload
from functions.postgres.errors import server_field

_FIND: Final = sa.text("""
    select id_mensaje, salidas from recibos where funcion = :funcion and id_mensaje = any(cast(:ids as uuid[]))""")
_SAVE: Final = sa.text("""
    insert into recibos (funcion, id_mensaje, salidas)
    select :funcion, * from unnest(cast(:ids as uuid[]), cast(:salidas as bytea[])) order by 2""")


def repeated(tx: sa.Connection, function: str, messages: Mapping[Id, Message[Payload]]) -> dict[Id, list[Outgoing]]:
    """The stored outputs of those of `messages` that `function` has a receipt for, by the message's id: they are to be
    published again.
    """
    rows = tx.execute(_FIND, {"funcion": function, "ids": list(messages)})
    return {cause: unpack(bytes(outputs), messages[cause].trace) for cause, outputs in rows}


def save(tx: sa.Connection, function: str, outputs: Mapping[Id, Sequence[Outgoing]]) -> None:
    """Writes a receipt for each message id, with its outputs. Waits while another instance is at work on the same
    message, an orphaned one for example; if that one commits, COMMIT fails here (`is_duplicate`).
    """
    packed = [pack(outgoing) for outgoing in outputs.values()]
    tx.execute(_SAVE, {"funcion": function, "ids": list(outputs), "salidas": packed})


def is_duplicate(error: Exception) -> bool:
    """True if a message has a receipt already: the transaction would have done what is done."""
    return isinstance(error, DBAPIError) and server_field(error.orig, "n") == "recibos_pkey"
