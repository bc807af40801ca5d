"""An admin REST API that answers what a test says, over HTTP."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.support.server import RequestHandler, serving

Response = tuple[Any, ...]
NOT_FOUND: Response = (404, {"reason": "not found"})
DROPPED: Response = (0, b"")
"""The connection ends in the place of an answer."""
HALF: Response = (200, b'{"a": ', {"Content-Length": "100"})
"""The connection ends in the middle of one."""


class Responses(Protocol):
    """What is answered: a dict, or an object that decides, and may take its time."""

    def get(self, path: str, default: Response) -> Response:
        """The response at a path without its query; `default` if there is no such thing."""


@dataclass
class FakeAdmin:
    """`responses`: status, body (bytes as they are, else as JSON) and headers of each path, without its query."""

    url: str
    responses: Responses
    requested: list[tuple[str, str | None]] = field(default_factory=list)
    """Every request's path with its query, and its Authorization."""
    connections: set[Any] = field(default_factory=set)


@contextmanager
def fake_admin(responses: Responses | None = None) -> Iterator[FakeAdmin]:
    class AdminHandler(RequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            fake.connections.add(self.client_address)
            fake.requested.append((self.path, self.headers["Authorization"]))
            status, body, *rest = fake.responses.get(self.path.partition("?")[0], NOT_FOUND)
            if not status:
                self.close_connection = True
                return
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            headers: Mapping[str, str] = rest[0] if rest else {}
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" in headers:
                self.close_connection = True
            else:
                self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    with serving(AdminHandler) as port:
        fake = FakeAdmin(f"http://127.0.0.1:{port}", responses or {})
        yield fake
