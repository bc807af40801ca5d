"""The API as an OpenAPI 3.1 document, made from the same fields that requests are checked with."""

from typing import Final

from bff.backends.read_models import DATABASES
from bff.bodies import fields
from bff.bodies.pages import NUMBERED_PAGE_FIELDS, PAGE_FIELDS
from bff.contract.models import UUID, Document, array_of, object_schema, ref, schemas
from bff.contract.operations import change, create, delete, links, path_id, read_list, read_one, status, stream, text

VERSION: Final = "1.0.0"
"""The API's version: additions raise the second number; what breaks clients raises the first, and changes the path."""


def document(max_cantidad: int) -> Document:
    """The whole document. `max_cantidad`: most units in one order."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Order fulfilment",
            "version": VERSION,
            "description": "Commands are answered 202 once the broker has stored them; reads show what became of them. "
            "Every body, of a request or of an answer, may be JSON or XML; in XML a list's members are elements `i`, "
            "and null is `xsi:nil`; the root's name, namespaces and other attributes mean nothing. Unknown fields are "
            "ignored, and so are blanks around a text. Texts get the Unicode form NFC; lengths count afterwards.",
        },
        "paths": _ordenes(max_cantidad) | _productos() | _conductores() | _about(),
        "components": {"schemas": schemas()},
    }


def _ordenes(max_cantidad: int) -> Document:
    orden = ref("Orden")
    ids = ("id_orden", "transaction_id")
    id_links = links("id_orden", "id_orden", "ver_orden", "ver_saga")
    filters = PAGE_FIELDS | fields.FILTERS
    steps_then_orden = "The steps of an order's saga as they come, then the order"
    changes = {
        "despacho": change("despachar_orden", "Dispatch an order: its driver sets off", fields.DESPACHO, ids, orden),
        "entrega": change("entregar_orden", "Confirm that an order was delivered", fields.ENTREGA, ids, orden),
        "devolucion": change("devolver_orden", "Bring a dispatched order back", fields.DEVOLUCION, ids, orden),
        "cancelacion": change(
            "cancelar_orden", "Cancel an order that was not dispatched", fields.CANCELACION, ids, orden
        ),
    }
    return {
        "/orders": {
            "post": create("crear_orden", "Place an order", fields.orden(max_cantidad), ids, id_links, orden),
            "get": read_list("ver_ordenes", "Orders, newest first", array_of(orden), filters),
        },
        "/orders/{id_orden}": {"get": read_one("ver_orden", "An order", orden), **path_id("id_orden")},
        "/orders/{id_orden}/saga": {
            "get": read_one("ver_saga", "The steps of an order's saga", array_of(ref("Paso"))),
            **path_id("id_orden"),
        },
        "/orders/{id_orden}/events": {
            "get": stream("ver_eventos", steps_then_orden, fields.STREAM),
            **path_id("id_orden"),
        },
        **{f"/orders/{{id_orden}}/{path}": {"post": change, **path_id("id_orden")} for path, change in changes.items()},
    }


def _productos() -> Document:
    page = object_schema({"resultado": array_of(ref("Producto"))})
    producto = object_schema({"resultado": ref("Producto")})
    created = object_schema({"id": UUID, "resultado": ref("Producto")})
    id_links = links(
        *("id", "id_producto", "ver_producto", "ver_movimientos"),
        *("ajustar_stock", "renombrar_producto", "eliminar_producto"),
    )
    movimiento = object_schema({"id": UUID, "id_ajuste": UUID, "resultado": ref("Movimiento")})
    movimientos = read_list(
        "ver_movimientos",
        "The changes of a product's stock with their causes, newest first",
        object_schema({"resultado": array_of(ref("Movimiento"))}),
        NUMBERED_PAGE_FIELDS,
        404,
    )
    adjustment = change(
        "ajustar_stock",
        "Add units to a product's stock, or take some away",
        fields.AJUSTE,
        ("id", "id_ajuste"),
        movimiento,
        404,
        409,
        422,
    )
    renaming = change("renombrar_producto", "Give a product another name", fields.NOMBRE, ("id",), created, 404)
    note = (
        "An order that is placed before the product can be read may fail as `producto desconocido`: wait for it, with "
        "`Prefer: wait` or by reading its `Location`. With another `nombre` under the same Idempotency-Key it is a 422 "
        "only until the product changes."
    )
    return {
        "/productos": {
            "post": create("crear_producto", "Create a product", fields.PRODUCTO, ("id",), id_links, created, note),
            "get": read_list("ver_productos", "Products, oldest first", page, PAGE_FIELDS),
        },
        "/productos/{id_producto}": {
            "get": read_one("ver_producto", "A product", producto),
            "patch": renaming,
            "delete": delete("eliminar_producto", "Delete a product: orders of it fail from then on", ("id",)),
            **path_id("id_producto"),
        },
        "/productos/{id_producto}/stock": {"post": adjustment, **path_id("id_producto")},
        "/productos/{id_producto}/movimientos": {"get": movimientos, **path_id("id_producto")},
    }


def _conductores() -> Document:
    conductor, ids = ref("Conductor"), ("id_conductor",)
    note = (
        "With another `nombre` under the same Idempotency-Key it is a 422 only until the driver changes. The answer to "
        "`Prefer: wait` is the driver, free or, if an order waited for one, with an order."
    )
    id_links = links("id_conductor", "id_conductor", "ver_conductor", "renombrar_conductor", "retirar_conductor")
    register = create("registrar_conductor", "Register a driver", fields.CONDUCTOR, ids, id_links, conductor, note)
    rename = change("renombrar_conductor", "Give a driver another name", fields.NOMBRE_CONDUCTOR, ids, conductor, 404)
    listed = "Drivers, those first who have been longest in their state"
    return {
        "/conductores": {
            "post": register,
            "get": read_list("ver_conductores", listed, array_of(conductor), PAGE_FIELDS | fields.CONDUCTORES),
        },
        "/conductores/{id_conductor}": {
            "get": read_one("ver_conductor", "A driver", conductor),
            "patch": rename,
            "delete": delete("retirar_conductor", "Retire a driver, who gets no more orders", ids),
            **path_id("id_conductor"),
        },
    }


def _about() -> Document:
    state = {"type": "string", "enum": ["ok", "away"]}
    states = {"read_models": object_schema(dict.fromkeys(DATABASES, state))}
    return {
        "/health": {"get": status("health", "Does the process serve?", 400, 406)},
        "/ready": {"get": status("ready", "Are commands accepted, and what can be read?", 400, 406, 503, says=states)},
        "/metrics": {"get": text("ver_metricas", "Figures for Prometheus", "text/plain", 400)},
    }
