"""A Prometheus that watches the platform."""

from collections.abc import Iterator

import pytest

from deployment.local.settings import Settings
from deployment.monitoring.render import write_all
from tests.support.platform import Platform, wait_for
from tests.support.prometheus import PrometheusServer, programs, running, speed_up


@pytest.fixture(scope="module")
def prometheus(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """With the project's rules, but that minutes are seconds."""
    programs()
    folder = tmp_path_factory.mktemp("prometheus")
    write_all(Settings.from_env(platform.env), folder)
    speed_up(folder)
    with running(folder) as server:
        wait_for("broker, functions worker and BFF", lambda: server.healthy_targets() == 3)
        yield server
