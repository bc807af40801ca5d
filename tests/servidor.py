"""An HTTP server in a thread of its own, for tests that say what it answers."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Peticion(BaseHTTPRequestHandler):
    """One request. Nothing of it on the tests' output."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def sirviendo(clase: type[Peticion], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Its port on 127.0.0.1. It ends without waiting for clients that keep their connections."""
    with ThreadingHTTPServer(("127.0.0.1", 0), clase) as servidor:
        if tls is not None:
            servidor.socket = tls.wrap_socket(servidor.socket, server_side=True)
        servidor.daemon_threads, servidor.block_on_close = True, False
        hilo = threading.Thread(target=servidor.serve_forever, args=(0.01,))
        hilo.start()
        try:
            yield servidor.server_port
        finally:
            servidor.shutdown()
            hilo.join()
