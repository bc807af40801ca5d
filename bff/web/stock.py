"""The routes that change a product that is there: its stock is adjusted, or it gets another name."""

from flask import Blueprint, Response, g, request

from bff.backends.read_models import Row
from bff.bodies import fields
from bff.bodies.fields import validate
from bff.bodies.formats import read
from bff.web.idempotency import Ids
from bff.web.problems import StockRefused, not_found
from bff.web.sending import send_command, when_done
from bff.web.services import services
from functions.messages.ids import Id
from functions.messages.payloads import ComandoAjustarStock, ComandoRenombrarProducto

stock = Blueprint("stock", __name__)


@stock.post("/productos/<uuid:id_producto>/stock")
def ajustar_stock(id_producto: Id) -> Response:
    """Adds units to the stock, or takes some away. With `Prefer: wait=N` the answer holds the movement, if it can be
    read within N seconds; 409 if the adjustment was refused.
    """
    ids = Ids(request, g.caller)
    data = validate(read(request), fields.AJUSTE)
    _require_producto(id_producto)
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


@stock.patch("/productos/<uuid:id_producto>")
def renombrar_producto(id_producto: Id) -> Response:
    """Gives a product another name. With `Prefer: wait=N` the answer holds the product, if it can be read with that
    name within N seconds.
    """
    ids = Ids(request, g.caller)
    data = validate(read(request), fields.NOMBRE)
    _require_producto(id_producto)
    comando = ComandoRenombrarProducto(id_producto, **data)

    def send() -> Response:
        return send_command(comando, ids.message(data), f"/productos/{id_producto}", id=id_producto)

    def renamed(row: Row | None) -> Row | None:
        return {"id": id_producto, "resultado": row} if row and row["nombre"] == data["nombre"] else None

    return when_done(send, services().followings.productos, id_producto, True, renamed)


def _require_producto(id_producto: Id) -> None:
    if services().read_models.producto(id_producto) is None:
        not_found("product", id_producto)
