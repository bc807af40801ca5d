"""The real HTTP server of bff_with_fakes, as a process, and raw connections to it."""

import json
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPSConnection
from typing import Any

import psutil

from tests.support.certificates import Authority
from tests.support.platform import ROOT, free_ports, wait_for


class Server:
    """The server, as a process. `authority`: whose certificate it gets, if it is to serve HTTPS."""

    def __init__(self, authority: Authority | None = None) -> None:
        (self.port,) = free_ports(1)
        self.tls = ssl.create_default_context(cafile=authority.root) if authority else None
        self.files = authority.issue("127.0.0.1") if authority else ()
        command = [sys.executable, "-m", "tests.support.bff_with_fakes", str(self.port), *map(str, self.files)]
        self.process = subprocess.Popen(command, cwd=ROOT)
        wait_for("the server", self.is_alive)

    def is_alive(self) -> bool:
        with suppress(OSError):
            return self.request("GET", "/health")[0] == 200
        return False

    def request(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and decoded body of an answer."""
        connection = self._connection()
        raw = None if body is None else json.dumps(body)
        connection.request(method, path, raw, {"Content-Type": "application/json", "Connection": "close"} | headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def metric(self, name: str) -> float:
        connection = self._connection()
        connection.request("GET", "/metrics", headers={"Connection": "close"})
        (value,) = re.findall(rf"^{name} (\S+)$", connection.getresponse().read().decode(), re.MULTILINE)
        return float(value)

    def send(self, raw: bytes) -> socket.socket:
        """An open connection on which this was sent."""
        sock = socket.create_connection(("127.0.0.1", self.port), 60)
        if self.tls:
            sock = self.tls.wrap_socket(sock, server_hostname="127.0.0.1")
        sock.sendall(raw)
        return sock

    def _connection(self) -> HTTPConnection:
        if self.tls:
            return HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.tls)
        return HTTPConnection("127.0.0.1", self.port, timeout=60)

    @property
    def memory(self) -> int:
        """Bytes of its processes."""
        supervisor = psutil.Process(self.process.pid)
        return sum(process.memory_info().rss for process in supervisor.children())


@contextmanager
def connections(server: Server, raw: bytes, count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(server.send(raw)) for _ in range(count)]
