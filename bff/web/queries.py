"""The routes that read: orders, their sagas as a list or as a stream of events, products, and drivers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, cast

from flask import Blueprint, Response, g, request

from bff.access import scopes
from bff.backends.read_models import OrdenAndSteps, Row
from bff.bodies import fields, formats, pages
from bff.bodies.fields import Field, validate
from bff.bodies.pages import MAX_ROWS, NUMBERED_PAGE_FIELDS, PAGE_FIELDS, Place
from bff.bodies.texts import UntypedText
from bff.following import event_stream
from bff.following.event_stream import PREAMBLE, EventStream
from bff.following.later import Later, Ongoing
from bff.web.problems import not_found
from bff.web.services import follow, respond, services
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
    return _page(rows, limit, PAGE_FIELDS | fields.FILTERS, ("time_stamp", "id_orden"), lambda page: page)


@queries.get("/orders/<uuid:id_orden>")
def get_orden(id_orden: Id) -> Response:
    """An order; 404 if there is none yet, or none that the caller may see."""
    return respond(_visible_orden(id_orden) or not_found("order", id_orden))


@queries.get("/orders/<uuid:id_orden>/saga")
def get_saga(id_orden: Id) -> Response:
    """The steps of an order's saga; 404 if there are none yet, or none that the caller may see."""
    return respond(_visible_saga(id_orden) or not_found("saga of an order", id_orden))


@queries.get("/orders/<uuid:id_orden>/events")
def stream_events(id_orden: Id) -> Response:
    """The steps of an order as they come, then the order, as Server-Sent Events: when its saga has ended, or, with
    `hasta=fin`, when the order is in its last state.

    The answer begins with the first step: until then it may still become an error. If too many wait already, it is
    429 or 503, and the client comes again.
    """
    until_final = validate(request.args, fields.STREAM)["hasta"] is not None
    stream = EventStream(event_stream.seen(request.headers.get("Last-Event-ID")), until_final=until_final)
    only_user, is_head = scopes.restricted_to(g.caller), request.method == "HEAD"
    followed = follow(services().followings.sagas, id_orden, at_once=True)

    def new_events(read: OrdenAndSteps | None) -> bytes:
        orden, steps = _visible(only_user, *(read or (None, [])))
        return stream.new_events(orden, steps)

    def begin(read: OrdenAndSteps | None) -> Response | None:
        if followed.failure is not None:
            raise followed.failure
        events = new_events(read)
        if not stream.has_steps:
            return None
        if stream.complete and not events:
            return Response(status=204)
        if stream.complete or is_head:
            return Response(PREAMBLE + events, headers=event_stream.HEADERS, mimetype=event_stream.MEDIA_TYPE)
        return Ongoing(
            PREAMBLE + events,
            followed,
            seconds=event_stream.LONGEST,
            advance=new_events,
            is_complete=lambda: stream.complete,
            alive=(event_stream.ALIVE, event_stream.ALIVE_EVERY),
            headers=event_stream.HEADERS,
            mimetype=event_stream.MEDIA_TYPE,
        )

    return Later(followed, event_stream.VISIBLE_WITHIN, begin, lambda: not_found("saga of an order", id_orden))


@queries.get("/productos")
def list_productos() -> Response:
    """A page of products, oldest first."""
    query = _query(PAGE_FIELDS)
    limit = query["limit"]
    rows = services().read_models.productos(limit + 1, query["cursor"])
    return _page(rows, limit, PAGE_FIELDS, ("fecha_creacion", "id"), lambda page: {"resultado": page})


@queries.get("/productos/<uuid:id_producto>")
def get_producto(id_producto: Id) -> Response:
    """A product; 404 if there is none yet, or none any more."""
    return respond({"resultado": services().read_models.producto(id_producto) or not_found("product", id_producto)})


@queries.get("/productos/<uuid:id_producto>/movimientos")
def list_movimientos(id_producto: Id) -> Response:
    """A page of the changes of a product's stock, newest first; 404 if there never was such a product."""
    query = _query(NUMBERED_PAGE_FIELDS)
    limit, read_models = query["limit"], services().read_models
    rows = read_models.movimientos(id_producto, limit + 1, query["cursor"])
    if not rows and read_models.created_producto(id_producto) is None:
        not_found("product", id_producto)
    return _page(rows, limit, NUMBERED_PAGE_FIELDS, "version", lambda page: {"resultado": page})


@queries.get("/conductores")
def list_conductores() -> Response:
    """A page of drivers; those who have been longest in their state come first."""
    query = _query(PAGE_FIELDS | fields.CONDUCTORES)
    limit = query.pop("limit")
    rows = services().read_models.conductores(limit + 1, {"estado": query["estado"]}, query["cursor"])
    return _page(rows, limit, PAGE_FIELDS | fields.CONDUCTORES, ("desde", "id_conductor"), lambda page: page)


@queries.get("/conductores/<uuid:id_conductor>")
def get_conductor(id_conductor: Id) -> Response:
    """A driver; 404 if there is none yet, or another one than the caller, who may only see their own."""
    is_visible = scopes.may_see_conductor(g.caller, id_conductor)
    row = services().read_models.conductor(id_conductor) if is_visible else None
    return respond(row or not_found("driver", id_conductor))


def _visible_orden(id_orden: Id) -> Row | None:
    """The order; None if there is none that the caller may see."""
    return _visible(scopes.restricted_to(g.caller), services().read_models.orden(id_orden), ())[0]


def _visible_saga(id_orden: Id) -> Sequence[Row]:
    """The steps of the order's saga; none if the caller may not see the order."""
    only_user, read_models = scopes.restricted_to(g.caller), services().read_models
    orden = None if only_user is None else read_models.orden(id_orden)
    if only_user is not None and orden is None:
        return ()
    return _visible(only_user, orden, read_models.saga(id_orden))[1]


def _visible(only_user: str | None, orden: Row | None, steps: Sequence[Row]) -> tuple[Row | None, Sequence[Row]]:
    """The order and its steps as a caller sees them who may only see the orders of `only_user`; None: of everybody."""
    if only_user is None:
        return orden, steps
    if orden is None or orden["user_id"] != only_user:
        return None, ()
    return orden, [_for_customers(step) for step in steps]


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


def _page(
    rows: Sequence[Row],
    limit: int,
    known: Collection[str],
    place: tuple[str, str] | str,
    wrap: Callable[[object], object],
) -> Response:
    """A page of the first `limit` rows, or of fewer if their body would be too long.

    Parameters:
      rows: the rows, and at least one more than the page holds if there is a next page.
      known: the names of the query's parameters.
      place: the columns that make a row's place, its time and its id; or the one that numbers the rows.
      wrap: makes the answer's value out of the page's rows.
    """
    write = formats.FORMATS[g.media_type].write
    body, count = pages.fit(rows[:limit], lambda page: write(wrap(page)))
    last_place = _place(rows[count - 1], place) if len(rows) > count else None
    links = pages.links(request.path, request.args, known, last_place)
    return Response(body, headers=links, mimetype=g.media_type)


def _place(row: Row, columns: tuple[str, str] | str) -> Place | int:
    return cast(Place | int, row[columns] if isinstance(columns, str) else tuple(row[name] for name in columns))
