"""Sends raw requests over kept-alive connections, and watches the answers and the server's memory."""

import socket
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from bff.server.server import MAX_HEADERS
from tests.fuzz import responses
from tests.fuzz.bodies import Request, request

THREADS: Final = 8
PARTS: Final = 5
"""Memory is measured after each fifth of the requests."""
WARM_UP: Final = 3
"""Parts after which it must stay: a process that does nothing but send through Pulsar's client grows for 75,000
messages, and then no more."""
MAX_GROWTH: Final = 1.1
"""At most, from then on: bodies of all sizes leave holes, about 100 bytes a request; no object was seen to be kept."""
_LAST_REQUEST: Final = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@dataclass
class Result:
    statuses: Counter[int] = field(default_factory=Counter)
    memory: list[tuple[int, dict[int, int]]] = field(default_factory=list)
    """After so many requests, the bytes of each of the server's processes."""
    findings: list[str] = field(default_factory=list)


@dataclass
class _Client:
    """A thread's connection."""

    address: tuple[str, int]
    sock: socket.socket | None = None

    def request(self, raw_request: Request) -> tuple[list[int], str | None]:
        """Statuses, and what was wrong with an answer."""
        if not raw_request.is_complete:
            return self._alone(raw_request)
        if self.sock is None:
            self.sock = socket.create_connection(self.address, timeout=20)
        try:
            self.sock.sendall(raw_request.raw)
            with self.sock.makefile("rb") as stream:
                response, body = responses.read(stream, raw_request.method)
        except responses.PROTOCOL_ERRORS as error:
            self.close()
            header = raw_request.raw.partition(b"\r\n\r\n")[0]
            # a 431, or the client was to wait for a word: closed with bytes unread, which may take the answer away
            unread = len(header) > MAX_HEADERS or b"\r\nExpect: " in header
            if isinstance(error, ConnectionResetError) and unread:
                return [], None
            return [], f"no answer: {error!r}"
        if response.will_close:
            self.close()
        return [response.status], responses.defect(response, body)

    def _alone(self, raw_request: Request) -> tuple[list[int], str | None]:
        """On a connection of its own, which the last request ends however the bytes before it are understood."""
        try:
            with socket.create_connection(self.address, timeout=20) as sock:
                with suppress(ConnectionError):  # answered before all of it was read
                    sock.sendall(raw_request.raw + _LAST_REQUEST)
                answers = responses.read_all(sock, raw_request.method)
        except ConnectionResetError:  # closed with bytes unread, which may take the answer away
            return [], None
        except responses.PROTOCOL_ERRORS as error:
            return [], f"no answer: {error!r}"
        defects = [responses.defect(response, body) for response, body in answers] or ["no answer"]
        return [response.status for response, _ in answers], next(filter(None, defects), None)

    def close(self) -> None:
        if self.sock is not None:
            self.sock.close()
        self.sock = None


def run(url: str, count: int, seed: int, folder: Path, log: Callable[[str], None] = print) -> Result:
    """Sends `count` requests. What was wrongly answered is in `folder`, as bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = urlsplit(url)
    address, result = (parts.hostname or "", parts.port or 80), Result()
    since, lock = 0, threading.Lock()

    def run_batch(thread: int, first: int, last: int) -> None:
        client = _Client(address)
        for number in range(first + thread, last, THREADS):
            raw_request = request(seed, number)
            statuses, defect = client.request(raw_request)
            with lock:
                result.statuses.update(statuses)
                if defect is not None:
                    result.findings.append(_save(folder, address, f"{seed}-{number}", raw_request, defect))
        client.close()

    for end in [count * part // PARTS for part in range(1, PARTS + 1)]:
        with ThreadPoolExecutor(THREADS) as executor:
            list(executor.map(lambda thread, since=since, end=end: run_batch(thread, since, end), range(THREADS)))
        result.memory.append((end, memory(address[1])))
        total = sum(result.memory[-1][1].values())
        log(f"{end} bodies, {len(result.findings)} findings, {total / 2**20:.0f} MiB, {dict(result.statuses)}")
        since = end
    result.findings += memory_findings(result.memory[WARM_UP - 1][1], result.memory[-1][1])
    return result


def _save(folder: Path, address: tuple[str, int], name: str, raw_request: Request, defect: str) -> str:
    file = folder / f"{name}.http"
    file.write_bytes(raw_request.raw)
    return f"{defect}\n    nc -q 3 {address[0]} {address[1]} < {file}"


def memory(port: int) -> dict[int, int]:
    """Bytes of each process that listens there: its workers share the port."""
    listening = [connection for connection in psutil.net_connections("tcp") if connection.status == psutil.CONN_LISTEN]
    listeners = {connection.pid for connection in listening if connection.laddr[1:] == (port,)}
    return {pid: psutil.Process(pid).memory_info().rss for pid in listeners if pid}


def memory_findings(before: dict[int, int], after: dict[int, int]) -> list[str]:
    """What is wrong with it."""
    if not before or before.keys() != after.keys():
        return [f"the server's processes are others at the end: {sorted(before)}, then {sorted(after)}"]
    if (growth := sum(after.values()) / sum(before.values())) > MAX_GROWTH:
        return [f"memory grew by {100 * (growth - 1):.0f} %: {before}, then {after}"]
    return []
