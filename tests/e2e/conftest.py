"""A Prometheus that watches the platform."""

from collections.abc import Iterator

import pytest

from deployment.local.settings import Settings
from deployment.monitoring.render import write_all
from tests.plataforma import Plataforma, esperar
from tests.prometheus import Servidor, apurar, corriendo, programas


@pytest.fixture(scope="module")
def prometheus(platform: Plataforma, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servidor]:
    """With the project's rules, but that minutes are seconds."""
    programas()
    carpeta = tmp_path_factory.mktemp("prometheus")
    write_all(Settings.from_env(platform.entorno), carpeta)
    apurar(carpeta)
    with corriendo(carpeta) as servidor:
        esperar("broker, functions worker and BFF", lambda: servidor.sanos() == 3)
        yield servidor
