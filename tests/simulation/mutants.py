"""Bugs to be planted: each changes the real code while it is entered, as a mistake in it would."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

from functions.engine import receipts
from functions.engine.engine import Engine
from functions.messages.payloads import (
    ComandoAjustarStock,
    ComandoDisminuirStock,
    ComandoRevertirDisminuirStock,
    Payload,
)
from functions.ordenes import states
from functions.ordenes.deadlines import Plazos
from functions.productos import decisions as productos
from functions.productos.decisions import DecisionStock, Reserva
from functions.productos.movimientos import Ajuste, Producto


@contextmanager
def acknowledge_before_commit() -> Iterator[None]:
    """A batch is acknowledged as soon as it is read."""
    run_or_split = Engine._run_or_split

    def mutant(engine: Engine, readable: Sequence[Any], attempt: int = 1) -> None:
        for received, _ in readable:
            engine._context.ack(received.raw, received.raw.topic_name())
        run_or_split(engine, readable, attempt)

    with patch.object(Engine, "_run_or_split", mutant):
        yield


@contextmanager
def receipt_not_written() -> Iterator[None]:
    """The last message of each batch has no receipt."""
    save = receipts.save

    def mutant(tx: Any, function: str, outputs: Mapping[Any, Any]) -> None:
        if written := dict(list(outputs.items())[:-1]):
            save(tx, function, written)

    with patch.object(receipts, "save", mutant):
        yield


@contextmanager
def compensation_applied_twice() -> Iterator[None]:
    """Whoever asks again for stock to be given back is given it back again."""
    revertir = productos.revertir

    def mutant(
        producto: Producto | None, reserva: Reserva | None, comando: ComandoRevertirDisminuirStock, now: datetime
    ) -> DecisionStock[Reserva]:
        if reserva is not None and reserva.estado == productos.REVERTIDA:
            reserva = replace(reserva, estado=productos.RESERVADA, motivo=None)
        return revertir(producto, reserva, comando, now)

    with patch.object(productos, "revertir", mutant):
        yield


@contextmanager
def adjustment_made_twice() -> Iterator[None]:
    """An adjustment that comes again in another message is made again."""
    ajustar = productos.ajustar

    def mutant(
        producto: Producto | None, ajuste: Ajuste | None, comando: ComandoAjustarStock, now: datetime
    ) -> tuple[Producto, Ajuste, list[Payload]]:
        changed, made, outputs = ajustar(producto, None, comando, now)
        return changed, ajuste or made, outputs

    with patch.object(productos, "ajustar", mutant):
        yield


@contextmanager
def late_step_accepted() -> Iterator[None]:
    """An order that was given up becomes `iniciada` all the same."""
    with patch.dict(states.TRANSITIONS, {states.FALLIDA: (states.INICIADA,)}):
        yield


@contextmanager
def three_deadlines() -> Iterator[None]:
    """Orders are pushed on twice, every two minutes, and given up after six."""

    def end(_: Plazos, orden: states.Orden) -> datetime:
        assert orden.creada_en is not None
        return orden.creada_en + timedelta(minutes=6)

    def wait(_: Plazos, __: int) -> timedelta:
        return timedelta(minutes=2)

    with patch.object(Plazos, "end", end), patch.object(Plazos, "wait", wait):
        yield


@contextmanager
def expired_command_obeyed() -> Iterator[None]:
    """Stock is reserved for an order, whenever it was asked for."""
    disminuir = productos.disminuir

    def mutant(
        producto: Producto | None, reserva: Reserva | None, comando: ComandoDisminuirStock, now: datetime
    ) -> DecisionStock[Reserva | None]:
        return disminuir(producto, reserva, replace(comando, vence=None), now)

    with patch.object(productos, "disminuir", mutant):
        yield


MUTANTS: Final[tuple[Callable[[], AbstractContextManager[None]], ...]] = (
    three_deadlines,
    acknowledge_before_commit,
    receipt_not_written,
    compensation_applied_twice,
    expired_command_obeyed,
    adjustment_made_twice,
    late_step_accepted,
)
