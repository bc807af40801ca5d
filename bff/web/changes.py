"""The routes that change an order that is there: cancelled, dispatched, delivered, brought back."""

from typing import Any

from flask import Blueprint, Response, g, request

from bff.access import scopes
from bff.backends.read_models import Row
from bff.bodies import fields
from bff.bodies.fields import validate
from bff.bodies.formats import read, read_optional
from bff.following import waiting
from bff.web.idempotency import Ids
from bff.web.problems import Impossible, not_found
from bff.web.sending import send_command, when_done
from bff.web.services import services
from functions.messages.ids import Id
from functions.messages.payloads import (
    ComandoCancelarOrden,
    ComandoDespacharOrden,
    ComandoDevolverOrden,
    ComandoEntregarOrden,
    Payload,
)

changes = Blueprint("changes", __name__)


@changes.post("/orders/<uuid:id_orden>/cancelacion")
def cancelar_orden(id_orden: Id) -> Response:
    """Cancels an order that was not dispatched: customers their own."""
    data = validate(read_optional(request), fields.CANCELACION)
    orden = _orden_of(id_orden, "user_id")
    return _change(orden, "cancelada", ComandoCancelarOrden(id_orden, orden["transaction_id"], **data), data)


@changes.post("/orders/<uuid:id_orden>/despacho")
def despachar_orden(id_orden: Id) -> Response:
    """Marks an order as dispatched."""
    data = validate(read_optional(request), fields.DESPACHO)
    orden = _orden_of(id_orden, "user_id")
    return _change(orden, "despachada", ComandoDespacharOrden(id_orden, orden["transaction_id"]), data)


@changes.post("/orders/<uuid:id_orden>/entrega")
def entregar_orden(id_orden: Id) -> Response:
    """Marks a dispatched order as delivered: drivers their own."""
    data = validate(read_optional(request), fields.ENTREGA)
    orden = _orden_of(id_orden, "id_driver")
    return _change(orden, "entregada", ComandoEntregarOrden(id_orden, orden["transaction_id"], **data), data)


@changes.post("/orders/<uuid:id_orden>/devolucion")
def devolver_orden(id_orden: Id) -> Response:
    """Marks a dispatched order as brought back: it could not be delivered."""
    data = validate(read(request), fields.DEVOLUCION)
    orden = _orden_of(id_orden, "user_id")
    return _change(orden, "devuelta", ComandoDevolverOrden(id_orden, orden["transaction_id"], **data), data)


def _orden_of(id_orden: Id, owner: str) -> Row:
    """The order, if the caller may change it: the one whom its column `owner` names, or an administrator. Raises 404
    otherwise.
    """
    only_user = scopes.restricted_to(g.caller)
    orden = services().read_models.orden(id_orden)
    if orden is None or (only_user is not None and orden[owner] != only_user):
        not_found("order", id_orden)
    return orden


def _change(orden: Row, estado: str, comando: Payload, data: dict[str, Any]) -> Response:
    """202; or, if the client prefers to wait, the order once it is in that state, or 409 once it can't come there."""
    id_orden = orden["id_orden"]
    location = f"/orders/{id_orden}"
    id_mensaje = Ids(request, g.caller).message(data)

    def send() -> Response:
        ids = {"id_orden": id_orden, "transaction_id": orden["transaction_id"]}
        return send_command(comando, id_mensaje, location, **ids)

    def done(row: Row | None) -> Row | None:
        if row is None or waiting.has_reached(row, estado):
            return row
        if not waiting.may_reach(row, estado):
            raise Impossible(id_orden, row["estado"], estado)
        return None

    if waiting.preferred_wait(request):
        done(orden)  # what is not possible is not even sent
    return when_done(send, services().followings.ordenes, id_orden, True, done, {"Content-Location": location})
