"""The routes that read: orders, their sagas as a list or as a stream of events, and products."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

from flask import Blueprint, Response, g, request, stream_with_context
from werkzeug.exceptions import NotFound

from bff.access import scopes
from bff.backends.read_models import Row
from bff.bodies import fields, pages
from bff.bodies.fields import Field, validate
from bff.bodies.pages import MAX_ROWS, PAGE_FIELDS
from bff.bodies.texts import UntypedText
from bff.following import event_stream
from bff.following.event_stream import BUSY_PREAMBLE, PREAMBLE, EventStream
from bff.following.waiting import LONGEST_WAIT
from bff.web.services import respond, services
from functions.messages.ids import Id

QUARANTINE: Final = "evento-cuarentena"
"""The step that says what became of a message that a function could not process."""
SHOWN_OF_QUARANTINE: Final = ("funcion", "accion", "id_orden", "transaction_id")
"""The members of its payload that customers see."""
queries = Blueprint("queries", __name__)


@queries.get("/orders")
def list_ordenes() -> Response:
    """A page of orders, newest first: those of the caller, or everybody's for an administrator."""
    query = _query(PAGE_FIELDS | fields.FILTERS)
    limit = query.pop("limit")
    after = query.pop("cursor")
    only_user = scopes.restricted_to(g.caller)
    rows: list[Row] = []
    if only_user is None or query["user_id"] in (None, only_user):
        filters = query | {"user_id": only_user or query["user_id"]}
        rows = services().read_models.ordenes(limit + 1, filters, after)
    return respond(rows[:limit], headers=_links(rows, limit, "time_stamp", "id_orden"))


@queries.get("/orders/<uuid:id_orden>")
def get_orden(id_orden: Id) -> Response:
    """An order; 404 if there is none yet, or none that the caller may see."""
    return respond(_visible_orden(id_orden) or _not_found("order", id_orden))


@queries.get("/orders/<uuid:id_orden>/saga")
def get_saga(id_orden: Id) -> Response:
    """The steps of an order's saga; 404 if there are none yet, or none that the caller may see."""
    return respond(_visible_saga(id_orden) or _not_found("saga of an order", id_orden))


@queries.get("/orders/<uuid:id_orden>/events")
def stream_events(id_orden: Id) -> Response:
    """The steps of an order's saga as they come, then the order, as Server-Sent Events.

    The answer begins with the first event: until then it may still become an error. If too many wait already, it is
    what there is so far, and the client comes again.
    """
    seen = event_stream.seen(request.headers.get("Last-Event-ID"))
    slots = services().wait_slots
    may_wait = slots.take()
    wait, preamble = (LONGEST_WAIT, PREAMBLE) if may_wait else (0, BUSY_PREAMBLE)
    stream = EventStream(lambda: (_visible_orden(id_orden), _visible_saga(id_orden)), seen, wait)
    later_events = stream.events()
    goes_on = False
    try:
        first = next(later_events, b"")
        goes_on = bool(first) and request.method == "GET"
    finally:
        if may_wait and not goes_on:
            slots.release()
    if may_wait and not stream.has_steps:
        _not_found("saga of an order", id_orden)
    if stream.complete and not first:
        return Response(status=204)
    body = stream_with_context(chain([preamble, first], later_events)) if goes_on else preamble
    response = Response(body, headers=event_stream.HEADERS, mimetype=event_stream.MEDIA_TYPE)
    if may_wait and goes_on:
        response.call_on_close(slots.release)
    return response


@queries.get("/productos")
def list_productos() -> Response:
    """A page of products, oldest first."""
    query = _query(PAGE_FIELDS)
    limit = query["limit"]
    rows = services().read_models.productos(limit + 1, query["cursor"])
    return respond({"resultado": rows[:limit]}, headers=_links(rows, limit, "fecha_creacion", "id"))


@queries.get("/productos/<uuid:id_producto>")
def get_producto(id_producto: Id) -> Response:
    """A product; 404 if there is none yet, or none any more."""
    return respond({"resultado": services().read_models.producto(id_producto) or _not_found("product", id_producto)})


@queries.get("/conductores/<uuid:id_conductor>")
def get_conductor(id_conductor: Id) -> Response:
    """Always 404, with the reason: the Location of a registered driver leads here."""
    raise NotFound(f"driver {id_conductor} can't be read: drivers have no read model. Orders show their id_driver")


def _visible_orden(id_orden: Id) -> Row | None:
    """The order; None if there is none that the caller may see."""
    orden = services().read_models.orden(id_orden)
    only_user = scopes.restricted_to(g.caller)
    is_visible = only_user is None or (orden is not None and orden["user_id"] == only_user)
    return orden if is_visible else None


def _visible_saga(id_orden: Id) -> Sequence[Row]:
    """The steps of the order's saga; none if the caller may not see the order."""
    if scopes.restricted_to(g.caller) is not None and _visible_orden(id_orden) is None:
        return ()
    steps = services().read_models.saga(id_orden)
    return steps if scopes.restricted_to(g.caller) is None else [_for_customers(step) for step in steps]


def _for_customers(step: Row) -> Row:
    """The step without what only operators may see: their names, and the texts of errors and of their own reasons."""
    if step["evento"] != QUARANTINE:
        return step
    shown = {name: value for name, value in step["contenido"].items() if name in SHOWN_OF_QUARANTINE}
    return {**step, "contenido": shown}


def _query(allowed: Mapping[str, Field]) -> dict[str, Any]:
    """The values of the allowed fields in the query string; None for those that are missing, except for `limit`."""
    texts = {name: UntypedText(value) for name, value in request.args.items()}
    return validate({"limit": MAX_ROWS, **texts}, allowed)


def _links(rows: Sequence[Row], limit: int, time_column: str, id_column: str) -> dict[str, str]:
    """The header Link of a page. `rows` has one row more than the page if there is a next page."""
    last_place = None
    if len(rows) > limit:
        last = rows[limit - 1]
        last_place = (last[time_column], last[id_column])
    return pages.links(request.path, request.args, last_place)


def _not_found(what: str, wanted_id: Id) -> Any:
    raise NotFound(f"there is no {what} {wanted_id}. If it was accepted a moment ago, ask again")
