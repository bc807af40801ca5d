"""The routes that publish a command: 202 when the broker has stored it."""

from collections.abc import Callable

from flask import Blueprint, Response, g, request

from bff.access import scopes
from bff.backends.read_models import Row
from bff.bodies import fields
from bff.bodies.fields import validate
from bff.bodies.formats import read
from bff.following import waiting
from bff.web.idempotency import Ids
from bff.web.problems import StockRefused, not_found
from bff.web.sending import send_command, when_done
from bff.web.services import services
from functions.messages.envelope import now
from functions.messages.ids import Id, new
from functions.messages.payloads import (
    ComandoAjustarStock,
    ComandoCrearOrden,
    ComandoCrearProducto,
    ComandoEliminarProducto,
    ComandoRegistrarConductor,
    ComandoRenombrarConductor,
    ComandoRenombrarProducto,
    ComandoRetirarConductor,
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
        return send_command(orden, ids.message(data), location, id_orden=id_orden, transaction_id=transaction_id)

    def ended(row: Row | None) -> Row | None:
        return row if waiting.has_ended(row) else None

    return when_done(send, services().followings.ordenes, id_orden, is_known, ended, {"Content-Location": location})


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
        return send_command(producto, ids.message(data), f"/productos/{id_producto}", id=id_producto)

    def visible(row: Row | None) -> Row | None:
        return None if row is None else {"id": id_producto, "resultado": row}

    return when_done(send, services().followings.productos, id_producto, is_known, visible)


@commands.post("/productos/<uuid:id_producto>/stock")
def ajustar_stock(id_producto: Id) -> Response:
    """Adds units to the stock, or takes some away. With `Prefer: wait=N` the answer holds the movement, if it can be
    read within N seconds; 409 if the adjustment was refused.
    """
    ids = Ids(request, g.caller)
    data = validate(read(request), fields.AJUSTE)
    _require(services().read_models.producto(id_producto), "product", id_producto)
    id_ajuste = ids.new("ajuste")
    is_known = ids.require_same(services().read_models.ajuste, id_ajuste, data)
    comando = ComandoAjustarStock(id_producto, id_ajuste, **data)

    def send() -> Response:
        location = f"/productos/{id_producto}/movimientos"
        return send_command(comando, ids.message(data), location, id=id_producto, id_ajuste=id_ajuste)

    def done(row: Row | None) -> Row | None:
        if row is None:
            return None
        if row["rechazado"]:
            raise StockRefused(id_producto, row["cantidad"], row["stock"])
        return {"id": id_producto, "id_ajuste": id_ajuste, "resultado": row}

    return when_done(send, services().followings.ajustes, id_ajuste, is_known, done)


@commands.patch("/productos/<uuid:id_producto>")
def renombrar_producto(id_producto: Id) -> Response:
    """Gives a product another name. With `Prefer: wait=N` the answer holds the product, if it can be read with that
    name within N seconds.
    """
    ids = Ids(request, g.caller)
    data = validate(read(request), fields.NOMBRE)
    _require(services().read_models.producto(id_producto), "product", id_producto)
    comando = ComandoRenombrarProducto(id_producto, **data)

    def send() -> Response:
        return send_command(comando, ids.message(data), f"/productos/{id_producto}", id=id_producto)

    def renamed(row: Row | None) -> Row | None:
        return {"id": id_producto, "resultado": row} if row and row["nombre"] == data["nombre"] else None

    return when_done(send, services().followings.productos, id_producto, True, renamed)


@commands.delete("/productos/<uuid:id_producto>")
def eliminar_producto(id_producto: Id) -> Response:
    """Deletes a product: orders of it fail from then on."""
    return send_command(ComandoEliminarProducto(id_producto), new(), f"/productos/{id_producto}", id=id_producto)


@commands.post("/conductores")
def registrar_conductor() -> Response:
    """Registers a driver. With `Prefer: wait=N` the answer is the driver, if it can be read within N seconds."""
    ids = Ids(request, g.caller)
    data = validate(read(request), fields.CONDUCTOR)
    id_conductor = ids.new("conductor")
    is_known = ids.require_same(services().read_models.created_conductor, id_conductor, data)
    comando = ComandoRegistrarConductor(id_conductor, **data)
    return _about_conductor(comando, ids.message(data), is_known, lambda row: row)


@commands.patch("/conductores/<uuid:id_conductor>")
def renombrar_conductor(id_conductor: Id) -> Response:
    """Gives a driver another name. With `Prefer: wait=N` the answer is the driver who has it, within N seconds."""
    data = validate(read(request), fields.NOMBRE_CONDUCTOR)
    _require(services().read_models.conductor(id_conductor), "driver", id_conductor)
    comando = ComandoRenombrarConductor(id_conductor, **data)
    id_mensaje = Ids(request, g.caller).message(data)
    return _about_conductor(comando, id_mensaje, True, lambda row: row if row["nombre"] == data["nombre"] else None)


@commands.delete("/conductores/<uuid:id_conductor>")
def retirar_conductor(id_conductor: Id) -> Response:
    """Retires a driver, who gets no more orders; the one at hand goes on."""
    _require(services().read_models.conductor(id_conductor), "driver", id_conductor)
    location = f"/conductores/{id_conductor}"
    return send_command(ComandoRetirarConductor(id_conductor), new(), location, id_conductor=id_conductor)


def _require(row: Row | None, what: str, row_id: Id) -> None:
    """Raises 404 for what a command can't change, because it is not there."""
    if row is None:
        not_found(what, row_id)


def _about_conductor(
    comando: ComandoRegistrarConductor | ComandoRenombrarConductor,
    id_mensaje: Id,
    is_known: bool,
    done: Callable[[Row], Row | None],
) -> Response:
    """What `when_done` answers; `done` makes the answer of a driver who is there."""
    id_conductor = comando.id_conductor
    location = f"/conductores/{id_conductor}"

    def send() -> Response:
        return send_command(comando, id_mensaje, location, id_conductor=id_conductor)

    def found(row: Row | None) -> Row | None:
        return None if row is None else done(row)

    following, headers = services().followings.conductores, {"Content-Location": location}
    return when_done(send, following, id_conductor, is_known, found, headers)
