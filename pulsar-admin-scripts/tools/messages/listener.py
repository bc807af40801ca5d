"""Reads several topics at once: their messages as they come, in the order in which they were published."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pulsar

from functions.messages.topics import PREFIX, is_dead_letter_topic

BATCH_SIZE: Final = 500
"""Messages of one topic that are held here, at most, and as many again in the client; ours have at most 64 KiB."""
DEAD_LETTER_BATCH_SIZE: Final = 20
"""The same for a dead-letter topic, whose messages may have megabytes."""
READ_TIMEOUT_MS: Final = 1
"""How long one topic's next message is waited for, in ms, if no topic is known to have more."""
Received = tuple[int, Any]
"""When a message was published, in ms since 1970-01-01 UTC, but never before the topic's previous one; and the client's
own message.
"""


class TopicReader:
    """Reads one topic, and holds what `Listener` can't return yet.

    A Pulsar Reader's subscription ends with its connection: nothing stays in the cluster.
    """

    def __init__(self, client: pulsar.Client, topic: str, start: pulsar.MessageId, since: int) -> None:
        """`topic`: short name; `since`: leaves out what was published before, in ms since 1970-01-01 UTC."""
        self.topic, self._since = topic, since
        self._newest = 0
        self._batch_size = DEAD_LETTER_BATCH_SIZE if is_dead_letter_topic(topic) else BATCH_SIZE
        self.queue: deque[Received] = deque()
        self.reader = client.create_reader(PREFIX + topic, start, receiver_queue_size=self._batch_size)
        if since:
            self.reader.seek(since)

    @property
    def is_full(self) -> bool:
        """True if the topic may have more than is held here."""
        return len(self.queue) >= self._batch_size

    def fill(self, timeout: int) -> bool:
        """Reads until the queue is full, or nothing comes for `timeout` ms; True if something came."""
        before = len(self.queue)
        while not self.is_full:
            try:
                message = self.reader.read_next(timeout)
            except pulsar.Timeout:
                break
            timestamp = message.publish_timestamp()
            if timestamp >= self._since:
                self._newest = max(self._newest, timestamp)
                self.queue.append((self._newest, message))
        return len(self.queue) > before

    def take(self, until: float) -> Iterator[tuple[int, str, Any]]:
        """Takes the messages published until then out of the queue: when, topic, message."""
        while self.queue and self.queue[0][0] <= until:
            timestamp, message = self.queue.popleft()
            yield timestamp, self.topic, message


class Listener:
    """Reads several topics, and merges their messages by the time of publication.

    What comes late from one topic may still be returned after newer messages of another: the order is by what was read
    until then, and senders' clocks may differ. Messages of one topic stay in their order.
    """

    def __init__(self, client: pulsar.Client, topics: Sequence[str], start: pulsar.MessageId, since: int = 0) -> None:
        """`topics`: short names; `start`: where reading begins in each; `since`: as for TopicReader."""
        self._readers = [TopicReader(client, topic, start, since) for topic in topics]
        self._newest_seen = 0

    @property
    def is_behind(self) -> bool:
        """True if topics have more messages than were read."""
        return any(reader.is_full for reader in self._readers)

    @property
    def connected(self) -> bool:
        """True if every topic's reader has its connection."""
        return all(reader.reader.is_connected() for reader in self._readers)

    def close(self) -> None:
        """Closes the readers. Needed only if the client is used further: closing the client closes them, too."""
        for reader in self._readers:
            reader.reader.close()

    def read(self) -> list[tuple[str, Any]]:
        """The messages that came, each with its topic; perhaps none.

        The newest are held back until the next call: their cause may be in a topic that was read before it came there.
        """
        got_any = self._fill()
        # a full queue's topic may have more messages, which are no older than its last one: nothing newer may pass
        limits = [reader.queue[-1][0] for reader in self._readers if reader.is_full]
        if got_any and not limits:
            limits = [self._newest_seen]
        self._newest_seen = max([self._newest_seen, *(reader.queue[-1][0] for reader in self._readers if reader.queue)])
        limit = min(limits, default=self._newest_seen)
        output = sorted((item for reader in self._readers for item in reader.take(limit)), key=lambda item: item[0])
        return [(topic, message) for _, topic, message in output]

    def _fill(self) -> bool:
        """Reads each topic; True if something came."""
        timeout = 0 if self.is_behind else READ_TIMEOUT_MS
        came = [reader.fill(timeout) for reader in self._readers]
        return any(came)
