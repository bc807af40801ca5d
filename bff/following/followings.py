"""All that clients can follow, and who tells when there is something new."""

from collections.abc import Callable
from typing import Final

from bff.backends.read_models import OrdenAndSteps, ReadModels, Row
from bff.following.following import Following, Pace
from functions.messages.ids import Id

PACE: Final = Pace(first=0.008, quiet=1.0, told=0.003, again=0.002, longest=0.1)
"""How often the end of an order is looked for; no new order ends sooner than after the first pause."""
STEPS_PACE: Final = Pace(first=0.008, quiet=5.0, told=0.003, again=0.01, longest=0.5)
"""How often an order's steps are looked for: only some of them are announced."""


class Followings:
    """Follows orders, orders with the steps of their sagas, products, adjustments and drivers, in the read models. From
    any thread.

    Parameters:
      read_models: where they are read.
      is_told: whether somebody tells of changed orders at the moment. Nobody ever tells of products and
        drivers.

    Attributes:
      ordenes: of each order the row.
      sagas: of each order the row, or None, and the steps.
      productos: of each product the row.
      ajustes: of each adjustment the row of its movement.
      conductores: of each driver the row.
    """

    def __init__(self, read_models: ReadModels, is_told: Callable[[], bool] = lambda: False) -> None:
        self.ordenes: Following[Row] = Following("ordenes", read_models.these_ordenes, PACE, is_told)
        self.sagas: Following[OrdenAndSteps] = Following("sagas", read_models.ordenes_with_steps, STEPS_PACE, is_told)
        self.productos: Following[Row] = Following("productos", read_models.these_productos, PACE)
        self.ajustes: Following[Row] = Following("ajustes", read_models.these_ajustes, PACE)
        self.conductores: Following[Row] = Following("conductores", read_models.these_conductores, PACE)

    def is_wanted(self, id_orden: Id) -> bool:
        """Whether anybody follows this order."""
        return id_orden in self.ordenes or id_orden in self.sagas

    def tell(self, id_orden: Id, has_ended: bool) -> None:
        """Says that an order has changed, and whether its saga has ended."""
        self.sagas.tell(id_orden)
        if has_ended:
            self.ordenes.tell(id_orden)

    def close(self) -> None:
        """Ends all that is followed."""
        for following in (self.ordenes, self.sagas, self.productos, self.ajustes, self.conductores):
            following.close()
