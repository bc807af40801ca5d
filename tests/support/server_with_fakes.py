"""The real HTTP server of bff_with_fakes, as a process, and raw connections to it."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from typing import Any

import psutil

from tests.support.platform import ROOT, free_ports, wait_for


class Server:
    """The server, as a process."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        command = [sys.executable, "-m", "tests.support.bff_with_fakes", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT)
        wait_for("the server", self.is_alive)

    def is_alive(self) -> bool:
        with suppress(OSError):
            return self.request("GET", "/health")[0] == 200
        return False

    def request(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and decoded body of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        raw = None if body is None else json.dumps(body)
        connection.request(method, path, raw, {"Content-Type": "application/json", "Connection": "close"} | headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def metric(self, name: str) -> float:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/metrics", headers={"Connection": "close"})
        (value,) = re.findall(rf"^{name} (\S+)$", connection.getresponse().read().decode(), re.MULTILINE)
        return float(value)

    def send(self, raw: bytes) -> socket.socket:
        """An open connection on which this was sent."""
        sock = socket.create_connection(("127.0.0.1", self.port), 60)
        sock.sendall(raw)
        return sock

    @property
    def memory(self) -> int:
        """Bytes of its processes."""
        supervisor = psutil.Process(self.process.pid)
        return sum(process.memory_info().rss for process in supervisor.children())


@contextmanager
def connections(server: Server, raw: bytes, count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(server.send(raw)) for _ in range(count)]
