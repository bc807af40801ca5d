"""Fakes of what the BFF publishes to and reads from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bff.backends.read_models import CONDUCTOR_STATES, ReadModels, Row
from bff.bodies.pages import Place
from functions.messages.codec import codec
from functions.messages.envelope import Message
from functions.messages.ids import Id
from functions.messages.outgoing import Outgoing
from functions.messages.payloads import Payload

D = TypeVar("D", bound=Payload)


@dataclass
class FakePublisher:
    """Keeps what is published; raises `failure` instead, if there is one."""

    published: list[Outgoing] = field(default_factory=list)
    failure: Exception | None = None

    def publish(self, message: Outgoing) -> None:
        if self.failure is not None:
            raise self.failure
        self.published.append(message)

    def check(self) -> None:
        if self.failure is not None:
            raise self.failure

    def only(self, payload_type: type[D]) -> Message[D]:
        """The only message published so far, decoded."""
        (outgoing,) = self.published
        message: Any = codec(outgoing.topic).decode(outgoing.raw)
        assert type(message.data) is payload_type
        assert outgoing.key == str(getattr(message.data, message.data.key))
        return message  # type: ignore[no-any-return]


@dataclass
class FakeReadModels(ReadModels):
    """Read models in memory; raises `failure` instead of answering, if there is one."""

    orden_rows: list[Row] = field(default_factory=list)
    producto_rows: list[Row] = field(default_factory=list)
    steps: list[Row] = field(default_factory=list)
    failure: Exception | None = None
    requests: list[tuple[int, dict[str, Any], Place | int | None]] = field(default_factory=list)
    """Of lists: limit, filters, and the place after which they begin."""
    movimiento_rows: list[Row] = field(default_factory=list)
    conductor_rows: list[Row] = field(default_factory=list)

    def check(self, database: str) -> None:
        self._rows([])

    def ordenes(self, limit: int, filters: Mapping[str, Any], after: Place | None = None) -> list[Row]:
        self.requests.append((limit, {name: value for name, value in filters.items() if value is not None}, after))
        return self._rows(self.orden_rows)[:limit]

    def orden(self, id_orden: Id) -> Row | None:
        return next((f for f in self._rows(self.orden_rows) if f["id_orden"] == id_orden), None)

    def these_ordenes(self, ids: Sequence[Id]) -> dict[Id, Row]:
        return {id_orden: row for id_orden in ids if (row := self.orden(id_orden)) is not None}

    def open_ordenes(self) -> tuple[int, float]:
        return len(self._rows([f for f in self.orden_rows if f["estado"] == "creada"])), 0.0

    def dispatched_ordenes(self) -> tuple[int, float]:
        return len(self._rows([f for f in self.orden_rows if f["estado"] == "despachada"])), 0.0

    def saga(self, id_orden: Id) -> list[Row]:
        return self._rows(self.steps)

    def sagas(self, ids: Sequence[Id]) -> dict[Id, list[Row]]:
        return {id_orden: self.saga(id_orden) for id_orden in ids}

    def productos(self, limit: int, after: Place | None = None) -> list[Row]:
        self.requests.append((limit, {}, after))
        return self._rows(self.producto_rows)[:limit]

    def producto(self, id_producto: Id) -> Row | None:
        return next((f for f in self._rows(self.producto_rows) if f["id"] == id_producto), None)

    def these_productos(self, ids: Sequence[Id]) -> dict[Id, Row]:
        return {id_producto: row for id_producto in ids if (row := self.producto(id_producto)) is not None}

    def created_producto(self, id_producto: Id) -> Row | None:
        return self.producto(id_producto)

    def movimientos(self, id_producto: Id, limit: int, before: int | None = None) -> list[Row]:
        self.requests.append((limit, {"id_producto": id_producto}, before))
        return [f for f in self._rows(self.movimiento_rows) if f["id_producto"] == id_producto][:limit]

    def these_ajustes(self, ids: Sequence[Id]) -> dict[Id, Row]:
        return {f["id_ajuste"]: f for f in self._rows(self.movimiento_rows) if f["id_ajuste"] in ids}

    def conductores(self, limit: int, filters: Mapping[str, Any], after: Place | None = None) -> list[Row]:
        self.requests.append((limit, {name: value for name, value in filters.items() if value is not None}, after))
        return self._rows(self.conductor_rows)[:limit]

    def conductor(self, id_conductor: Id) -> Row | None:
        return next((f for f in self._rows(self.conductor_rows) if f["id_conductor"] == id_conductor), None)

    def these_conductores(self, ids: Sequence[Id]) -> dict[Id, Row]:
        return {id_conductor: row for id_conductor in ids if (row := self.conductor(id_conductor)) is not None}

    def created_conductor(self, id_conductor: Id) -> Row | None:
        return self.conductor(id_conductor)

    def count_conductores(self) -> dict[str, int]:
        counts = Counter(row["estado"] for row in self._rows(self.conductor_rows))
        return {estado: counts[estado] for estado in CONDUCTOR_STATES}

    def _rows(self, rows: list[Row]) -> list[Row]:
        if self.failure is not None:
            raise self.failure
        return rows
