"""What must hold once all has drained, each a function of the picture that names what breaks it."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

from tests.chaos import sagas
from tests.chaos.entregas import CUARENTENA
from tests.chaos.foto import Foto, Prometido


def ninguna_orden_perdida(foto: Foto, prometido: Prometido) -> Iterator[str]:
    """Every accepted order is there."""
    for id_orden in map(UUID, prometido.ordenes):
        if id_orden not in foto.ordenes:
            yield f"order {id_orden}: accepted, and not there"


def ningun_conductor_perdido(foto: Foto, prometido: Prometido) -> Iterator[str]:
    """Every accepted driver is there."""
    for id_conductor in map(UUID, prometido.conductores):
        if id_conductor not in foto.conductores:
            yield f"driver {id_conductor}: accepted, and not there"


def toda_orden_termina(foto: Foto, _: Prometido) -> Iterator[str]:
    """Every order, accepted or not, has ended."""
    for id_orden, orden in foto.ordenes.items():
        if orden.estado not in ("iniciada", "fallida"):
            yield f"order {id_orden}: still {orden.estado}"


def toda_orden_termina_una_vez(foto: Foto, _: Prometido) -> Iterator[str]:
    """Created once and ended once: version 2."""
    for id_orden, orden in foto.ordenes.items():
        if orden.estado != "creada" and orden.version != 2:
            yield f"order {id_orden}: {orden.estado} with version {orden.version}"


def el_stock_cuadra(foto: Foto, prometido: Prometido) -> Iterator[str]:
    """Initial stock − what is reserved = stock ≥ 0."""
    reservado: Counter[UUID] = Counter()
    for reserva in foto.reservas.values():
        reservado[reserva.id_producto] += reserva.cantidad if reserva.estado == "reservada" else 0
    for id_producto, inicial in prometido.stock.items():
        producto, debe = foto.productos.get(UUID(id_producto)), inicial - reservado[UUID(id_producto)]
        if producto is None or producto.stock != debe or debe < 0:
            yield f"product {id_producto}: {producto}, but {inicial} less what is reserved is {debe}"


def las_reservas_son_de_ordenes_iniciadas(foto: Foto, _: Prometido) -> Iterator[str]:
    """An order that is iniciada holds what it asked for, any other holds nothing."""
    for id_orden in foto.ordenes.keys() | foto.reservas.keys():
        orden, reserva = foto.ordenes.get(id_orden), foto.reservas.get(id_orden)
        tiene = (reserva.id_producto, reserva.cantidad) if reserva and reserva.estado == "reservada" else None
        debe = (orden.id_producto, orden.cantidad) if orden and orden.estado == "iniciada" else None
        if tiene != debe:
            yield f"order {id_orden}: {orden.estado if orden else 'not there'}, but its reservation is {reserva}"


def los_conductores_son_de_ordenes_iniciadas(foto: Foto, _: Prometido) -> Iterator[str]:
    """An order that is iniciada has the driver of its assignment, any other has none."""
    for id_orden in foto.ordenes.keys() | foto.asignadas.keys():
        orden, asignado = foto.ordenes.get(id_orden), foto.asignadas.get(id_orden)
        iniciada = orden is not None and orden.estado == "iniciada"
        if (orden.id_driver if orden else None) != asignado or iniciada != (asignado is not None):
            yield f"order {id_orden}: {orden}, but its assignment's driver is {asignado}"


def cada_conductor_lleva_una_orden(foto: Foto, _: Prometido) -> Iterator[str]:
    """A driver is in at most one assignment, and not free exactly if in one."""
    asignaciones = Counter(foto.asignadas.values())
    for id_conductor in foto.conductores.keys() | asignaciones.keys():
        libre, cuantas = foto.conductores.get(id_conductor), asignaciones[id_conductor]
        if (libre, cuantas) not in ((True, 0), (False, 1)):
            yield f"driver {id_conductor}: in {cuantas} assignments, free: {libre}"


def las_lecturas_son_iguales(foto: Foto, _: Prometido) -> Iterator[str]:
    """Read models hold what the write models hold."""
    pares: list[tuple[str, dict[UUID, Any], dict[UUID, Any]]] = [
        ("order", foto.ordenes, foto.ordenes_lectura),
        ("product", foto.productos, foto.productos_lectura),
    ]
    for que, escritos, leidos in pares:
        for clave in escritos.keys() | leidos.keys():
            if escritos.get(clave) != leidos.get(clave):
                yield f"{que} {clave}: {escritos.get(clave)}, but read as {leidos.get(clave)}"


def las_sagas_estan_completas(foto: Foto, _: Prometido) -> Iterator[str]:
    """The log of an order holds the commands that lead to its end, each once. Other commands don't count."""
    for id_orden, orden in foto.ordenes.items():
        pasos = foto.pasos.get(id_orden, Counter())
        if orden.estado != "creada" and not sagas.completa(orden.estado, orden.motivo, pasos):
            yield f"order {id_orden}: {orden.estado} ({orden.motivo}) after {dict(pasos)}"


def nada_en_cuarentena(foto: Foto, _: Prometido) -> Iterator[str]:
    """No message was quarantined."""
    for topic, suscripciones in foto.suscripciones.items():
        if cuantos := suscripciones.get(CUARENTENA, {}).get("msgBacklog"):
            yield f"{topic}: {cuantos} dead letters"


def nada_pendiente(foto: Foto, _: Prometido) -> Iterator[str]:
    """Every function is connected and has acknowledged all messages, but those that are delayed on purpose."""
    for topic, suscripciones in foto.suscripciones.items():
        for nombre, cifras in suscripciones.items():
            if nombre != CUARENTENA and (cuantos := cifras["msgBacklogNoDelayed"]):
                yield f"{topic}: {cuantos} messages wait for {nombre}"
            if nombre != CUARENTENA and not cifras["consumers"]:
                yield f"{topic}: no consumer of {nombre}"


Invariante = Callable[[Foto, Prometido], Iterator[str]]
TODAS: Final[tuple[Invariante, ...]] = (
    ninguna_orden_perdida,
    ningun_conductor_perdido,
    toda_orden_termina,
    toda_orden_termina_una_vez,
    el_stock_cuadra,
    las_reservas_son_de_ordenes_iniciadas,
    los_conductores_son_de_ordenes_iniciadas,
    cada_conductor_lleva_una_orden,
    las_lecturas_son_iguales,
    las_sagas_estan_completas,
    nada_en_cuarentena,
    nada_pendiente,
)


def violaciones(foto: Foto, prometido: Prometido) -> dict[str, set[str]]:
    """What breaks each invariant, by the invariant's name; nothing for those that hold."""
    todas = {invariante.__name__: set(invariante(foto, prometido)) for invariante in TODAS}
    return {nombre: rotas for nombre, rotas in todas.items() if rotas}
