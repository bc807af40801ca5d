"""The routes that publish a command: 202 when the broker has stored it."""

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests

from bff.access import scopes
from bff.backends.read_models import Row
from bff.bodies import fields
from bff.bodies.fields import validate
from bff.bodies.formats import read
from bff.following import waiting
from bff.following.following import Following
from bff.following.later import Later
from bff.telemetry import metrics
from bff.web.idempotency import Ids
from bff.web.services import follow, respond, services
from functions.messages import trace
from functions.messages.envelope import now
from functions.messages.ids import Id, new
from functions.messages.outgoing import Outgoing, to_outgoing
from functions.messages.payloads import (
    ComandoCrearOrden,
    ComandoCrearProducto,
    ComandoEliminarProducto,
    ComandoRegistrarConductor,
    Payload,
)

commands = Blueprint("commands", __name__)


@commands.post("/orders")
def crear_orden() -> Response:
    """Places an order. With `Prefer: wait=N` the answer is the order itself, if it ends within N seconds."""
    ids = Ids(request, g.caller)
    data = validate(read(request), fields.orden(services().max_cantidad))
    scopes.require_own(g.caller, data["user_id"])
    id_orden = ids.new("orden")
    transaction_id = ids.new("transaccion")
    is_known = ids.require_same(services().read_models.orden, id_orden, data)
    orden = ComandoCrearOrden(id_orden=id_orden, transaction_id=transaction_id, time_stamp=now(), **data)
    location = f"/orders/{id_orden}"

    def send() -> Response:
        return _send(orden, ids.message(data), location, id_orden=id_orden, transaction_id=transaction_id)

    def ended(row: Row | None) -> Row | None:
        return row if waiting.has_ended(row) else None

    return _when_done(send, services().followings.ordenes, id_orden, is_known, ended, {"Content-Location": location})


@commands.post("/productos")
def crear_producto() -> Response:
    """Creates a product with its initial stock. With `Prefer: wait=N` the answer holds the product, if it can be read
    within N seconds: then orders find it too.
    """
    ids = Ids(request, g.caller)
    data = validate(read(request), fields.PRODUCTO)
    id_producto = ids.new("producto")
    is_known = ids.require_same(services().read_models.created_producto, id_producto, data)
    producto = ComandoCrearProducto(id_producto, **data)

    def send() -> Response:
        return _send(producto, ids.message(data), f"/productos/{id_producto}", id=id_producto)

    def visible(row: Row | None) -> Row | None:
        return None if row is None else {"id": id_producto, "resultado": row}

    return _when_done(send, services().followings.productos, id_producto, is_known, visible)


@commands.delete("/productos/<uuid:id_producto>")
def eliminar_producto(id_producto: Id) -> Response:
    """Deletes a product: orders of it fail from then on."""
    return _send(ComandoEliminarProducto(id_producto), new(), f"/productos/{id_producto}", id=id_producto)


@commands.post("/conductores")
def registrar_conductor() -> Response:
    """Registers a driver, who takes one order. Nobody can wait for that: drivers have no read model."""
    ids = Ids(request, g.caller)
    data = validate(read(request), fields.CONDUCTOR)
    id_conductor = ids.new("conductor")
    conductor = ComandoRegistrarConductor(id_conductor, **data)
    return _send(conductor, ids.message(data), f"/conductores/{id_conductor}", id_conductor=id_conductor)


def _send(data: Payload, id_mensaje: Id, location: str, **ids: Id) -> Response:
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


def _when_done(
    send: Callable[[], Response],
    following: Following[Row],
    created_id: Id,
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
        followed = follow(following, created_id, at_once=is_known)
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
