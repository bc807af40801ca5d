"""Checks that can't fail prove nothing: each invariant finds what breaks it, and only that."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tests.chaos import invariantes, sagas
from tests.chaos.foto import Foto, Orden, Producto, Prometido, Reserva

INICIADA, SIN_STOCK, SIN_CONDUCTOR, PRODUCTO, ANA, EVA = (uuid4() for _ in range(6))
TOPIC = "persistent://monoliticas/ordenes/comando-crear-orden"


def sana() -> Foto:
    """One order of 2 that went well, one without stock, one without a driver; EVA is free."""
    ordenes = {
        INICIADA: Orden(PRODUCTO, 2, "iniciada", ANA, None, 2),
        SIN_STOCK: Orden(PRODUCTO, 20, "fallida", None, "stock insuficiente", 2),
        SIN_CONDUCTOR: Orden(PRODUCTO, 3, "fallida", None, "sin conductor libre", 2),
    }
    productos = {PRODUCTO: Producto("Té", 8, False, 4, None)}
    return Foto(
        ordenes=ordenes,
        ordenes_lectura=dict(ordenes),
        productos=productos,
        productos_lectura=dict(productos),
        reservas={
            INICIADA: Reserva(PRODUCTO, 2, "reservada"),
            SIN_STOCK: Reserva(PRODUCTO, 20, "rechazada"),
            SIN_CONDUCTOR: Reserva(PRODUCTO, 3, "revertida"),
        },
        asignadas={INICIADA: ANA},
        conductores={ANA: False, EVA: True},
        pasos={
            INICIADA: Counter(sagas.INICIADA),
            SIN_STOCK: Counter(sagas.FALLIDA["stock insuficiente"]),
            SIN_CONDUCTOR: Counter(sagas.FALLIDA["sin conductor libre"]),
        },
        suscripciones={
            TOPIC: {"crear-orden": {"msgBacklogNoDelayed": 0, "consumers": ["one"]}},
            f"{TOPIC}-dlq": {"cuarentena": {"msgBacklog": 0, "consumers": []}},
        },
    )


PROMETIDO = Prometido([str(INICIADA), str(SIN_STOCK), str(SIN_CONDUCTOR)], [str(ANA), str(EVA)], {str(PRODUCTO): 10})


def cambiar_orden(foto: Foto, id_orden: UUID, **cambios: object) -> None:
    foto.ordenes[id_orden] = foto.ordenes_lectura[id_orden] = replace(foto.ordenes[id_orden], **cambios)  # type: ignore[arg-type]


def perder_orden(foto: Foto) -> None:
    for tabla in (foto.ordenes, foto.ordenes_lectura, foto.reservas, foto.pasos):
        del tabla[SIN_STOCK]


def vender_dos_veces(foto: Foto) -> None:
    foto.productos[PRODUCTO] = foto.productos_lectura[PRODUCTO] = Producto("Té", 6, False, 5, None)


def no_devolver(foto: Foto) -> None:
    foto.reservas[SIN_CONDUCTOR] = Reserva(PRODUCTO, 3, "reservada")
    foto.productos[PRODUCTO] = foto.productos_lectura[PRODUCTO] = Producto("Té", 5, False, 3, None)


def asignar_dos_veces(foto: Foto) -> None:
    foto.asignadas[SIN_CONDUCTOR] = ANA
    cambiar_orden(foto, SIN_CONDUCTOR, estado="iniciada", id_driver=ANA, motivo=None)
    foto.pasos[SIN_CONDUCTOR] = Counter(sagas.INICIADA)
    no_devolver(foto)


ROTURAS: list[tuple[str, Callable[[Foto], object]]] = [
    ("ninguna_orden_perdida", perder_orden),
    ("ningun_conductor_perdido", lambda foto: foto.conductores.pop(EVA)),
    ("toda_orden_termina", lambda foto: cambiar_orden(foto, SIN_STOCK, estado="creada", motivo=None, version=1)),
    ("toda_orden_termina_una_vez", lambda foto: cambiar_orden(foto, INICIADA, version=3)),
    ("el_stock_cuadra", vender_dos_veces),
    ("las_reservas_son_de_ordenes_iniciadas", no_devolver),
    ("los_conductores_son_de_ordenes_iniciadas", lambda foto: cambiar_orden(foto, INICIADA, id_driver=EVA)),
    ("cada_conductor_lleva_una_orden", asignar_dos_veces),
    ("cada_conductor_lleva_una_orden", lambda foto: foto.conductores.update({EVA: False})),
    ("cada_conductor_lleva_una_orden", lambda foto: foto.conductores.update({ANA: True})),
    ("las_lecturas_son_iguales", lambda foto: foto.ordenes_lectura.pop(INICIADA)),
    ("las_lecturas_son_iguales", lambda foto: foto.productos_lectura.pop(PRODUCTO)),
    ("las_sagas_estan_completas", lambda foto: foto.pasos[INICIADA].pop("comando-asignar-conductor")),
    ("las_sagas_estan_completas", lambda foto: foto.pasos[INICIADA].update(["comando-asignar-conductor"])),
    ("las_sagas_estan_completas", lambda foto: foto.pasos[INICIADA].update(["comando-revertir-orden-creada"])),
    ("nada_en_cuarentena", lambda foto: foto.suscripciones[f"{TOPIC}-dlq"]["cuarentena"].update(msgBacklog=1)),
    ("nada_pendiente", lambda foto: foto.suscripciones[TOPIC]["crear-orden"].update(msgBacklogNoDelayed=1)),
    ("nada_pendiente", lambda foto: foto.suscripciones[TOPIC]["crear-orden"].update(consumers=[])),
]


def test_a_healthy_picture_breaks_nothing() -> None:
    assert invariantes.violaciones(sana(), PROMETIDO) == {}


@pytest.mark.parametrize(("invariante", "romper"), ROTURAS, ids=[f"{i}-{r[0]}" for i, r in enumerate(ROTURAS)])
def test_what_breaks_an_invariant_is_named(invariante: str, romper: Callable[[Foto], object]) -> None:
    foto = sana()
    romper(foto)
    rotas = invariantes.violaciones(foto, PROMETIDO)
    assert len(rotas.pop(invariante)) == 1
    # a driver that went to two orders, or stock that was not given back, shows at the order as well
    assert rotas.keys() <= {"las_reservas_son_de_ordenes_iniciadas", "los_conductores_son_de_ordenes_iniciadas"}


def test_an_order_that_a_watchdog_ended_may_have_any_steps_in_between() -> None:
    foto = sana()
    cambiar_orden(foto, SIN_CONDUCTOR, motivo="plazo vencido")
    foto.pasos[SIN_CONDUCTOR]["comando-verificar-orden"] = 3
    assert invariantes.violaciones(foto, PROMETIDO) == {}
