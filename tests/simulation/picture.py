"""All that the shop in memory holds, as the invariants of the chaos test want to see it."""

from collections import Counter
from functools import cache
from typing import Any
from uuid import UUID

from tests.chaos.snapshot import Ajuste, Conductor, Movimiento, Orden, Producto, Reserva, Snapshot
from tests.simulation.broker import QUARANTINE
from tests.simulation.faults import GARBAGE
from tests.simulation.shop import Shop


def picture(shop: Shop, with_repeated_steps: bool = True) -> Snapshot:
    """The databases, and the broker's figures. Without `with_repeated_steps`, each command is in the log of an
    order once if it is there at all.
    """
    uuid = cache(UUID)  # each id is in half a dozen tables

    def rows(database: str, table: str) -> dict[UUID, dict[str, Any]]:
        return {uuid(key): row for key, row in shop.databases[database].tables[table].rows.items()}

    def orden(r: dict[str, Any]) -> Orden:
        driver = uuid(r["id_driver"]) if r["id_driver"] else None
        return Orden(uuid(r["id_producto"]), r["cantidad"], r["estado"], driver, r["motivo"], r["version"])

    def producto(r: dict[str, Any]) -> Producto:
        return Producto(r["nombre"], r["stock"], r["eliminado"], r["version"], r["fecha_actualizacion"])

    def movimiento(r: dict[str, Any]) -> Movimiento:
        id_orden, id_ajuste = (uuid(r[name]) if r[name] else None for name in ("id_orden", "id_ajuste"))
        return Movimiento(r["version"], r["causa"], id_orden, id_ajuste, r["cantidad"], r["stock"], r["rechazado"])

    def conductor(r: dict[str, Any], id_orden: UUID | None = None) -> Conductor:
        estado = r.get("estado") or ("retirado" if r["retirado"] else "libre" if r["libre"] else "asignado")
        id_orden = id_orden or (uuid(r["id_orden"]) if r.get("id_orden") else None)
        return Conductor(r["nombre"], estado, id_orden, r["desde"], r["version"])

    steps: dict[UUID, Counter[str]] = {}
    for row in shop.databases["saga"].tables["sagalog"].rows.values():
        if row["id_orden"] is not None:
            counts = steps.setdefault(uuid(row["id_orden"]), Counter())
            counts[row["evento"]] = counts[row["evento"]] + 1 if with_repeated_steps else 1
    movimientos: dict[UUID, list[Movimiento]] = {}
    for (id_producto, _), r in sorted(shop.databases["productos_lectura"].tables["movimientos"].rows.items()):
        movimientos.setdefault(uuid(id_producto), []).append(movimiento(r))
    reservas, asignaciones = rows("productos", "reservas"), rows("conductores", "asignaciones")
    waiting = {key for key, r in asignaciones.items() if r["estado"] == "esperando"}
    esperas = rows("conductores", "esperas").keys()
    at_hand = {uuid(r["id_conductor"]): key for key, r in asignaciones.items() if r["estado"] == "asignada"}
    return Snapshot(
        ordenes={key: orden(r) for key, r in rows("ordenes", "ordenes").items()},
        ordenes_lectura={key: orden(r) for key, r in rows("ordenes_lectura", "ordenes").items()},
        productos={key: producto(r) for key, r in rows("productos", "productos").items()},
        productos_lectura={key: producto(r) for key, r in rows("productos_lectura", "productos").items()},
        reservas={key: Reserva(uuid(r["id_producto"]), r["cantidad"], r["estado"]) for key, r in reservas.items()},
        initial_stock={key: r["stock_inicial"] for key, r in rows("productos", "productos").items()},
        ajustes={
            key: Ajuste(uuid(r["id_producto"]), r["cantidad"], r["rechazado"])
            for key, r in rows("productos", "ajustes").items()
        },
        movimientos=movimientos,
        asignadas={key: uuid(r["id_conductor"]) for key, r in asignaciones.items() if r["estado"] == "asignada"},
        esperas={key: key in waiting and key in esperas for key in waiting | esperas},
        estados={key: conductor(r, at_hand.get(key)) for key, r in rows("conductores", "conductores").items()},
        estados_lectura={key: conductor(r) for key, r in rows("conductores_lectura", "conductores").items()},
        conductores={key: r["libre"] for key, r in rows("conductores", "conductores").items()},
        steps=steps,
        subscriptions=_subscriptions(shop),
    )


def _subscriptions(shop: Shop) -> dict[str, Any]:
    """The broker's figures; dead letters of what was garbage don't count."""
    stats = shop.broker.stats()
    for topic, subscriptions in shop.broker.subscriptions.items():
        for one in subscriptions:
            if one.name == QUARANTINE:
                good = [message for message in one.unacknowledged.values() if message.raw != GARBAGE]
                stats[topic][QUARANTINE]["msgBacklog"] = len(good)
    return stats
