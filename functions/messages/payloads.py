"""The published language: each topic's payload, as its schema in `schemas/` says (a test compares the two).

`topic` is "<namespace>/<topic>"; `key` names the field that is the partition key, the aggregate's id; `unique_by`
the fields that the message's id comes from, an id and times, if there is one such message for each of their values,
whoever sends it; `deliver_at` the field that says when the broker is to deliver the message.
`items` the class of the records in each field that holds an array of them.
`vence` of a command is until when it is wanted, None: for ever; whoever gets it later refuses it without any effect.
Values that no order may have raise `ValueError`: such a message is quarantined, never processed.
A field that came with a later version of its schema has the schema's default: older messages don't say it.
Longer than 200 lines: the whole language is one list, which is read from top to bottom.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Final, TypeVar, dataclass_transform

from functions.messages.frozen import frozen
from functions.messages.ids import Id

MAX_INT: Final = 2**31 - 1
"""The largest Avro int, and the largest integer of PostgreSQL."""
MAX_NOMBRE: Final = 1000
"""Characters of a driver's name, at most: several drivers fit into one message."""


class Payload:
    """Base of all payloads. Its variables are the arguments of `payload`."""

    __slots__ = ()
    topic: ClassVar[str]
    key: ClassVar[str]
    unique_by: ClassVar[tuple[str, ...]]
    deliver_at: ClassVar[str | None]
    items: ClassVar[Mapping[str, type]]


PAYLOADS: Final[dict[str, type[Payload]]] = {}
"""The class of each topic's payload, by the topic."""
T = TypeVar("T", bound=Payload)


@dataclass_transform(frozen_default=True)
def payload(
    topic: str,
    key: str,
    unique_by: tuple[str, ...] = (),
    deliver_at: str | None = None,
    items: Mapping[str, type] | None = None,
) -> Callable[[type[T]], type[T]]:
    """Decorator: makes a class the payload of a topic, a frozen dataclass. See the module for the arguments."""

    def register(cls: type[T]) -> type[T]:
        payload_class = frozen(cls)
        payload_class.topic, payload_class.key = topic, key
        payload_class.unique_by, payload_class.deliver_at = unique_by, deliver_at
        payload_class.items = items or {}
        PAYLOADS[topic] = payload_class
        return payload_class

    return register


def require_cantidad(cantidad: int) -> None:
    """Raises ValueError unless 1 ≤ cantidad ≤ 2³¹-1: fewer units than one would make stock out of nothing."""
    if not 1 <= cantidad <= MAX_INT:
        raise ValueError(f"cantidad is {cantidad}: it must be from 1 to {MAX_INT}")


@payload("ordenes/comando-crear-orden", key="id_orden")
class ComandoCrearOrden(Payload):
    """Place an order. `time_stamp`: when it was asked for."""

    id_orden: Id
    id_producto: Id
    user_id: str
    time_stamp: datetime
    cantidad: int
    direccion_entrega: str
    transaction_id: Id
    instrucciones_entrega: str | None = None

    def __post_init__(self) -> None:
        require_cantidad(self.cantidad)


@payload("ordenes/comando-marcar-listo-despacho", key="id_orden")
class ComandoMarcarListoDespacho(Payload):
    """The order has a driver."""

    id_orden: Id
    id_conductor: Id
    direccion_entrega: str
    transaction_id: Id
    instrucciones_entrega: str | None = None


@payload("ordenes/comando-revertir-orden-creada", key="id_orden")
class ComandoRevertirOrdenCreada(Payload):
    """Compensate the order: it fails for the reason `motivo`."""

    id_producto: Id
    id_orden: Id
    motivo: str
    transaction_id: Id


@payload("ordenes/comando-verificar-orden", key="id_orden", deliver_at="programado")
class ComandoVerificarOrden(Payload):
    """Look after orders that have not ended. `intento` counts the checks from 1; `otras`: further orders;
    `programado`: when the check is due, by the clock of the database `ordenes`.
    """

    id_orden: Id
    intento: int
    transaction_id: Id
    otras: list[Id] | None = None
    programado: datetime | None = None

    @property
    def ordenes(self) -> list[Id]:
        """The ids of all orders that the message is about."""
        return [self.id_orden, *(self.otras or ())]


