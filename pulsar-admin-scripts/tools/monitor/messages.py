"""Messages for the live view: the newest of a topic, and all that topics still have of one order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote

import pulsar

from functions.cluster.admin_rest import AdminUnavailable, Api
from functions.messages.payloads import PAYLOADS
from functions.messages.topics import TENANT
from tools.cluster.topics import dead_letter_topics
from tools.messages.listener import Listener
from tools.messages.received import ReceivedMessage, read_message
from tools.messages.writer_schemas import SchemaRegistry

INITIAL_ENTRIES: Final = 50
"""How many of a topic's newest entries are shown at first; a batch of messages is one entry."""
KeepGoing = Callable[[], bool]
"""False once nobody wants to see messages any more."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages that came since the batch before, perhaps none.

    `read_count`: how many messages they were chosen from; `connected`: the broker is available.
    """

    messages: Sequence[ReceivedMessage]
    read_count: int
    connected: bool


class MessageSource(Protocol):
    """Where messages come from. Both iterators go on until `keep_going` is False, and raise pulsar.PulsarException or
    AdminUnavailable if the cluster can't be read.
    """

    def by_topic(self, topic: str, keep_going: KeepGoing) -> Iterator[Batch]:
        """A topic's newest messages, and those that are published from now on."""

    def by_orden(self, id_orden: str, keep_going: KeepGoing) -> Iterator[Batch]:
        """All messages of one order that topics still have, and those that are published from now on."""

    def close(self) -> None:
        """Ends the connection to the cluster."""


class ClusterMessages:
    """The messages of a real cluster. Reading them leaves nothing behind in it."""

    def __init__(self, client: pulsar.Client, broker: Api) -> None:
        """`broker`: the brokers' admin API, which knows where a topic's newest entries are."""
        self._client, self._broker = client, broker

    def close(self) -> None:
        self._client.close()

    def by_topic(self, topic: str, keep_going: KeepGoing) -> Iterator[Batch]:
        internal_stats = self._broker.read(f"/admin/v2/persistent/{TENANT}/{quote(topic)}/internalStats")
        if internal_stats is None:
            raise AdminUnavailable(f"{topic} is missing, or has partitions, whose messages are not shown here")
        return self._read([topic], start_position(internal_stats), lambda _: True, keep_going)

    def by_orden(self, id_orden: str, keep_going: KeepGoing) -> Iterator[Batch]:
        def is_of_orden(message: ReceivedMessage) -> bool:
            return str(message.decoded.data.get("id_orden")) == id_orden

        topics = [*sorted(PAYLOADS), *dead_letter_topics()]
        return self._read(topics, pulsar.MessageId.earliest, is_of_orden, keep_going)

    def _read(
        self, topics: Sequence[str], since: Any, is_selected: Callable[[ReceivedMessage], bool], keep_going: KeepGoing
    ) -> Iterator[Batch]:
        schemas = SchemaRegistry(self._client)
        listener = Listener(self._client, topics, since)
        try:
            while keep_going():
                all_messages = [
                    read_message(schemas, topic, message, topic in dead_letter_topics())
                    for topic, message in listener.read()
                ]
                selected = [message for message in all_messages if is_selected(message)]
                yield Batch(selected, len(all_messages), listener.connected)
        finally:
            listener.close()


def start_position(internal_stats: Mapping[str, Any], count: int = INITIAL_ENTRIES) -> Any:
    """The message id just before a topic's newest `count` entries, by its internalStats; a Reader begins after it."""
    for ledger in reversed(internal_stats["ledgers"]):
        ledger_id, entries = ledger["ledgerId"], ledger["entries"]
        last_ledger_id, _, last_entry = internal_stats["lastConfirmedEntry"].partition(":")
        if last_ledger_id == str(ledger_id):  # the ledger that is being written says that it has no entries yet
            entries = int(last_entry) + 1
        if entries >= count:
            return pulsar.MessageId(-1, ledger_id, entries - count - 1, -1)
        count -= entries
    return pulsar.MessageId.earliest
