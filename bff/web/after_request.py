"""What happens to every request after its route: headers for browsers and caches, metrics, and the access log."""

import logging
import time
from typing import Final
from urllib.parse import quote

from flask import Response, g, request

from bff.access import scopes
from bff.following.later import PENDING, Later
from bff.telemetry import metrics
from bff.telemetry.cutting import MAX_FIELD, MAX_METHOD, cut

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",  # caches may keep answers, but must ask each time whether they still hold
}
"""Headers of every answer whose route does not set them itself."""
_access_log = logging.getLogger("bff.access")


def finish(response: Response) -> Response:
    """Completes the answer: 304 if the client has it already. Counts and logs the request.

    An answer that comes later is left to the server: all that is done then.
    """
    if isinstance(response, Later):
        request.environ[PENDING] = response
        return response
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
