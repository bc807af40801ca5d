"""What is measured of decisions about orders."""

import time
from collections import Counter
from dataclasses import replace

from functions.messages.envelope import Message
from functions.messages.ids import new
from functions.messages.payloads import EventoOrden, Payload
from functions.ordenes import states
from functions.telemetry.metrics import BOUNDS, MAX_REASONS, Metrics
from tests.support.data import make_orden, stored_orden


class Recorded(Counter[str]):
    """Sums of what is recorded."""

    def record(self, name: str, value: float) -> None:
        self[name] += value  # type: ignore[assignment]


def measure(*events: EventoOrden, ago: float = 0) -> Recorded:
    """What is recorded of decisions on requests that came `ago` s ago."""
    recorded = Recorded()
    request = time.time_ns() // 1_000_000 - int(1000 * ago)
    causes: list[Message[Payload]] = [Message(new(), request, 0, make_orden()) for _ in events]
    Metrics(recorded.record).record_decisions(causes, [[make_orden(), evento] for evento in events])
    return recorded


def creada() -> EventoOrden:
    return stored_orden()


def fallida(motivo: str) -> EventoOrden:
    return replace(creada(), estado=states.FALLIDA, motivo=motivo)


def test_counters_are_there_before_there_is_anything_to_count() -> None:
    assert set(measure()) == {
        *("duplicates", "quarantined", "infrastructure_failures", "schema_refusals", "skewed_durations")
    }
    assert not any(measure().values())


def test_an_order_counts_when_it_begins_and_when_it_ends_by_its_state() -> None:
    new_orden = creada()
    recorded = measure(new_orden, creada(), replace(new_orden, estado=states.INICIADA, id_driver=new()))
    assert (recorded["orders_creada"], recorded["orders_iniciada"]) == (2, 1)
    assert recorded["saga_seconds_le_+Inf"] == 1
    assert not any(name.startswith("compensations") for name in recorded)


def test_a_compensation_counts_by_its_reason() -> None:
    recorded = measure(fallida("stock insuficiente"), fallida("stock insuficiente"), fallida("plazo vencido"))
    assert recorded["orders_fallida"] == 3
    assert recorded["compensations_stock_insuficiente"] == 2
    assert recorded["compensations_plazo_vencido"] == 1


def test_reasons_that_somebody_makes_up_do_not_make_names_without_end() -> None:
    motivos = [f"Motivo {number}; \n{{x}}" for number in range(3 * MAX_REASONS)]
    recorded = measure(*map(fallida, motivos))
    names = [name for name in recorded if name.startswith("compensations_")]
    assert len(names) == MAX_REASONS + 1
    assert recorded["compensations_motivo_0_x"] == 1
    assert recorded["compensations_otros"] == 2 * MAX_REASONS


def test_the_buckets_of_the_time_are_cumulative() -> None:
    recorded = measure(fallida("x"), ago=3600) + measure(fallida("x"))
    assert [recorded[f"saga_seconds_le_{bound}"] for bound in BOUNDS] == [1] * (len(BOUNDS) - 1) + [2]
    assert 3598 < recorded["saga_seconds"] < 3700


def test_a_clock_that_is_ahead_makes_no_negative_duration_but_is_counted() -> None:
    recorded = measure(fallida("x"), creada(), fallida("y"), ago=-7200)
    assert (recorded["orders_fallida"], recorded["skewed_durations"]) == (2, 2)
    assert not any(name.startswith("saga_seconds") for name in recorded)
    assert measure(fallida("x"))["skewed_durations"] == 0
