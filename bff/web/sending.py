"""Sending a command, and waiting for what it leads to, for the routes that do."""

from collections.abc import Callable, Mapping

from flask import Response, g, request
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests

from bff.access import scopes
from bff.backends.read_models import Row
from bff.following import waiting
from bff.following.following import Following
from bff.following.later import Later
from bff.telemetry import metrics
from bff.web.services import follow, respond, services
from functions.messages import trace
from functions.messages.ids import Id
from functions.messages.outgoing import Outgoing, to_outgoing
from functions.messages.payloads import Payload


def send_command(data: Payload, id_mensaje: Id, location: str, **ids: Id) -> Response:
    """Publishes a command and answers 202 with `ids`, which an answer without confirmation has too (see problems)."""
    g.ids = ids
    message = to_outgoing(id_mensaje, g.ingestion, "bff", data, g.trace)
    with metrics.publication(message.topic):
        services().publisher.publish(message)
    _record_span(message)
    return respond({"mssg": "Procesando mensaje", **ids}, 202, {"Location": location})


def _record_span(message: Outgoing) -> None:
    tracer = services().tracer
    if tracer is None:
        return
    parent = trace.parent_span(request.headers.get(trace.PROPERTY))
    started = 1_000_000 * g.ingestion
    tracer.request(f"{request.method} {scopes.route(request)}", message, g.trace, parent, started)


def when_done(
    send: Callable[[], Response],
    following: Following[Row],
    row_id: Id,
    is_known: bool,
    done: Callable[[Row | None], Row | None],
    headers: Mapping[str, str] | None = None,
) -> Response:
    """What `send` answers; or, if the client prefers to wait, what `done` makes of the row with this id, once it makes
    anything of it. What was accepted is no failure: if it can't be waited for, the answer is what `send` answers.

    `is_known`: the row was there before. It is followed before anything is sent, so that no news of it is missed.
    """
    seconds = waiting.preferred_wait(request)
    if not seconds:
        return send()
    try:
        followed = follow(following, row_id, at_once=is_known)
    except (TooManyRequests, ServiceUnavailable):
        return send()
    try:
        accepted = send()
    except BaseException:
        followed.leave()
        raise

    def resume(row: Row | None) -> Response | None:
        if followed.failure is not None:
            return accepted
        found = done(row)
        if found is None:
            return None
        applied = {"Location": accepted.headers["Location"], "Preference-Applied": f"wait={seconds}"}
        return respond(found, headers={**applied, **(headers or {})})

    return Later(followed, seconds, resume, lambda: accepted)
