"""Old receipts go, new ones stay, and the functions work on meanwhile."""

import subprocess
import sys

import pytest
import sqlalchemy as sa

from deployment.databases import prune
from functions.ordenes.crear_orden import CrearOrden
from tests.support.data import make_orden
from tests.support.engines import StartEngine, wait_for_acks
from tests.support.fake_pulsar import received
from tests.support.platform import Platform

OLD_RECEIPTS = """
    insert into recibos (funcion, id_mensaje, salidas, fecha)
    select 'prueba', gen_random_uuid(), repeat('x', 300)::bytea, now() - make_interval(days => g % 14)
    from generate_series(0, 13999) as g"""


def prune_receipts(postgres: Platform, *arguments: str) -> list[str]:
    return postgres.run_with_env(sys.executable, "-m", "deployment.databases.prune", *arguments).splitlines()


def remaining(postgres: Platform) -> int:
    return int(postgres.sql("ordenes", "select count(*) from recibos")[0][0])


def test_only_receipts_older_than_the_horizon_go(databases: Platform) -> None:
    databases.sql("ordenes", OLD_RECEIPTS)
    dry_run = prune_receipts(databases, "--older-than", "10", "--dry-run")
    assert "database ordenes: 4000 receipts older than 10 days would be deleted" in dry_run[-3]
    assert remaining(databases) == 14_000
    assert (
        "database ordenes: 4000 receipts older than 10 days deleted"
        in prune_receipts(databases, "--older-than", "10")[-3]
    )
    assert remaining(databases) == 10_000
    assert databases.sql("ordenes", "select min(fecha) > now() - interval '10 days' from recibos") == [(True,)]
    assert "database ordenes: 3000 receipts older than 7 days deleted" in prune_receipts(databases)[-3]
    assert "database ordenes: 0 receipts older than 7 days deleted" in prune_receipts(databases)[-3]


def test_a_function_and_its_receipts_are_not_held_up(
    databases: Platform, start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "PAGES_PER_TRANSACTION", 10)
    databases.sql("ordenes", OLD_RECEIPTS)
    engine, context = start_engine(CrearOrden(), "crear-orden")
    count = 0
    with databases.engine("ordenes").connect() as other:
        other.execute(sa.text("insert into recibos (funcion, id_mensaje) values ('prueba', gen_random_uuid())"))
        for round_number, (_, deleted) in enumerate(prune.prune_receipts(databases.engine("ordenes"), 7, False), 1):
            count += deleted
            engine.receive(received(make_orden()))
            wait_for_acks(context, round_number)
    assert round_number > 10
    assert count == 7_000


@pytest.mark.parametrize("days", ["0", "-1", "x", "1.5"])
def test_a_horizon_that_makes_no_sense_is_refused(postgres: Platform, days: str) -> None:
    command = [sys.executable, "-m", "deployment.databases.prune", f"--older-than={days}"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 2
    assert f"{days!r}: a whole number of days, at least 1" in process.stderr
