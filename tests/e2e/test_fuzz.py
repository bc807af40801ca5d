"""A minute of `make fuzz` against the whole platform: nothing is found."""

import random
from pathlib import Path

import pytest

from tests.e2e.test_garbage import pendientes
from tests.fuzz import envio, esquema
from tests.plataforma import Plataforma, esperar

pytestmark = pytest.mark.e2e


@pytest.fixture
def semilla(platform: Plataforma) -> int:
    elegida = random.randrange(10**6)
    print(f"seed {elegida}")
    return elegida


def test_schemathesis_finds_nothing(platform: Plataforma, tmp_path: Path, semilla: int) -> None:
    assert esquema.correr(platform.bff_url, 1000, semilla, tmp_path).hallazgos == []
    esperar("the functions to catch up", lambda: pendientes(platform) == 0, 120)


def test_no_body_brings_the_bff_down(platform: Plataforma, tmp_path: Path, semilla: int) -> None:
    assert envio.correr(platform.bff_url, 5000, semilla, tmp_path).hallazgos == []
    esperar("the functions to catch up", lambda: pendientes(platform) == 0, 120)
