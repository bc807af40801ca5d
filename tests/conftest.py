"""Fixtures that start what is real: a PostgreSQL, and a whole platform with everything deployed; npm packages."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from tools.catalogue.npm import installed
from xdist.scheduler import LoadScopeScheduling

from tests.support.cluster import ClusterPlatform
from tests.support.platform import ROOT, Platform, deployed

# how fast a machine is, and how busy, is no property of the code
settings.register_profile("no_deadline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no_deadline")

_OWN_FOLDER: Final = pytest.StashKey[str | None]()
"""The temporary folder that this run has made, and is to remove."""
ON_A_PLATFORM_OF_ITS_OWN: Final = ("test_deploy", "test_rollout", "test_local_platform", "test_tracing", "test_new")
ON_THE_FIRST_PLATFORM: Final = ("test_drill", "test_panel", "test_testers", "test_watchdog")
"""The modules that share one platform; all others that need one share another: about half of the time each."""


class Schedule(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist is untyped
    """Which tests run in one process when several run side by side: those that share a platform, those of a module of
    tests/e2e or tests/integration, whose services are its own; all others go wherever there is time.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.partition("::")[0])
        if is_on_a_platform(path):
            if path.stem in ON_A_PLATFORM_OF_ITS_OWN:
                return path.stem
            return "platform-1" if path.stem in ON_THE_FIRST_PLATFORM else "platform-2"
        return path.stem if path.parent.name == "integration" and path.stem != "test_deaths" else nodeid


def is_on_a_platform(path: Path) -> bool:
    """True for a module whose tests need a whole platform."""
    return path.parent.name == "e2e" or path.stem == "test_chaos"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Schedule:
    """What --dist says nothing of: see Schedule."""
    return Schedule(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the tests of tests/e2e run."""
    help_text = "run what needs a platform on a secured cluster: make test-cluster"
    parser.addoption("--cluster", action="store_true", help=help_text)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no process is left alone with it at the end. Of what shares a platform,
    what kills everything on it comes last: a functions worker that lost its broker again and again may stay without a
    leader until it is started anew.
    """

    def rank(item: pytest.Item) -> int:
        if item.path.stem == "test_chaos":
            return 2
        if is_on_a_platform(item.path):
            return int(item.path.stem in ON_A_PLATFORM_OF_ITS_OWN)
        return 3

    items.sort(key=rank)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Gives each run a temporary folder of its own. Pytest's is one for all runs of a user, and each run that begins
    closes it for other users: for PostgreSQL, which does not run as root, in the data folder of another run.
    """
    if not hasattr(config, "workerinput") and not config.option.basetemp:
        config.option.basetemp = config.stash[_OWN_FOLDER] = mkdtemp(prefix="pytest-")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keeps the temporary folder of a run that failed, if anything is in it: that may say why."""
    own_folder = session.config.stash.get(_OWN_FOLDER, None)
    if own_folder and exitstatus != pytest.ExitCode.OK and any(Path(own_folder).iterdir()):
        session.config.stash[_OWN_FOLDER] = None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends what an interrupted run has left: its processes end before their fixtures do. Removes the temporary folder
    that this run has made, unless it is kept.
    """
    if hasattr(config, "workerinput"):
        return
    folder = Path(config.option.basetemp)
    for data in {path.parent for path in folder.glob("popen-*/*/platform.json") if (path.parent / "run").exists()}:
        command = [sys.executable, "-m", "deployment.local", "clean"]
        subprocess.run(command, cwd=ROOT, env=os.environ | {"PLATFORM_DATA": str(data)}, check=False)
    if own_folder := config.stash.get(_OWN_FOLDER, None):
        shutil.rmtree(own_folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """PostgreSQL alone, with all databases migrated."""
    platform = Platform(tmp_path_factory.mktemp("postgres"))
    try:
        platform.local("up", "postgres")
        platform.run_with_env(sys.executable, "-m", "deployment.databases")
        yield platform
    finally:
        platform.local("clean")


@pytest.fixture
def databases(postgres: Platform) -> Platform:
    """The databases, empty."""
    postgres.clear()
    return postgres


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterPlatform]:
    """Several nodes of everything, with TLS, tokens and authorization, and with all of it deployed."""
    with deployed(ClusterPlatform(tmp_path_factory.mktemp("cluster"))) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Everything: PostgreSQL, Pulsar, functions worker, BFF, databases, topics, schemas, functions. The cluster, if the
    run is to be on one.
    """
    if request.config.getoption("--cluster"):
        yield request.getfixturevalue("cluster")
        return
    with deployed(Platform(tmp_path_factory.mktemp("platform"))) as platform:
        yield platform


@pytest.fixture(scope="session")
def npm(pytestconfig: pytest.Config) -> Path:
    """The npm packages, with a browser; what the first installation says is shown at once."""
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        return installed()
