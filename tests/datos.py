"""Payloads for tests, with sensible values: `una_orden(cantidad=3)`."""

from dataclasses import replace
from typing import Any

from functions.comun.ids import nuevo
from functions.comun.mensajes import (
    AsignarConductor,
    CrearOrden,
    CrearProducto,
    DisminuirStock,
    LiberarConductor,
    MarcarListoDespacho,
    RevertirDisminuirStock,
    RevertirOrdenCreada,
    ahora,
)

CALLE = 'Calle 45 # 13-40, "apto" {2}\\ñ 🚚'
TIMBRE = "Tocar el timbre"


def una_orden(**cambios: Any) -> CrearOrden:
    return replace(CrearOrden(nuevo(), nuevo(), "ana", ahora(), 2, CALLE, nuevo(), TIMBRE), **cambios)


def un_producto(**cambios: Any) -> CrearProducto:
    return replace(CrearProducto(nuevo(), "Café de Nariño", 10), **cambios)


def pedir_stock(orden: CrearOrden) -> DisminuirStock:
    return DisminuirStock(**_pedido(orden))


def pedir_conductor(orden: CrearOrden) -> AsignarConductor:
    return AsignarConductor(**_pedido(orden))


def _pedido(orden: CrearOrden) -> dict[str, Any]:
    campos = ("id_producto", "id_orden", "cantidad", "direccion_entrega", "transaction_id", "instrucciones_entrega")
    return {campo: getattr(orden, campo) for campo in campos}


def listo(orden: CrearOrden) -> MarcarListoDespacho:
    return MarcarListoDespacho(
        orden.id_orden, nuevo(), orden.direccion_entrega, orden.transaction_id, orden.instrucciones_entrega
    )


def devolver_stock(orden: CrearOrden) -> RevertirDisminuirStock:
    return RevertirDisminuirStock(
        orden.id_producto,
        orden.id_orden,
        orden.cantidad,
        orden.direccion_entrega,
        "sin conductor libre",
        orden.transaction_id,
    )


def revertir(orden: CrearOrden) -> RevertirOrdenCreada:
    return RevertirOrdenCreada(orden.id_producto, orden.id_orden, "stock insuficiente", orden.transaction_id)


def liberar(orden: CrearOrden) -> LiberarConductor:
    return LiberarConductor(
        orden.id_producto,
        orden.id_orden,
        orden.cantidad,
        orden.direccion_entrega,
        "plazo vencido",
        orden.transaction_id,
    )
