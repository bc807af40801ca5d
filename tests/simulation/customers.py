"""The customers and the administration of a story: products, drivers, and orders that are accepted."""

import random
from collections import Counter
from typing import Final

from functions.messages.envelope import now
from functions.messages.ids import Id
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import (
    ComandoAjustarStock,
    ComandoCrearOrden,
    ComandoCrearProducto,
    ComandoEliminarProducto,
    ComandoRegistrarConductor,
    ComandoRenombrarConductor,
    ComandoRetirarConductor,
    Payload,
)
from tests.simulation.shop import Shop
from tests.simulation.story import Story

HOST: Final = "bff"


class Customers:
    """`accepted`: the orders that customers were told of, and when, by true time in ns. `stock`: of each product at the
    beginning.
    """

    def __init__(self, shop: Shop, story: Story) -> None:
        self._shop, self.story = shop, story
        self._rng = random.Random(f"customers of {story.seed}")
        self._productos = [self._id() for _ in range(1 + story.seed % 3)]
        self.accepted: dict[Id, int] = {}
        self.stock: dict[Id, int] = {}
        self.conductores: list[Id] = []
        self._baskets = [
            [(self._rng.choice(self._productos), self._rng.randint(1, 3)) for _ in range(orders.count)]
            for orders in story.orders
        ]

    def open(self) -> None:
        """Products and drivers, before anything goes wrong: as many as the story says."""
        wanted: Counter[Id] = Counter()
        drivers = 0
        for orders, basket in zip(self.story.orders, self._baskets, strict=True):
            if not self.story.is_outlasted(orders.at, "productos", "disminuir-stock"):
                wanted.update(dict.fromkeys(self._productos, 0))
                for producto, cantidad in basket:
                    wanted[producto] += cantidad
                if not self.story.is_outlasted(orders.at, "conductores", "asignar-conductor"):
                    drivers += orders.count
        self.stock = {producto: wanted[producto] * self.story.stock // 100 for producto in self._productos}
        self.conductores = [self._id() for _ in range(drivers * self.story.drivers // 100)]
        self.send(*(ComandoCrearProducto(producto, "Café", stock) for producto, stock in self.stock.items()))
        self.send(*(ComandoRegistrarConductor(id_conductor, None) for id_conductor in self.conductores))

    def schedule(self) -> None:
        """Has all orders come when the story says, counted from now."""
        for orders, basket in zip(self.story.orders, self._baskets, strict=True):
            self._shop.at(self._shop.clock.now + orders.at, self._order, basket)

    def delete(self) -> None:
        """The administration deletes the first product, renames all drivers, and retires the first one."""
        if self.story.stock < 100:
            self.send(ComandoEliminarProducto(self._productos[0]))
        self.send(*(ComandoRenombrarConductor(id_conductor, "Ana") for id_conductor in self.conductores))
        if self.story.drivers < 100:
            self.send(*map(ComandoRetirarConductor, self.conductores[:1]))

    def send(self, *payloads: Payload) -> None:
        """What the BFF does with requests; now and then a client asks again, with the same key."""
        self._shop.clock.host = HOST
        ingestion = self._shop.clock.of(HOST) // 1_000_000
        for payload in payloads:
            message = to_outgoing(self._id(), ingestion, "bff", payload)
            for _ in range(2 if self._rng.random() < 0.01 else 1):
                self._shop.publish(message)

    def _order(self, basket: list[tuple[Id, int]]) -> None:
        """Orders; while the broker is away they are refused, and customers try again later."""
        if self._shop.is_away("broker"):
            self._shop.after(30, 90, self._order, basket)
            return
        self._shop.clock.host = HOST
        ordenes = [
            ComandoCrearOrden(self._id(), producto, "ana", now(), cantidad, "Calle 45", self._id())
            for producto, cantidad in basket
        ]
        if self._rng.random() < 0.2:
            self._adjust()
        self.accepted.update(dict.fromkeys([orden.id_orden for orden in ordenes], self._shop.clock.now))
        self.send(*ordenes)

    def _adjust(self) -> None:
        """The administration adds units that nobody counts on, or asks for more to be taken away than there are; now
        and then it asks for the same again, in another message.
        """
        quantities = [self._rng.choice((1, 3, -(10**9))) for _ in self._productos]
        comandos = [
            ComandoAjustarStock(producto, self._id(), cantidad, "Inventario")
            for producto, cantidad in zip(self._productos, quantities, strict=True)
        ]
        self.send(*comandos, *comandos[: self._rng.randint(0, 1)])

    def _id(self) -> Id:
        ms = f"{self._shop.clock.of(HOST) // 1_000_000:012x}"
        rest = f"{self._rng.getrandbits(74):019x}"
        return Id(f"{ms[:8]}-{ms[8:]}-7{rest[:3]}-8{rest[3:6]}-{rest[6:18]}")
