"""An admin REST API that answers what a test says, over HTTP."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.server import RequestHandler, serving

Response = tuple[Any, ...]
NOT_FOUND: Response = (404, {"reason": "not found"})


@dataclass
class FakeAdmin:
    """`responses`: status, body (bytes as they are, else as JSON) and headers of each path, without its query."""

    url: str
    responses: dict[str, Response]
    requested: list[tuple[str, str | None]] = field(default_factory=list)
    """Every request's path with its query, and its Authorization."""
    connections: set[Any] = field(default_factory=set)


@contextmanager
def fake_admin(responses: dict[str, Response] | None = None) -> Iterator[FakeAdmin]:
    class AdminHandler(RequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            fake.connections.add(self.client_address)
            fake.requested.append((self.path, self.headers["Authorization"]))
            status, body, *rest = fake.responses.get(self.path.partition("?")[0], NOT_FOUND)
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            headers: Mapping[str, str] = rest[0] if rest else {}
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    with serving(AdminHandler) as port:
        fake = FakeAdmin(f"http://127.0.0.1:{port}", responses or {})
        yield fake
