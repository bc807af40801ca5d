"""An HTTP server in a thread of its own, for tests that say what it answers."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class RequestHandler(BaseHTTPRequestHandler):
    """One request. Nothing of it on the tests' output."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(cls: type[RequestHandler], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Its port on 127.0.0.1. It ends without waiting for clients that keep their connections."""
    with ThreadingHTTPServer(("127.0.0.1", 0), cls) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
