"""Event streams over the real HTTP server: who leaves gives its place back, and who comes too late comes again."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.integration.test_bff_server import free_port
from tests.support.bff_with_fakes import ID_ORDEN, PLACES
from tests.support.platform import ROOT, wait_for

WAITS, BUSY = b"\r\nretry: 1000\n", b"\nretry: 3000\n"


class Stream:
    """An open event stream, as a browser's EventSource asks for it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        head = f"GET /orders/{ID_ORDEN}/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"
        self.socket.sendall(head.encode())
        self.received = b""
        while not any(end in self.received for end in (b"event: paso", BUSY)):
            self.received += self.socket.recv(65536)

    @property
    def waits(self) -> bool:
        """Whether it has a place, and so goes on."""
        assert (WAITS in self.received) != (BUSY in self.received)
        return WAITS in self.received

    def leave(self) -> None:
        self.socket.close()


@pytest.fixture
def port() -> Iterator[int]:
    number = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.support.bff_with_fakes", str(number)], cwd=ROOT)

    def listens() -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", number), 1).close()
            return True
        return False

    wait_for("the server", listens)
    yield number
    process.terminate()
    process.wait(20)


def test_one_too_many_is_told_to_come_again(port: int) -> None:
    streams = [Stream(port) for _ in range(PLACES + 1)]
    assert [stream.waits for stream in streams] == [True] * PLACES + [False]
    for stream in streams:
        assert stream.received.startswith(b"HTTP/1.1 200 ")
        assert b"x-accel-buffering: no\r\n" in stream.received.lower()
        stream.leave()


def test_places_are_free_long_before_streams_would_end(port: int) -> None:
    for stream in [Stream(port) for _ in range(PLACES)]:
        assert stream.waits
        stream.leave()
    started = time.monotonic()

    def is_free() -> bool:
        (stream := Stream(port)).leave()
        return stream.waits

    wait_for("a place", is_free)
    assert time.monotonic() - started < 5
