"""What happens to every request after its route: headers for browsers and caches, metrics, and the access log."""

import logging
import time
from typing import Final
from urllib.parse import quote

from flask import Response, g, request

from bff.access import scopes
from bff.bodies.formats import MAX_BODY
from bff.telemetry import metrics
from bff.telemetry.cutting import MAX_FIELD, MAX_METHOD, cut

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",  # caches may keep answers, but must ask each time whether they still hold
}
"""Headers of every answer whose route does not set them itself."""
MAX_DRAINED: Final = 1 << 20
"""Most bytes of an unread body that are read and dropped before the answer is sent."""
_access_log = logging.getLogger("bff.access")


def finish(response: Response) -> Response:
    """Completes the answer: 304 if the client has it already. Counts and logs the request."""
    _drain_body(response)
    response.vary.add("Accept")
    response.headers["X-Request-Id"] = g.trace.id
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.method in ("GET", "HEAD") and response.status_code == 200 and not response.is_streamed:
        response.add_etag()
        response.make_conditional(request)
    seconds = time.perf_counter() - g.started
    metrics.answered(request.method, scopes.route(request), response.status_code, seconds)
    _log_request(response, seconds)
    return response


def _drain_body(response: Response) -> None:
    """Reads and drops what the route has not read of the body.

    If the connection were closed on data that is still arriving, the client might lose the answer. A body is not read
    if the client waits to be asked for it (Expect), or if it is very large: then the answer says that the connection
    ends.
    """
    if "Expect" in request.headers or (request.content_length or 0) > MAX_DRAINED:
        response.headers["Connection"] = "close"
        return
    bytes_read, stream = 0, request.environ["wsgi.input"]
    while bytes_read <= MAX_DRAINED and (chunk := stream.read(MAX_BODY)):
        bytes_read += len(chunk)


def _log_request(response: Response, seconds: float) -> None:
    method, path = cut(request.method, MAX_METHOD), cut(quote(request.path), MAX_FIELD)
    fields = {
        "method": method,
        "path": path,
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
        "client": request.remote_addr,
        "user": g.caller.name if g.caller else None,
        **{name: str(value) for name, value in g.get("ids", {}).items()},
    }
    _access_log.info("%s %s %d", method, path, response.status_code, extra=fields)
