"""The budget of connections to PostgreSQL."""

import re
from typing import Any

import pytest
from tools.cluster.repository import function_configs
from tools.deploy.connections import BFF_DEFAULTS, Server, budget, check, compare
from tools.errors import ToolError

from bff.settings import Settings
from deployment.databases.names import BFF_DATABASES
from functions.cluster import connections
from tests.support.manifests import resources
from tests.support.platform import ROOT

CONFIGS: dict[str, dict[str, Any]] = {"crear-orden": {"parallelism": 3}, "crear-producto": {"parallelism": 2}}


def test_everything_counts_twice_for_a_roll_out() -> None:
    found = budget(CONFIGS, {"BFF_REPLICAS": "2", "BFF_WORKERS": "3"})
    assert (found.instances, found.bffs, found.each_bff) == (5, 2, 3 * connections.BFF_POOL_SIZE * 4)
    assert found.total == 2 * (5 + 2 * 48) + 2


def test_a_bff_with_few_threads_opens_few_connections() -> None:
    assert budget(CONFIGS, {"BFF_THREADS": "2"}).each_bff == 2 * 4


def test_the_defaults_are_what_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BFF_WORKERS", "BFF_THREADS", "BFF_JWT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings.from_env()
    (bff,) = [o["spec"]["replicas"] for o in resources() if (o["kind"], o["metadata"]["name"]) == ("Deployment", "bff")]
    assert {"BFF_REPLICAS": bff, "BFF_WORKERS": settings.workers, "BFF_THREADS": settings.threads} == BFF_DEFAULTS
    assert len(BFF_DATABASES) == connections.BFF_DATABASES


def test_what_is_deployed_fits_the_server_that_compose_starts() -> None:
    (maximum,) = re.findall(r"max_connections=(\d+)", (ROOT / "deployment/compose.yaml").read_text("utf-8"))
    assert budget(function_configs(), {}).total <= int(maximum) - 3


@pytest.mark.parametrize(("maximum", "fits"), [(48, True), (47, False)])
def test_a_server_that_allows_too_few_is_refused_with_what_to_do(maximum: int, fits: bool) -> None:
    needed = budget(CONFIGS, {"BFF_REPLICAS": "1"})
    assert needed.total == 44
    server = Server(maximum, 4)
    if fits:
        assert "is 48, 4 reserved" in compare(needed, server)
    else:
        with pytest.raises(ToolError, match=r"is 47, 4 reserved, but .* Set max_connections to 48 or more"):
            compare(needed, server)


@pytest.mark.parametrize("value", ["0", "-1", "two", "", "1.5"])
def test_a_number_that_is_none_is_refused_by_its_name(value: str) -> None:
    with pytest.raises(ToolError, match=f"BFF_REPLICAS is '{value}': it must be a whole number"):
        budget(CONFIGS, {"BFF_REPLICAS": value})


def test_without_an_answer_of_the_server_the_budget_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DB_ADMIN_PASSWORD", *BFF_DEFAULTS):
        monkeypatch.delenv(name, raising=False)
    check(CONFIGS)
    assert "was not asked (DB_ADMIN_PASSWORD is not set" in capsys.readouterr().out
    monkeypatch.setenv("DB_ADMIN_PASSWORD", "secret")
    monkeypatch.setenv("DB_HOSTNAME", "127.0.0.1")
    monkeypatch.setenv("DB_PORT", "1")
    check(CONFIGS)
    printed = capsys.readouterr().out
    assert "was not asked" in printed
    assert "max_connections must be 79 or more" in printed
