"""What is measured of decisions about orders."""

import time
from collections import Counter
from dataclasses import replace

from functions.comun.ids import nuevo
from functions.comun.medidas import LIMITES, MOTIVOS, Medidas
from functions.comun.mensajes import Datos, EventoOrden, Mensaje
from functions.ordenes import dominio
from tests.datos import una_orden


class Anotadas(Counter[str]):
    """Sums of what is recorded."""

    def anotar(self, nombre: str, valor: float) -> None:
        self[nombre] += valor  # type: ignore[assignment]


def medir(*eventos: EventoOrden, hace: float = 0) -> Anotadas:
    """What is recorded of decisions on requests that came `hace` s ago."""
    anotadas = Anotadas()
    peticion = time.time_ns() // 1_000_000 - int(1000 * hace)
    causas: list[Mensaje[Datos]] = [Mensaje(nuevo(), peticion, 0, una_orden()) for _ in eventos]
    Medidas(anotadas.anotar).decididas(causas, [[una_orden(), evento] for evento in eventos])
    return anotadas


def creada() -> EventoOrden:
    return dominio.crear(None, una_orden())[0]


def fallida(motivo: str) -> EventoOrden:
    return replace(creada(), estado=dominio.FALLIDA, motivo=motivo)


def test_counters_are_there_before_there_is_anything_to_count() -> None:
    assert set(medir()) == {"duplicates", "quarantined", "infrastructure_failures", "schema_refusals"}
    assert not any(medir().values())


def test_an_order_counts_when_it_begins_and_when_it_ends_by_its_state() -> None:
    nueva = creada()
    anotadas = medir(nueva, creada(), replace(nueva, estado=dominio.INICIADA, id_driver=nuevo()))
    assert (anotadas["orders_creada"], anotadas["orders_iniciada"]) == (2, 1)
    assert anotadas["saga_seconds_le_+Inf"] == 1
    assert not any(nombre.startswith("compensations") for nombre in anotadas)


def test_a_compensation_counts_by_its_reason() -> None:
    anotadas = medir(fallida("stock insuficiente"), fallida("stock insuficiente"), fallida("plazo vencido"))
    assert anotadas["orders_fallida"] == 3
    assert anotadas["compensations_stock_insuficiente"] == 2
    assert anotadas["compensations_plazo_vencido"] == 1


def test_reasons_that_somebody_makes_up_do_not_make_names_without_end() -> None:
    motivos = [f"Motivo {numero}; \n{{x}}" for numero in range(3 * MOTIVOS)]
    anotadas = medir(*map(fallida, motivos))
    nombres = [nombre for nombre in anotadas if nombre.startswith("compensations_")]
    assert len(nombres) == MOTIVOS + 1
    assert anotadas["compensations_motivo_0_x"] == 1
    assert anotadas["compensations_otros"] == 2 * MOTIVOS


def test_the_buckets_of_the_time_are_cumulative() -> None:
    anotadas = medir(fallida("x"), hace=3600) + medir(fallida("x"), hace=-1)
    assert [anotadas[f"saga_seconds_le_{limite}"] for limite in LIMITES] == [1] * (len(LIMITES) - 1) + [2]
    assert 3598 < anotadas["saga_seconds"] < 3700
