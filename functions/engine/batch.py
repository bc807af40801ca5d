"""Batches: load what a batch is about, decide message by message on the newest state, save what is new or changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from functions.messages.envelope import Message
from functions.messages.frozen import frozen
from functions.messages.ids import Id
from functions.messages.payloads import Conductor, EventoOrden, EventoProducto, Payload

A = TypeVar("A")
V = TypeVar("V", EventoOrden, EventoProducto, Conductor)
Outputs = list[list[Payload]]
"""What each message of a batch leads to, in the batch's order."""


@frozen
class Store(Generic[A]):
    """Where one kind of aggregate is kept.

    `key`: the payload field that holds the aggregate's id. `load(tx, ids)` gives the aggregates that exist, by id,
    locked in the order of their ids. `save(tx, before, after)` writes what is new or another object in `after`.
    """

    key: str
    load: Callable[[Any, Sequence[Id]], dict[Id, A]]
    save: Callable[[Any, Mapping[Id, A], Mapping[Id, A]], None]

    def assumed_empty(self) -> "Store[A]":
        """The same store for aggregates that are probably not there yet: nothing is loaded, and saving one that exists
        fails. Saves a statement for each batch of new messages.
        """
        return Store(self.key, lambda _tx, _ids: {}, self.save)


def decide(tx: Any, batch: Sequence[Message[Any]], decision: Callable[..., Any], *stores: Store[Any]) -> Outputs:
    """Loads the aggregates that the batch is about from each store, in this order; decides message by message; saves
    each store; returns the outputs.

    `decision(aggregate, …, payload)` gets one aggregate from each store, None where there is none, and returns as many
    and the list of outputs; None leaves an aggregate as it is.
    """
    ids = [list({getattr(message.data, store.key) for message in batch}) for store in stores]
    before = [store.load(tx, wanted) for store, wanted in zip(stores, ids, strict=True)]
    after = [dict(loaded) for loaded in before]
    outputs: Outputs = []
    for message in batch:
        keys = [getattr(message.data, store.key) for store in stores]
        *decided, produced = decision(*map(dict.get, after, keys), message.data)
        for aggregates, key, aggregate in zip(after, keys, decided, strict=True):
            if aggregate is not None:
                aggregates[key] = aggregate
        outputs.append(produced)
    for store, loaded, current in zip(stores, before, after, strict=True):
        store.save(tx, loaded, current)
    return outputs


def add_to_last(outputs: Outputs, more: Sequence[Payload]) -> Outputs:
    """The same outputs, with `more`, which follows from the batch as a whole, after those of its last message."""
    return [*outputs[:-1], [*outputs[-1], *more]] if more else outputs


def added(before: Mapping[Id, A], after: Mapping[Id, A]) -> list[A]:
    """The aggregates that were not there before."""
    return [aggregate for key, aggregate in after.items() if key not in before]


def changed(before: Mapping[Id, A], after: Mapping[Id, A]) -> list[A]:
    """The aggregates that were there before and are different now."""
    return [after[key] for key, aggregate in before.items() if after[key] is not aggregate]


def newest(states: Iterable[V], key: str) -> list[V]:
    """The newest state of each aggregate among these; `key` is the field that holds the aggregate's id."""
    by_version = sorted(states, key=lambda state: state.version)
    return list({getattr(state, key): state for state in by_version}.values())
