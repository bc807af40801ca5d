"""The figures of the report, from made-up times."""

from itertools import islice

from tests.chaos.fallas import PESOS, plan
from tests.chaos.registro import Falla, Recuperacion, Registro, mayor_pausa, recuperaciones


def con(ordenes: dict[str, tuple[float, float, float]], fallas: list[Falla]) -> Registro:
    """Orders: sent, accepted, ended."""
    registro = Registro()
    registro.inicio = 0.0
    registro.pedidas = {i: tiempos[0] for i, tiempos in ordenes.items()}
    registro.aceptadas = {i: tiempos[1] for i, tiempos in ordenes.items()}
    registro.terminadas = {i: tiempos[2] for i, tiempos in ordenes.items()}
    registro.fallas = fallas
    return registro


def test_recovery_counts_only_orders_sent_after_the_fault() -> None:
    ordenes = {"before": (9.0, 10.5, 11.0), "slow": (10.1, 12.0, 30.0), "fast": (13.0, 13.5, 14.0)}
    (fila,) = recuperaciones(con(ordenes, [Falla("bff", "bff", 10.0, vuelta=11.5)]))
    assert fila == Recuperacion("bff", 1, abajo=(1.5, 1.5), aceptada=(2.0, 2.0), terminada=(4.0, 4.0))


def test_recovery_shows_the_median_and_the_longest_of_a_kind() -> None:
    ordenes = {"a": (1.0, 1.0, 2.0), "b": (11.0, 11.0, 15.0), "c": (21.0, 21.0, 24.0)}
    fallas = [Falla("instance", "crear-orden", cuando) for cuando in (0.0, 10.0, 20.0)]
    (fila,) = recuperaciones(con(ordenes, fallas))
    assert (fila.abajo, fila.aceptada, fila.terminada) == (None, (1.0, 1.0), (4.0, 5.0))


def test_a_fault_after_the_last_order_has_no_recovery() -> None:
    (fila,) = recuperaciones(con({"a": (1.0, 1.0, 2.0)}, [Falla("bff", "bff", 5.0)]))
    assert (fila.aceptada, fila.terminada) == (None, None)


def test_a_stall_counts_only_while_orders_are_open() -> None:
    ordenes = {"a": (1.0, 1.0, 2.0), "b": (50.0, 50.0, 57.0), "c": (51.0, 51.0, 60.0)}
    assert mayor_pausa(con(ordenes, [])) == (7.0, 57.0)


def test_a_plan_is_the_same_for_the_same_seed_and_begins_with_every_kind() -> None:
    assert list(islice(plan(7, 5), 50)) == list(islice(plan(7, 5), 50))
    assert list(islice(plan(7, 5), 50)) != list(islice(plan(8, 5), 50))
    assert {golpe.tipos[0] for golpe in islice(plan(7, 5), len(PESOS))} == set(PESOS)
