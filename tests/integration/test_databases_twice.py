"""`deployment.databases` and `prune` as processes: two at once, and Ctrl-C while they wait."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from deployment.databases.__main__ import INTERRUPTED
from deployment.databases.lock import KEY
from deployment.databases.names import DATABASES
from tests.support.platform import ROOT, Platform, wait_for

WAITING = r"another run makes the databases: waiting for the one of postgres from 127\.0\.0\.1 since \S+Z …\n"


def start(platform: Platform, *arguments: str) -> "subprocess.Popen[str]":
    """A program, once it can be interrupted: `run` becomes it."""
    return subprocess.Popen(
        [sys.executable, "-m", "deployment.local", "run", "--", sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=platform.env | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


@pytest.fixture
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A PostgreSQL without databases of ours."""
    platform = Platform(tmp_path_factory.mktemp("empty"))
    try:
        platform.local("up", "postgres")
        yield platform
    finally:
        platform.local("clean")


def test_runs_on_an_empty_server_wait_for_each_other_and_all_succeed(empty_server: Platform) -> None:
    with empty_server.engine("postgres").connect() as other_run:
        other_run.execute(sa.text(f"select pg_advisory_lock({KEY})"))
        runs = [start(empty_server, "deployment.databases") for _ in range(2)]
        for process in runs:
            assert process.stdout is not None
            assert re.fullmatch(WAITING, process.stdout.readline())
    results = [ended(process) for process in runs]
    assert [(code, errors) for code, _, errors in results] == [(0, "")] * 2
    first, second = sorted((output for _, output, _ in results), key=lambda output: "unchanged" in output)
    for database in DATABASES:
        assert f"database {database}: migrated to " in first
        assert f"database {database}: unchanged, at " in second


def test_ctrl_c_while_it_waits_for_another_run_ends_it_with_130(postgres: Platform) -> None:
    with postgres.engine("postgres").connect() as other_run:
        other_run.execute(sa.text(f"select pg_advisory_lock({KEY})"))
        process = start(postgres, "deployment.databases")
        assert process.stdout is not None
        assert re.fullmatch(WAITING, process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert ended(process) == (130, "", f"{INTERRUPTED}\n")


def test_ctrl_c_while_receipts_are_pruned_ends_it_with_130(databases: Platform) -> None:
    with databases.engine("ordenes").begin() as other:
        other.execute(sa.text("lock table recibos in access exclusive mode"))
        process = start(databases, "deployment.databases.prune")
        query = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = 'ordenes'"
        wait_for("prune waits", lambda: databases.sql("postgres", query))
        process.send_signal(signal.SIGTERM)
        code, output, errors = ended(process)
    assert (code, output) == (143, "")
    assert errors == "interrupted: what is deleted is deleted; run it again for the rest\n"
