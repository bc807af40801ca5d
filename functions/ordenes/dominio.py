"""Orders: their states and the decisions about them. Pure.

creada ──► iniciada   a driver was assigned
   └─────► fallida    compensated; `motivo` says why

An order that stays `creada` is looked after at each deadline: its saga is pushed on, in the end given up.
"""

from dataclasses import replace
from typing import Final

from functions.comun.lote import Salidas
from functions.comun.mensajes import (
    CrearOrden,
    Datos,
    DisminuirStock,
    EventoOrden,
    LiberarConductor,
    MarcarListoDespacho,
    MensajeInvalido,
    RevertirOrdenCreada,
    VerificarOrden,
)

CREADA: Final = "creada"
INICIADA: Final = "iniciada"
FALLIDA: Final = "fallida"
TRANSICIONES: Final = {CREADA: (INICIADA, FALLIDA), INICIADA: (), FALLIDA: ()}
"""What may become of an order in each state; whatever asks for something else changes nothing."""

INTENTOS: Final = 3
"""Deadlines that an order is given: at each but the last its saga is pushed on."""
SIN_RESPUESTA: Final = "plazo vencido"

Orden = EventoOrden
"""An order's whole state, as its domain event carries it."""
Decision = tuple[Orden, list[Datos]]


def crear(orden: Orden | None, comando: CrearOrden) -> Decision:
    """A new order is `creada` and its stock is asked for; asking twice for the same order changes nothing."""
    if orden is not None:
        return orden, [_pedir_stock(orden)] if orden.estado == CREADA else []
    nueva = EventoOrden(
        id_orden=comando.id_orden,
        id_producto=comando.id_producto,
        user_id=comando.user_id,
        time_stamp=comando.time_stamp,
        cantidad=comando.cantidad,
        direccion_entrega=comando.direccion_entrega,
        estado=CREADA,
        id_driver=None,
        motivo=None,
        transaction_id=comando.transaction_id,
        version=1,
        instrucciones_entrega=comando.instrucciones_entrega,
    )
    return nueva, [_pedir_stock(nueva), nueva, VerificarOrden(nueva.id_orden, 1, nueva.transaction_id)]


def marcar_listo(orden: Orden | None, comando: MarcarListoDespacho) -> Decision:
    """`creada` → `iniciada`; an order that has ended stays as it is."""
    return _pasar(orden, comando, INICIADA, id_driver=comando.id_conductor)


def revertir(orden: Orden | None, comando: RevertirOrdenCreada) -> Decision:
    """`creada` → `fallida`; an order that has ended stays as it is."""
    return _pasar(orden, comando, FALLIDA, motivo=comando.motivo)


def verificar(orden: Orden | None, comando: VerificarOrden) -> Decision:
    """A deadline is over. An order that has not ended has its first step asked for again, with the same id: each
    function has a receipt for what it did, and publishes it again. At the last deadline the order fails, and what
    was done for it is undone, last step first, whether it was done or not, now or later.
    """
    if orden is not None and orden.estado == CREADA and comando.intento < INTENTOS:
        return orden, [_pedir_stock(orden), VerificarOrden(orden.id_orden, comando.intento + 1, orden.transaction_id)]
    verificada, salidas = _pasar(orden, comando, FALLIDA, motivo=SIN_RESPUESTA)
    if salidas:
        salidas.append(_pedir_compensacion(verificada))
    return verificada, salidas


def juntar(salidas: Salidas) -> Salidas:
    """The same with one message, the last, for all orders that are to be looked after: a delayed message costs a
    broker much more than an id in one.
    """
    plazos = [dicha for lista in salidas for dicha in lista if isinstance(dicha, VerificarOrden)]
    if len(plazos) < 2:
        return salidas
    una = replace(plazos[0], otras=[plazo.id_orden for plazo in plazos[1:]])
    demas = [[dicha for dicha in lista if not isinstance(dicha, VerificarOrden)] for lista in salidas]
    return [*demas[:-1], [*demas[-1], una]]


def _pasar(
    orden: Orden | None,
    comando: MarcarListoDespacho | RevertirOrdenCreada | VerificarOrden,
    estado: str,
    **cambios: object,
) -> Decision:
    if orden is None:
        raise MensajeInvalido(f"id_orden is {comando.id_orden}: there is no such order")
    if estado not in TRANSICIONES[orden.estado]:
        return orden, []
    terminada = replace(orden, estado=estado, version=orden.version + 1, **cambios)  # type: ignore[arg-type]
    return terminada, [terminada]


def _pedir_stock(orden: Orden) -> DisminuirStock:
    return DisminuirStock(
        id_producto=orden.id_producto,
        id_orden=orden.id_orden,
        cantidad=orden.cantidad,
        direccion_entrega=orden.direccion_entrega,
        transaction_id=orden.transaction_id,
        instrucciones_entrega=orden.instrucciones_entrega,
    )


def _pedir_compensacion(orden: Orden) -> LiberarConductor:
    return LiberarConductor(
        id_producto=orden.id_producto,
        id_orden=orden.id_orden,
        cantidad=orden.cantidad,
        direccion_entrega=orden.direccion_entrega,
        motivo=SIN_RESPUESTA,
        transaction_id=orden.transaction_id,
    )
