"""What must hold once all has drained, each a function of the picture that names what breaks it.

Longer than 200 lines: the invariants are one list.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

from functions.ordenes.states import CANCELADA, CREADA, DESPACHADA, DEVUELTA, ENTREGADA, FALLIDA, INICIADA
from tests.chaos import sagas
from tests.chaos.deliveries import QUARANTINE
from tests.chaos.snapshot import Promised, Snapshot

WITH_STOCK: Final = (INICIADA, DESPACHADA, ENTREGADA)
"""The states of orders whose stock is not there any more."""
WITH_CONDUCTOR: Final = (INICIADA, DESPACHADA)
"""The states of orders whose driver is not free."""

VERSIONS: Final = {
    INICIADA: (2,),
    FALLIDA: (2,),
    CANCELADA: (2, 3),
    DESPACHADA: (3,),
    ENTREGADA: (4,),
    DEVUELTA: (4,),
}
"""How many states an order of this one has been in."""


def no_order_is_lost(state: Snapshot, promised: Promised) -> Iterator[str]:
    """Every accepted order is there."""
    for id_orden in map(UUID, promised.ordenes):
        if id_orden not in state.ordenes:
            yield f"order {id_orden}: accepted, and not there"


def no_driver_is_lost(state: Snapshot, promised: Promised) -> Iterator[str]:
    """Every accepted driver is there."""
    for id_conductor in map(UUID, promised.conductores):
        if id_conductor not in state.conductores:
            yield f"driver {id_conductor}: accepted, and not there"


def no_adjustment_is_lost(state: Snapshot, promised: Promised) -> Iterator[str]:
    """Every accepted adjustment was made or refused."""
    for id_ajuste in map(UUID, promised.ajustes):
        if id_ajuste not in state.ajustes:
            yield f"adjustment {id_ajuste}: accepted, and not there"


def every_order_ends(state: Snapshot, _: Promised) -> Iterator[str]:
    """Every order, accepted or not, has ended."""
    for id_orden, orden in state.ordenes.items():
        if orden.estado == CREADA:
            yield f"order {id_orden}: still {orden.estado}"


def every_order_ends_once(state: Snapshot, _: Promised) -> Iterator[str]:
    """An order came into each state of its way once, which its version counts."""
    for id_orden, orden in state.ordenes.items():
        if orden.estado != CREADA and orden.version not in VERSIONS[orden.estado]:
            yield f"order {id_orden}: {orden.estado} with version {orden.version}"


def stock_adds_up(state: Snapshot, promised: Promised) -> Iterator[str]:
    """Initial stock + adjustments that were not refused − what is reserved = stock ≥ 0."""
    reserved: Counter[UUID] = Counter()
    for reserva in state.reservas.values():
        reserved[reserva.id_producto] += reserva.cantidad if reserva.estado == "reservada" else 0
    adjusted: Counter[UUID] = Counter()
    for ajuste in state.ajustes.values():
        adjusted[ajuste.id_producto] += 0 if ajuste.rechazado else ajuste.cantidad
    at_first = state.initial_stock | {UUID(id_producto): stock for id_producto, stock in promised.stock.items()}
    for id_producto, initial in at_first.items():
        producto, expected = (
            state.productos.get(id_producto),
            initial + adjusted[id_producto] - reserved[id_producto],
        )
        if producto is None or producto.stock != expected or expected < 0:
            yield f"product {id_producto}: {producto}, but {initial}, adjusted, less what is reserved is {expected}"


def movements_account_for_the_stock(state: Snapshot, promised: Promised) -> Iterator[str]:
    """The movements of a product lead from nothing to its stock, one for each version but those of other changes."""
    for id_producto in state.initial_stock.keys() & state.productos_lectura.keys():
        producto, movimientos = state.productos_lectura[id_producto], state.movimientos.get(id_producto, [])
        changes = [0 if movimiento.rechazado else movimiento.cantidad for movimiento in movimientos]
        stocks = [movimiento.stock for movimiento in movimientos]
        versions = producto.version - producto.eliminado
        if stocks != list(accumulate(changes)) or sum(changes) != producto.stock:
            yield f"product {id_producto}: {producto}, but its movements are {changes}, after them {stocks}"
        elif len(movimientos) != versions and str(id_producto) not in promised.renamed:
            yield f"product {id_producto}: {len(movimientos)} movements in {versions} versions"


def every_movement_has_its_cause(state: Snapshot, _: Promised) -> Iterator[str]:
    """What movements took for an order is what it holds, and each adjustment, done or refused, is told once."""
    taken: Counter[tuple[UUID, UUID]] = Counter()
    told: Counter[tuple[UUID, UUID, int, bool]] = Counter()
    for id_producto, movimientos in state.movimientos.items():
        for one in movimientos:
            if one.id_orden is not None and id_producto in state.initial_stock:
                taken[id_producto, one.id_orden] -= one.cantidad
            if one.id_ajuste is not None:
                told[id_producto, one.id_ajuste, one.cantidad, one.rechazado] += 1
    held = {
        (reserva.id_producto, id_orden): reserva.cantidad
        for id_orden, reserva in state.reservas.items()
        if reserva.estado == "reservada" and reserva.id_producto in state.initial_stock
    }
    made = {(one.id_producto, key, one.cantidad, one.rechazado) for key, one in state.ajustes.items()}
    for id_producto, id_orden in taken.keys() | held.keys():
        key = id_producto, id_orden
        if taken[key] != held.get(key, 0):
            yield f"order {id_orden} of product {id_producto}: holds {held.get(key, 0)}, but was given {taken[key]}"
    for cause in made | told.keys():
        if told[cause] != (cause in made):
            yield f"adjustment {cause}: told {told[cause]} times, {'' if cause in made else 'not '}made"


def only_fulfilled_orders_hold_stock(state: Snapshot, _: Promised) -> Iterator[str]:
    """An order that is iniciada, despachada or entregada holds what it asked for, any other holds nothing."""
    for id_orden in state.ordenes.keys() | state.reservas.keys():
        orden, reserva = state.ordenes.get(id_orden), state.reservas.get(id_orden)
        actual = (reserva.id_producto, reserva.cantidad) if reserva and reserva.estado == "reservada" else None
        expected = (orden.id_producto, orden.cantidad) if orden and orden.estado in WITH_STOCK else None
        if actual != expected:
            yield f"order {id_orden}: {orden.estado if orden else 'not there'}, but its reservation is {reserva}"


def only_orders_under_way_hold_a_driver(state: Snapshot, _: Promised) -> Iterator[str]:
    """An order that is iniciada or despachada has the driver of its assignment, any other has none."""
    for id_orden in state.ordenes.keys() | state.asignadas.keys():
        orden, assigned = state.ordenes.get(id_orden), state.asignadas.get(id_orden)
        if (orden.id_driver if orden and orden.estado in WITH_CONDUCTOR else None) != assigned:
            yield f"order {id_orden}: {orden}, but its assignment's driver is {assigned}"


def each_driver_has_one_order(state: Snapshot, _: Promised) -> Iterator[str]:
    """A driver is libre and in no assignment, asignado and in one, or retirado and in at most one."""
    asignaciones = Counter(state.asignadas.values())
    for id_conductor in state.conductores.keys() | asignaciones.keys():
        libre, count = state.conductores.get(id_conductor), asignaciones[id_conductor]
        estado = state.estados.get(id_conductor)
        is_retired = estado is not None and estado.estado == "retirado"
        if (libre, count) not in ((not is_retired, 0), (False, 1)):
            yield f"driver {id_conductor}: in {count} assignments, free: {libre}"


def nobody_waits_for_a_free_driver(state: Snapshot, _: Promised) -> Iterator[str]:
    """No order waits while a driver is free."""
    free = sum(state.conductores.values())
    for id_orden in state.esperas if free else ():
        yield f"order {id_orden}: waits, while {free} drivers are free"


def both_tables_know_who_waits(state: Snapshot, _: Promised) -> Iterator[str]:
    """The orders in `esperas` are those whose assignment waits."""
    for id_orden, agreed in state.esperas.items():
        if not agreed:
            yield f"order {id_orden}: waits in one table only"


def read_models_match(state: Snapshot, _: Promised) -> Iterator[str]:
    """Read models hold what the write models hold."""
    pairs: list[tuple[str, dict[UUID, Any], dict[UUID, Any]]] = [
        ("order", state.ordenes, state.ordenes_lectura),
        ("product", state.productos, state.productos_lectura),
        ("driver", state.estados, state.estados_lectura),
    ]
    for what, written, projected in pairs:
        for key in written.keys() | projected.keys():
            if written.get(key) != projected.get(key):
                yield f"{what} {key}: {written.get(key)}, but read as {projected.get(key)}"


def sagas_are_complete(state: Snapshot, _: Promised) -> Iterator[str]:
    """The log of an order holds the commands that lead to its end, each once. Other commands don't count."""
    for id_orden, orden in state.ordenes.items():
        steps = state.steps.get(id_orden, Counter())
        if orden.estado != CREADA and not sagas.is_complete(orden.estado, orden.motivo, steps):
            yield f"order {id_orden}: {orden.estado} ({orden.motivo}) after {dict(sorted(steps.items()))}"


