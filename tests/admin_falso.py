"""An admin REST API that answers what a test says, over HTTP."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.servidor import Peticion, sirviendo

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
    class DeAdmin(Peticion):
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

    with sirviendo(DeAdmin) as puerto:
        falso = AdminFalso(f"http://127.0.0.1:{puerto}", respuestas or {})
        yield falso
