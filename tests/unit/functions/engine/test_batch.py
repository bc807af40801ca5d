"""Load, decide, save: in which order, and on which state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.engine.batch import Store, added, changed, decide
from functions.messages.envelope import Message
from functions.messages.ids import Id, new
from functions.messages.payloads import ComandoDisminuirStock
from tests.support.data import make_orden, pedir_stock


@dataclass
class Counts:
    """A table of numbers by id, in memory. `calls`: what was asked of all tables, in order."""

    name: str
    calls: list[str]
    rows: dict[Id, int] = field(default_factory=dict)

    def load(self, _tx: Any, ids: Sequence[Id]) -> dict[Id, int]:
        self.calls.append(f"load {self.name}")
        return {key: self.rows[key] for key in ids if key in self.rows}

    def save(self, _tx: Any, before: Mapping[Id, int], after: Mapping[Id, int]) -> None:
        self.calls.append(f"save {self.name}")
        self.rows |= after


def messages(*comandos: ComandoDisminuirStock) -> list[Message[ComandoDisminuirStock]]:
    return [Message(new(), 0, 0, comando) for comando in comandos]


def test_each_message_is_decided_on_the_state_that_the_one_before_it_left() -> None:
    calls: list[str] = []
    stock, reservas = Counts("stock", calls), Counts("reservas", calls)
    comandos = [pedir_stock(make_orden(id_producto=producto)) for producto in 2 * [new()]]
    stock.rows[comandos[0].id_producto] = 10
    seen: list[tuple[int | None, int | None]] = []

    def decision(left: int, reserva: int | None, comando: ComandoDisminuirStock) -> tuple[int, int, list[Any]]:
        seen.append((left, reserva))
        return left - comando.cantidad, comando.cantidad, [comando]

    stores = Store("id_producto", stock.load, stock.save), Store("id_orden", reservas.load, reservas.save)
    assert decide(None, messages(*comandos), decision, *stores) == [[comando] for comando in comandos]
    assert seen == [(10, None), (8, None)]
    assert (list(stock.rows.values()), list(reservas.rows.values())) == ([6], [2, 2])
    assert calls == ["load stock", "load reservas", "save stock", "save reservas"]


def test_none_leaves_an_aggregate_as_it_is() -> None:
    stock = Counts("stock", [])
    store = Store("id_producto", stock.load, stock.save)
    decide(None, messages(pedir_stock(make_orden())), lambda _aggregate, _comando: (None, []), store)
    assert stock.rows == {}


def test_a_store_that_is_assumed_empty_loads_nothing_and_saves_all() -> None:
    stock = Counts("stock", [])
    comando = pedir_stock(make_orden())
    stock.rows[comando.id_producto] = 10
    store = Store("id_producto", stock.load, stock.save).assumed_empty()
    decide(None, messages(comando), lambda aggregate, _comando: (aggregate or 1, []), store)
    assert (stock.rows[comando.id_producto], stock.calls) == (1, ["save stock"])


def test_what_is_added_or_changed_is_told_by_key_and_identity() -> None:
    kept, old, replaced, fresh = object(), object(), object(), object()
    ids = [new() for _ in range(3)]
    before, after = {ids[0]: kept, ids[1]: old}, {ids[0]: kept, ids[1]: replaced, ids[2]: fresh}
    assert added(before, after) == [fresh]
    assert changed(before, after) == [replaced]
