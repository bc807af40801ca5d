"""What happens to every request before its route: its trace, the media type of the answer, and its admission."""

import re
import time
from collections.abc import Collection
from typing import Final

from flask import g, request
from werkzeug.exceptions import BadRequest, HTTPException

from bff.access import scopes
from bff.access.rate import RateLimit
from bff.access.tokens import Authentication, Unauthenticated
from bff.bodies import formats
from bff.bodies.formats import PREFERRED
from bff.telemetry.cutting import MAX_FIELD, cut
from functions.messages import trace

LIVENESS: Final = "/health"
"""The only route whose requests are not counted, and which the server answers without a thread."""
_HOST: Final = re.compile(r"[\w.~!$&'()*+;=%:\[\]-]+", re.ASCII)


def begin(flags: str, single_format_endpoints: Collection[str]) -> None:
    """Prepares what later steps read from flask.g.

    `g.refusal` is a 406 if Accept allows none of our media types, and a 400 for HTTP/1.1 without a Host (RFC 9112):
    `admit` raises it, because such requests count too.

    Parameters:
      flags: the trace flags (W3C Trace Context) of a trace that begins with this request.
      single_format_endpoints: Flask's names of the routes that answer in one format, whatever Accept asks for.
    """
    g.started = time.perf_counter()
    g.ingestion = time.time_ns() // 1_000_000
    g.trace = trace.parse(request.headers.get(trace.PROPERTY)) or trace.new(flags)
    g.caller = None
    g.media_type = PREFERRED  # a 406 has it too
    g.refusal = None
    try:
        if request.endpoint not in single_format_endpoints:
            g.media_type = formats.negotiate(request.headers.get("Accept"))
        _require_host()
    except HTTPException as error:
        g.refusal = error


def _require_host() -> None:
    host = request.headers.get("Host", "")
    if not _HOST.fullmatch(host) and request.environ["SERVER_PROTOCOL"] == "HTTP/1.1":
        raise BadRequest(f"Host is {host[:40]!r}: HTTP/1.1 needs one header Host with the server's name")


def admit(authentication: Authentication | None, rate_limit: RateLimit | None, public_routes: Collection[str]) -> None:
    """Finds out who sends the request, counts it, and raises 401, 403 or 429 if it is not allowed, or `g.refusal`.

    Requests for `public_routes`, and those that no route matches, are not asked for a token. All count but those for
    LIVENESS: a server that is alive must be able to say so. They count for the user if they have a valid token, else
    for their address: otherwise guessing tokens would have no limit.
    """
    route = scopes.route(request)
    is_open = request.url_rule is None or request.method == "OPTIONS" or route in public_routes
    authentication_error: Unauthenticated | None = None
    if authentication is not None and not is_open:
        try:
            g.caller = authentication.caller(request.headers.get("Authorization"))
        except Unauthenticated as error:
            authentication_error = error
    if rate_limit is not None and route != LIVENESS:
        address = cut(str(request.remote_addr), MAX_FIELD)  # from a header, if there are proxies
        rate_limit.require(f"user {g.caller.name}" if g.caller else f"address {address}")
    if g.refusal is not None:
        raise g.refusal
    if authentication_error is not None:
        raise authentication_error
    if g.caller is not None:
        scopes.require(g.caller, request)
