"""The figures of the report, from made-up times."""

from itertools import islice

from tests.chaos.faults import WEIGHTS, plan
from tests.chaos.log import Fault, Log, Recovery, longest_stall, recoveries


def log_with(ordenes: dict[str, tuple[float, float, float]], faults: list[Fault]) -> Log:
    """Orders: sent, accepted, ended."""
    log = Log()
    log.started = 0.0
    log.requested = {i: times[0] for i, times in ordenes.items()}
    log.accepted = {i: times[1] for i, times in ordenes.items()}
    log.ended = {i: times[2] for i, times in ordenes.items()}
    log.faults = faults
    return log


def test_recovery_counts_only_orders_sent_after_the_fault() -> None:
    ordenes = {"before": (9.0, 10.5, 11.0), "slow": (10.1, 12.0, 30.0), "fast": (13.0, 13.5, 14.0)}
    (row,) = recoveries(log_with(ordenes, [Fault("bff", "bff", 10.0, recovered_at=11.5)]))
    assert row == Recovery("bff", 1, downtime=(1.5, 1.5), accepted=(2.0, 2.0), ended=(4.0, 4.0))


def test_recovery_shows_the_median_and_the_longest_of_a_kind() -> None:
    ordenes = {"a": (1.0, 1.0, 2.0), "b": (11.0, 11.0, 15.0), "c": (21.0, 21.0, 24.0)}
    faults = [Fault("instance", "crear-orden", when) for when in (0.0, 10.0, 20.0)]
    (row,) = recoveries(log_with(ordenes, faults))
    assert (row.downtime, row.accepted, row.ended) == (None, (1.0, 1.0), (4.0, 5.0))


def test_a_fault_after_the_last_order_has_no_recovery() -> None:
    (row,) = recoveries(log_with({"a": (1.0, 1.0, 2.0)}, [Fault("bff", "bff", 5.0)]))
    assert (row.accepted, row.ended) == (None, None)


def test_a_stall_counts_only_while_orders_are_open() -> None:
    ordenes = {"a": (1.0, 1.0, 2.0), "b": (50.0, 50.0, 57.0), "c": (51.0, 51.0, 60.0)}
    assert longest_stall(log_with(ordenes, [])) == (7.0, 57.0)


def test_a_plan_is_the_same_for_the_same_seed_and_begins_with_every_kind() -> None:
    assert list(islice(plan(7, 5, WEIGHTS), 50)) == list(islice(plan(7, 5, WEIGHTS), 50))
    assert list(islice(plan(7, 5, WEIGHTS), 50)) != list(islice(plan(8, 5, WEIGHTS), 50))
    assert {planned.kinds[0] for planned in islice(plan(7, 5, WEIGHTS), len(WEIGHTS))} == set(WEIGHTS)
