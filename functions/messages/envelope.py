"""The envelope: what every message says beside its payload, after the attributes of CloudEvents."""

import time
from datetime import UTC, datetime
from typing import Generic, TypeVar

from functions.messages.frozen import frozen
from functions.messages.ids import Id
from functions.messages.payloads import Payload
from functions.messages.trace import Trace


class InvalidMessage(Exception):
    """A message that can be processed neither now nor later: undecodable, or about something impossible. Says why."""


def require_same_saga(id_orden: Id, known: Id | None, transaction_id: Id) -> None:
    """Raises InvalidMessage if a message about an order says another `transaction_id` than the saga that is known for
    it, None if none is: whoever sent it is no part of the order's saga.
    """
    if known is not None and transaction_id != known:
        raise InvalidMessage(f"transaction_id is {transaction_id}: the saga of id_orden {id_orden} is another one")


def has_expired(vence: datetime | None, now: datetime) -> bool:
    """True if a command that is wanted until `vence`, None for ever, is no longer wanted: whoever sent it has given the
    order up, or asks again. It then has no effect, and no answer.
    """
    return vence is not None and vence <= now


D = TypeVar("D", bound=Payload, covariant=True)


@frozen
class Message(Generic[D]):
    """A decoded message: those attributes of its envelope that the code needs, and its payload in `data`.

    `time`: when it was written; `ingestion`: when the request that began the chain came in, both in ms since 1970-01-01
    UTC. `trace`: the trace that it belongs to, which a property of the message says, not its bytes.
    """

    id: Id
    ingestion: int
    time: int
    data: D
    trace: Trace | None = None


def now() -> datetime:
    """The time now in UTC, in whole milliseconds as messages carry it."""
    ms = time.time_ns() // 1_000_000
    return datetime.fromtimestamp(ms / 1000, UTC)
