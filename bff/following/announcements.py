"""Says which orders have changed: a Reader on the topic of their events, in each worker."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pulsar

from functions.messages.envelope import InvalidMessage
from functions.messages.ids import Id
from functions.messages.topics import full_name
from functions.pulsar_io.schema import AvroSchema

TOPIC: Final = "ordenes/evento-orden"
PAUSE: Final = 5.0
"""Seconds between two tries to read the topic."""
CHECK_EVERY: Final = 1.0
"""Seconds without an event after which the connection is looked at."""

_log = logging.getLogger(__name__)


class Announcements:
    """Tells of the events of orders as they come, in a thread of its own. What came before is not told of.

    The reader has no durable subscription: nothing is kept for it, and nothing is left of it. It needs the permission
    to consume; without it, or without the broker, nothing is told (`is_connected` is False), and others have to look.

    Parameters:
      client: the Pulsar client.

    Attributes:
      is_connected: whether events come.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._schema = AvroSchema(None, {"topic": TOPIC})
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="announcements", daemon=True)
        self.is_connected = False

    def start(self, is_wanted: Callable[[Id], bool], tell: Callable[[Id, bool], None]) -> None:
        """Begins to read.

        Parameters:
          is_wanted: whether anybody wants to know of this order: the events of others are not decoded.
          tell: is called with an order's id, and whether its saga has ended.
        """
        self._is_wanted, self._tell = is_wanted, tell
        self._thread.start()

    def close(self) -> None:
        """Reads no more; returns when the thread has ended, or after CHECK_EVERY."""
        self._closed.set()
        self._thread.join(2 * CHECK_EVERY)

    def _run(self) -> None:
        was_refused = False
        while not self._closed.is_set():
            try:
                with self._reader() as reader:
                    was_refused = False
                    self._read(reader)
            except Exception as error:  # whatever it is: orders can be read without it
                if not was_refused and not self._closed.is_set():
                    _log.warning("can't read %s, so orders are read again and again: %s", TOPIC, error)
                was_refused = True
            finally:
                self.is_connected = False
            self._closed.wait(PAUSE)

    def _reader(self) -> Any:
        reader = self._client.create_reader(full_name(TOPIC), pulsar.MessageId.latest, schema=self._schema)
        return _Closing(reader)

    def _read(self, reader: Any) -> None:
        while not self._closed.is_set():
            self.is_connected = reader.is_connected()
            with suppress(pulsar.Timeout):
                self._announce(reader.read_next(int(1000 * CHECK_EVERY)))

    def _announce(self, message: Any) -> None:
        key = Id(message.partition_key())
        if not self._is_wanted(key):
            return
        ended = True  # if it can't be read, it has to be looked for
        with suppress(InvalidMessage, pulsar.PulsarException):
            data: Any = message.value().message(with_trace=False).data
            ended = data.estado != "creada"
        self._tell(key, ended)


class _Closing:
    """A reader that is closed at the end of a `with`, whatever the broker says to that."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __enter__(self) -> Any:
        return self._reader

    def __exit__(self, *_: object) -> None:
        with suppress(pulsar.PulsarException):
            self._reader.close()
