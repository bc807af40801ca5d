"""What a function tells the engine: how it wants to be run, and what a batch of messages does."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from functions.messages.payloads import Payload

BATCH_SIZE: Final = 500
"""Messages in one transaction, at most, unless the function says fewer."""


class Handler:
    """What a batch of messages does, and how the engine runs it.

    The engine calls `handle` or `handle_new` with the messages of one batch, each with a different id, inside one
    transaction. It may call again with the same messages in another transaction, after the first was undone: a handler
    keeps nothing in memory. A business refusal is a returned payload; an exception means that the message is invalid
    (InvalidMessage), that the infrastructure is unavailable, or that there is a bug.
    """

    batch_size = BATCH_SIZE
    """Messages in one transaction, at most."""
    linger = 0.0
    """Linger in seconds: how long a batch waits for more messages. Zero except for functions that nobody waits for."""
    uses_receipts = True
    """False for a function whose writes are idempotent by themselves and that publishes nothing."""
    config: Mapping[str, Any] = {}
    """The function's userConfig; the engine sets it before the first batch."""

    def handle(self, tx: Any, messages: Sequence[Any]) -> Sequence[Sequence[Payload]]:
        """Loads, decides and saves in the transaction `tx`. Returns what each message leads to, in their order."""
        raise NotImplementedError

    def handle_new(self, tx: Any, messages: Sequence[Any]) -> Sequence[Sequence[Payload]]:
        """The same for messages that are probably new. A function that creates a row need not read it first then: if
        the row exists, saving fails, the transaction is undone, and the engine calls `handle`.
        """
        return self.handle(tx, messages)
