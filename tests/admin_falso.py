"""An admin REST API that answers what a test says, over HTTP."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Respuesta = tuple[Any, ...]
NADA: Respuesta = (404, {"reason": "not found"})


@dataclass
class AdminFalso:
    """`respuestas`: status, body (bytes as they are, else as JSON) and headers of each path, without its query."""

    url: str
    respuestas: dict[str, Respuesta]
    pedidas: list[tuple[str, str | None]] = field(default_factory=list)
    """Every request's path with its query, and its Authorization."""
    conexiones: set[Any] = field(default_factory=set)


@contextmanager
def admin_falso(respuestas: dict[str, Respuesta] | None = None) -> Iterator[AdminFalso]:
    class Peticion(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            falso.conexiones.add(self.client_address)
            falso.pedidas.append((self.path, self.headers["Authorization"]))
            estado, cuerpo, *otras = falso.respuestas.get(self.path.partition("?")[0], NADA)
            crudo = cuerpo if isinstance(cuerpo, bytes) else json.dumps(cuerpo).encode()
            self.send_response(estado)
            cabeceras: Mapping[str, str] = otras[0] if otras else {}
            for nombre, valor in cabeceras.items():
                self.send_header(nombre, valor)
            self.send_header("Content-Length", str(len(crudo)))
            self.end_headers()
            self.wfile.write(crudo)

        def log_message(self, *_: object) -> None:
            """Not on the tests' output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Peticion) as servidor:
        servidor.daemon_threads = True
        servidor.block_on_close = False
        falso = AdminFalso(f"http://127.0.0.1:{servidor.server_port}", respuestas or {})
        hilo = threading.Thread(target=servidor.serve_forever, kwargs={"poll_interval": 0.01})
        hilo.start()
        try:
            yield falso
        finally:
            servidor.shutdown()
            hilo.join()
