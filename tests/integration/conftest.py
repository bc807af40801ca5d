"""Engines that end with the test."""

from collections.abc import Iterator

import pytest

from functions.comun.engine import Funcion, Motor
from tests.motores import Iniciar, contexto
from tests.mundo import Mundo
from tests.plataforma import Plataforma
from tests.pulsar_falso import ContextoFalso


@pytest.fixture
def iniciar(bases: Plataforma) -> Iterator[Iniciar]:
    """Starts an engine for a function under the name of its configuration."""
    motores = []

    def _iniciar(funcion: Funcion, nombre: str) -> tuple[Motor, ContextoFalso]:
        propio = contexto(bases, nombre)
        motores.append(Motor(funcion, propio))
        return motores[-1], propio

    yield _iniciar
    for motor in motores:
        motor.detener()


@pytest.fixture(scope="module")
def mundo(postgres: Plataforma) -> Iterator[Mundo]:
    """All functions, and a broker in memory. Each test empties it."""
    mundo = Mundo(postgres)
    yield mundo
    mundo.cerrar()
