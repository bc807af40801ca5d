"""Payloads for tests, with sensible values: `make_orden(cantidad=3)`."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from tools.cluster.repository import function_configs

from functions.messages.envelope import now
from functions.messages.ids import Id, new
from functions.messages.payloads import (
    ComandoAjustarStock,
    ComandoAsignarConductor,
    ComandoCancelarOrden,
    ComandoCrearOrden,
    ComandoCrearProducto,
    ComandoDespacharOrden,
    ComandoDevolverOrden,
    ComandoDisminuirStock,
    ComandoEntregarOrden,
    ComandoLiberarConductor,
    ComandoMarcarListoDespacho,
    ComandoRevertirDisminuirStock,
    ComandoRevertirOrdenCreada,
    EventoProducto,
    Payload,
)
from functions.ordenes.deadlines import Plazos, plazos
from functions.ordenes.decisions import crear as crear_orden
from functions.ordenes.states import CREADA, INICIADA, Orden, move
from functions.productos import decisions

ADDRESS = 'Calle 45 # 13-40, "apto" {2}\\ñ 🚚'
INSTRUCTIONS = "Tocar el timbre"
PLAZOS: Plazos = plazos(function_configs()["verificar-orden"]["userConfig"])
"""The deadlines as they are deployed."""


def make_orden(**changes: Any) -> ComandoCrearOrden:
    return replace(ComandoCrearOrden(new(), new(), "ana", now(), 2, ADDRESS, new(), INSTRUCTIONS), **changes)


def make_producto(**changes: Any) -> ComandoCrearProducto:
    return replace(ComandoCrearProducto(new(), "Café de Nariño", 10), **changes)


def stored_producto(stock: int = 10) -> EventoProducto:
    """A product as its table has it."""
    return as_stored(decisions.crear(None, make_producto(stock=stock), now())[0])


def as_stored(producto: EventoProducto) -> EventoProducto:
    """The product as its table has it, which does not know what led to it."""
    return replace(producto, movimientos=None)


def ajustar(id_producto: Id, cantidad: int = 5) -> ComandoAjustarStock:
    return ComandoAjustarStock(id_producto, new(), cantidad, "Llegada del proveedor")


def stored_orden(comando: ComandoCrearOrden | None = None, moment: datetime | None = None) -> Orden:
    """An order as its table has it, created at `moment`, else now."""
    return crear_orden(None, comando or make_orden(), moment or now(), PLAZOS)[0]


def devolver(id_orden: Id, transaction_id: Id) -> ComandoDevolverOrden:
    return ComandoDevolverOrden(id_orden, transaction_id, "nadie en casa")


REQUESTS: Final[dict[str, Callable[[Id, Id], Payload]]] = {
    "cancelar-orden": ComandoCancelarOrden,
    "despachar-orden": ComandoDespacharOrden,
    "entregar-orden": ComandoEntregarOrden,
    "devolver-orden": devolver,
}
"""What people ask of orders, from the order's and its saga's id, by the function that does it."""


def orden_in(estado: str, moment: datetime | None = None) -> Orden:
    """An order in this state, as its table has it, which it came to by the shortest way at `moment`, else now."""
    at = moment or now()
    way = {INICIADA: (INICIADA,), "despachada": (INICIADA, "despachada")}
    way |= {end: (INICIADA, "despachada", end) for end in ("entregada", "devuelta")}
    orden = stored_orden(moment=at)
    for step in () if estado == CREADA else way.get(estado, (estado,)):
        moved = move(orden, step, at, **({"id_driver": new()} if step == INICIADA else {}))
        assert moved is not None
        orden = moved
    return orden


def pedir_stock(orden: ComandoCrearOrden, vence: datetime | None = None) -> ComandoDisminuirStock:
    return ComandoDisminuirStock(**_request(orden), vence=vence)


def pedir_conductor(orden: ComandoCrearOrden, vence: datetime | None = None) -> ComandoAsignarConductor:
    return ComandoAsignarConductor(**_request(orden), vence=vence)


def _request(orden: ComandoCrearOrden) -> dict[str, Any]:
    fields = ("id_producto", "id_orden", "cantidad", "direccion_entrega", "transaction_id", "instrucciones_entrega")
    return {field: getattr(orden, field) for field in fields}


def listo(orden: ComandoCrearOrden) -> ComandoMarcarListoDespacho:
    return ComandoMarcarListoDespacho(
        orden.id_orden, new(), orden.direccion_entrega, orden.transaction_id, orden.instrucciones_entrega
    )


def revertir_stock(orden: ComandoCrearOrden) -> ComandoRevertirDisminuirStock:
    return ComandoRevertirDisminuirStock(
        orden.id_producto,
        orden.id_orden,
        orden.cantidad,
        orden.direccion_entrega,
        "sin conductor libre",
        orden.transaction_id,
    )


def revertir(orden: ComandoCrearOrden) -> ComandoRevertirOrdenCreada:
    return ComandoRevertirOrdenCreada(orden.id_producto, orden.id_orden, "stock insuficiente", orden.transaction_id)


def liberar(orden: ComandoCrearOrden) -> ComandoLiberarConductor:
    return ComandoLiberarConductor(
        orden.id_producto,
        orden.id_orden,
        orden.cantidad,
        orden.direccion_entrega,
        "plazo vencido",
        orden.transaction_id,
    )
