"""Servers at which connections to PostgreSQL end: one that speaks TLS, and impostors that only want the password."""

import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
Talk = Callable[[socket.socket], None]


def tls_of(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """What a server with this certificate and key does TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@contextmanager
def listening(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that calls `talk` with each client: after TLS, or after having refused it."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                client: socket.socket = self.request
                if client.recv(8, socket.MSG_PEEK | socket.MSG_WAITALL) == SSL_REQUEST:
                    client.recv(8)
                    client.sendall(b"S" if tls else b"N")
                    if tls:
                        client = tls.wrap_socket(client, server_side=True)
                with client:
                    talk(client)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, block_on_close = True, False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def forward_to(port: int) -> Talk:
    """Hands all that a client says to the server at this port, and back."""

    def talk(client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()

    return talk


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while received := source.recv(65536):
            target.sendall(received)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Impostor:
    """Answers a login with `request`, and keeps what it is told then in `heard`."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.heard = b""
        self.ended = threading.Event()

    def talk(self, client: socket.socket) -> None:
        """What `listening` calls."""
        try:
            length = struct.unpack("!i", client.recv(4))[0]
            client.recv(length - 4)
            client.sendall(self._request)
            while received := client.recv(65536):
                self.heard += received
        finally:
            self.ended.set()


def authentication(method: int, more: bytes = b"") -> bytes:
    """The protocol's message that asks for a password: 3 in cleartext, 5 with MD5, 10 with SASL."""
    return b"R" + struct.pack("!ii", 8 + len(more), method) + more