@payload("ordenes/comando-suspender-plazos", key="operador")
class ComandoSuspenderPlazos(Payload):
    """Suspend giving orders up, or, not `suspendidos`, resume it, for the reason `motivo`."""

    suspendidos: bool
    operador: str
    motivo: str


@payload("ordenes/comando-cancelar-orden", key="id_orden")
class ComandoCancelarOrden(Payload):
    """Cancel the order, for the reason `motivo`, unless it was dispatched."""

    id_orden: Id
    transaction_id: Id
    motivo: str | None = None


@payload("ordenes/comando-despachar-orden", key="id_orden")
class ComandoDespacharOrden(Payload):
    """The driver has set off with the order."""

    id_orden: Id
    transaction_id: Id


@payload("ordenes/comando-entregar-orden", key="id_orden")
class ComandoEntregarOrden(Payload):
    """The customer has got the order. `recibido_por`: who took it."""

    id_orden: Id
    transaction_id: Id
    recibido_por: str | None = None


@payload("ordenes/comando-devolver-orden", key="id_orden")
class ComandoDevolverOrden(Payload):
    """The dispatched order could not be delivered, for the reason `motivo`, and is back."""

    id_orden: Id
    transaction_id: Id
    motivo: str


@payload("ordenes/evento-orden", key="id_orden")
class EventoOrden(Payload):
    """The whole state of an order after a change. `version` grows by one with each change. By the clock of the database
    `ordenes`: `creada_en`, `iniciada_en`, `despachada_en`: when it came into these states; `finalizada_en`: into its
    last one.
    """

    id_orden: Id
    id_producto: Id
    user_id: str
    time_stamp: datetime
    cantidad: int
    direccion_entrega: str
    estado: str
    id_driver: Id | None
    motivo: str | None
    transaction_id: Id
    version: int
    instrucciones_entrega: str | None = None
    creada_en: datetime | None = None
    iniciada_en: datetime | None = None
    despachada_en: datetime | None = None
    finalizada_en: datetime | None = None
    recibido_por: str | None = None


@payload("productos/comando-crear-producto", key="id_producto")
class ComandoCrearProducto(Payload):
    """Add a product."""

    id_producto: Id
    nombre: str
    stock: int

    def __post_init__(self) -> None:
        if not 0 <= self.stock <= MAX_INT:
            raise ValueError(f"stock is {self.stock}: it must be from 0 to {MAX_INT}")


@payload("productos/comando-eliminar-producto", key="id_producto")
class ComandoEliminarProducto(Payload):
    """Delete a product."""

    id_producto: Id


@payload("productos/comando-disminuir-stock", key="id_producto", unique_by=("id_orden", "vence"))
class ComandoDisminuirStock(Payload):
    """Reserve units of a product for an order."""

    id_producto: Id
    id_orden: Id
    cantidad: int
    direccion_entrega: str
    transaction_id: Id
    instrucciones_entrega: str | None = None
    vence: datetime | None = None

    def __post_init__(self) -> None:
        require_cantidad(self.cantidad)


@payload("productos/comando-revertir-disminuir-stock", key="id_producto")
class ComandoRevertirDisminuirStock(Payload):
    """Give back what an order has reserved, for the reason `motivo`."""

    id_producto: Id
    id_orden: Id
    cantidad: int
    direccion_entrega: str
    motivo: str
    transaction_id: Id


@payload("productos/comando-ajustar-stock", key="id_producto")
class ComandoAjustarStock(Payload):
    """Add `cantidad` units to a product's stock, or, below 0, take them away, for the reason `motivo`."""

    id_producto: Id
    id_ajuste: Id
    cantidad: int
    motivo: str

    def __post_init__(self) -> None:
        if not 1 <= abs(self.cantidad) <= MAX_INT:
            raise ValueError(f"cantidad is {self.cantidad}: it must be from -{MAX_INT} to {MAX_INT}, and not 0")


@payload("productos/comando-renombrar-producto", key="id_producto")
class ComandoRenombrarProducto(Payload):
    """Give a product another name."""

    id_producto: Id
    nombre: str


