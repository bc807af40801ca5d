"""Many clients in a closed loop: each sends its next request as soon as the last one is answered.

One thread and epoll for all of them: the generator runs on the cores that it measures.
"""

import select
import socket
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

from tests.load.requests import parse_response

GRACE_PERIOD: Final = 30.0
"""Answers are awaited so long after the last request, in s."""


@dataclass
class Round:
    """`responses` counts statuses, and "closed" and "no answer"."""

    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    """Of all answers, in s."""
    responses: Counter[str] = field(default_factory=Counter)
    accepted_in_time: int = 0
    """Answered 202 while the clients still sent."""
    started: float = 0.0
    """On the monotonic clock."""


class _Client:
    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.sock = socket.create_connection(address, timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.sent_at = 0.0

    def send(self, raw: bytes) -> None:
        self.buffer.clear()
        self.sent_at = time.monotonic()
        self.sock.sendall(raw)

    def read(self) -> str | None:
        """The status, "closed", or None if there is more to come."""
        try:
            chunk = self.sock.recv(65536)
        except ConnectionError:
            chunk = b""
        if not chunk:
            return "closed"
        self.buffer += chunk
        answer = parse_response(self.buffer)
        return None if answer is None else str(answer[0])


def run(address: tuple[str, int], count: int, requests: Sequence[bytes], seconds: float) -> Round:
    """`count` clients for so long, and until all that was sent is answered."""
    load_round, next_requests, poller = Round(), cycle(requests), select.epoll()
    clients: dict[int, _Client] = {}

    def connect_new() -> None:
        client = _Client(address)
        clients[client.sock.fileno()] = client
        poller.register(client.sock.fileno(), select.EPOLLIN)
        client.send(next(next_requests))

    def drop(descriptor: int) -> None:
        poller.unregister(descriptor)
        clients.pop(descriptor).sock.close()

    load_round.started = time.monotonic()
    end = load_round.started + seconds
    for _ in range(count):
        connect_new()
    while clients and time.monotonic() < end + GRACE_PERIOD:
        for descriptor, _ in poller.poll(0.1):
            if (status := clients[descriptor].read()) is None:
                continue
            _record(load_round, status, clients[descriptor], end)
            if time.monotonic() < end and status != "closed":
                clients[descriptor].send(next(next_requests))
                continue
            drop(descriptor)
            if time.monotonic() < end:
                connect_new()
    for descriptor in list(clients):
        load_round.responses["no answer"] += 1
        drop(descriptor)
    poller.close()
    return load_round


def _record(load_round: Round, status: str, client: _Client, end: float) -> None:
    now = time.monotonic()
    load_round.responses[status] += 1
    if status != "closed":
        load_round.latencies.append(now - client.sent_at)
    load_round.accepted_in_time += status == "202" and now <= end
