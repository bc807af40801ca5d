"""Runs stories, and says what is wrong with how they end."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.chaos.invariants import broken_invariants
from tests.chaos.snapshot import Promised
from tests.simulation import faults
from tests.simulation.clock import HOUR, SECOND, START
from tests.simulation.customers import Customers
from tests.simulation.instance import without_threads
from tests.simulation.picture import picture
from tests.simulation.shop import Shop
from tests.simulation.story import Story

MAX_CHECKS: Final = 200
"""Batches of verificar-orden for each burst of orders and each event: growing waits make some dozens."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a story ended. `broken`: by invariant, what breaks it. `hours`: how long it took, simulated."""

    story: Story
    broken: dict[str, set[str]]
    hours: float
    shop: Shop

    def __str__(self) -> str:
        lines = [str(self.story)]
        for invariant, violations in self.broken.items():
            lines += [f"broken: {invariant}", *(f"  {line}" for line in sorted(violations)[:5])]
        return "\n".join(lines)

    def digest(self) -> str:
        """Of all that the databases hold."""
        digest = hashlib.sha256()
        for name, database in self.shop.databases.items():
            for table in database.tables.values():
                for key in sorted(table.rows):
                    digest.update(f"{name} {table.name} {key} {sorted(table.rows[key].items())}".encode())
        return digest.hexdigest()


def run(story: Story) -> Outcome:
    """The story, from its first product to where nothing happens any more."""
    with without_threads():
        wait = 3600 if story.seed % 2 else 0  # s that orders wait for a driver
        shop = Shop(story.seed, story.offsets, {"PLAZO": story.give_up / SECOND, "ESPERA_CONDUCTOR": wait})
        customers = Customers(shop, story)
        with shop.clock.running():
            customers.open()
            shop.run(START + HOUR)
            began = shop.clock.now
            customers.schedule()
            for event in story.events:
                faults.schedule(shop, customers, event)
            shop.run(began + round(story.hours * HOUR) + 4 * story.give_up + 48 * HOUR)
    promised = Promised(
        list(customers.accepted),
        list(customers.conductores),
        {str(id_): stock for id_, stock in customers.stock.items()},
    )
    # while giving up is suspended, what is asked for again says another time, and so is another message
    broken = broken_invariants(picture(shop, not story.has("suspension")), promised)
    checks = shop.batches["verificar-orden"]
    if checks > MAX_CHECKS * (len(story.orders) + len(story.events)):
        broken["checks_are_few"] = {f"{checks} batches of checks"}
    if unfulfilled := set(_unfulfilled(shop, customers, began)):
        broken["what_could_be_fulfilled_is_fulfilled"] = unfulfilled
    return Outcome(story, broken, (shop.clock.now - START) / HOUR, shop)


def _unfulfilled(shop: Shop, customers: Customers, began: int) -> Iterator[str]:
    rows = shop.databases["ordenes"].tables["ordenes"].rows
    for id_, accepted in customers.accepted.items():
        orden = rows.get(id_)
        if orden and orden["estado"] != "iniciada" and customers.story.is_fulfillable(accepted - began):
            yield f"order {id_}: {orden['estado']} ({orden['motivo']}), though nothing was missing"