@frozen
class Movimiento:
    """A change of a product's stock, `cantidad` as it was asked for, which led to `version` and `stock`; what was
    `rechazado` changed no stock. Its identity is the product and the version.
    """

    version: int
    fecha: datetime
    causa: str
    id_orden: Id | None
    id_ajuste: Id | None
    cantidad: int
    stock: int
    motivo: str | None
    rechazado: bool


@payload("productos/evento-producto", key="id_producto", items={"movimientos": Movimiento})
class EventoProducto(Payload):
    """The whole state of a product after a change. `version` grows by one with each change. `movimientos`: the changes
    of the stock since the event before this one, in their order; None if there are none, or if nobody knew of them.
    """

    id_producto: Id
    nombre: str
    stock: int
    fecha_creacion: datetime
    fecha_actualizacion: datetime
    eliminado: bool
    version: int
    movimientos: list[Movimiento] | None = None


@payload("conductores/comando-registrar-conductor", key="id_conductor")
class ComandoRegistrarConductor(Payload):
    """Add a driver; say how one is that is there already."""

    id_conductor: Id
    nombre: str | None

    def __post_init__(self) -> None:
        _require_nombre(self.nombre)


@payload("conductores/comando-renombrar-conductor", key="id_conductor")
class ComandoRenombrarConductor(Payload):
    """Give a driver another name."""

    id_conductor: Id
    nombre: str

    def __post_init__(self) -> None:
        _require_nombre(self.nombre)


@payload("conductores/comando-retirar-conductor", key="id_conductor")
class ComandoRetirarConductor(Payload):
    """Retire a driver: the order at hand is the last one."""

    id_conductor: Id


def _require_nombre(nombre: str | None) -> None:
    if nombre is not None and len(nombre) > MAX_NOMBRE:
        raise ValueError(f"nombre has {len(nombre)} characters: at most {MAX_NOMBRE} are allowed")


@payload("conductores/comando-asignar-conductor", key="id_orden")
class ComandoAsignarConductor(Payload):
    """Assign a driver to an order."""

    id_producto: Id
    id_orden: Id
    cantidad: int
    direccion_entrega: str
    transaction_id: Id
    instrucciones_entrega: str | None = None
    vence: datetime | None = None

    def __post_init__(self) -> None:
        require_cantidad(self.cantidad)


@payload("conductores/comando-liberar-conductor", key="id_orden")
class ComandoLiberarConductor(Payload):
    """Free the driver of an order, for the reason `motivo`."""

    id_producto: Id
    id_orden: Id
    cantidad: int
    direccion_entrega: str
    motivo: str
    transaction_id: Id


@payload("conductores/comando-completar-asignacion", key="id_orden")
class ComandoCompletarAsignacion(Payload):
    """The order was delivered: its driver is free again."""

    id_orden: Id
    transaction_id: Id


@payload("conductores/comando-revisar-espera", key="id_orden", deliver_at="hasta")
class ComandoRevisarEspera(Payload):
    """Look after the orders that wait for a driver: some of them, `id_orden` is one, were to wait until `hasta`, by the
    clock of the database `conductores`.
    """

    id_orden: Id
    hasta: datetime


@frozen
class Conductor:
    """The whole state of a driver. `estado`: libre, asignado or retirado, `desde` when, by the clock of the database
    `conductores`; `id_orden`: the order at hand, which a retired driver may still have; `version` grows by one with
    each change.
    """

    id_conductor: Id
    nombre: str | None
    estado: str
    id_orden: Id | None
    desde: datetime
    version: int


@payload("conductores/evento-conductor", key="id_conductor", items={"conductores": Conductor})
class EventoConductor(Payload):
    """The drivers that a function has changed, or was asked about, each as it is now. `id_conductor`: the first one."""

    id_conductor: Id
    conductores: list[Conductor]


@payload("saga/evento-cuarentena", key="funcion")
class EventoCuarentena(Payload):
    """A message was quarantined, or an operator did something with its dead letter."""

    funcion: str
    origen: str
    id_mensaje: str
    accion: str
    motivo: str
    operador: str | None
    id_orden: Id | None
    transaction_id: Id | None


@payload("saga/evento-rechazo", key="id_orden")
class EventoRechazo(Payload):
    """The topic `comando` asked for a change that was not possible in the state `estado` that the order was in."""

    id_orden: Id
    comando: str
    estado: str
    transaction_id: Id
