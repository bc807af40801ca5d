"""A minute of chaos: every kind of fault while orders flow; nothing is lost, doubled or stuck."""

import random

import pytest

from tests.chaos import informe
from tests.chaos.caos import Ajustes, correr
from tests.chaos.fallas import PESOS
from tests.plataforma import Plataforma

pytestmark = pytest.mark.e2e


def test_orders_survive_kills_of_everything(platform: Plataforma) -> None:
    try:
        resultado = correr(platform, Ajustes(45, cada=4, ritmo=10, semilla=random.randrange(10**6), plazo=180))
    finally:
        platform.local("up")
    print(informe.texto(resultado))
    assert not resultado.violaciones
    assert {falla.tipo for falla in resultado.registro.fallas} == set(PESOS)
    assert len(resultado.registro.aceptadas) > 100