def nothing_is_quarantined(state: Snapshot, _: Promised) -> Iterator[str]:
    """No message was quarantined."""
    for topic, subscriptions in state.subscriptions.items():
        if count := subscriptions.get(QUARANTINE, {}).get("msgBacklog"):
            yield f"{topic}: {count} dead letters"


def nothing_is_pending(state: Snapshot, _: Promised) -> Iterator[str]:
    """Every function is connected and has acknowledged all messages, but those that are delayed on purpose."""
    for topic, subscriptions in state.subscriptions.items():
        for name, figures in subscriptions.items():
            if name != QUARANTINE and (count := figures["msgBacklogNoDelayed"]):
                yield f"{topic}: {count} messages wait for {name}"
            if name != QUARANTINE and not figures["consumers"]:
                yield f"{topic}: no consumer of {name}"


Invariant = Callable[[Snapshot, Promised], Iterator[str]]
ALL: Final[tuple[Invariant, ...]] = (
    no_order_is_lost,
    no_driver_is_lost,
    no_adjustment_is_lost,
    every_order_ends,
    every_order_ends_once,
    stock_adds_up,
    movements_account_for_the_stock,
    every_movement_has_its_cause,
    only_fulfilled_orders_hold_stock,
    only_orders_under_way_hold_a_driver,
    each_driver_has_one_order,
    nobody_waits_for_a_free_driver,
    both_tables_know_who_waits,
    read_models_match,
    sagas_are_complete,
    nothing_is_quarantined,
    nothing_is_pending,
)


def broken_invariants(state: Snapshot, promised: Promised) -> dict[str, set[str]]:
    """What breaks each invariant, by the invariant's name; nothing for those that hold."""
    violations = {invariant.__name__: set(invariant(state, promised)) for invariant in ALL}
    return {name: broken for name, broken in violations.items() if broken}
