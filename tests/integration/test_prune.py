"""Old receipts go, new ones stay, and the functions work on meanwhile."""

import subprocess
import sys

import pytest
import sqlalchemy as sa

from deployment.databases import prune
from functions.ordenes.crear_orden import CrearOrden
from tests.datos import una_orden
from tests.motores import Iniciar, esperar_acks
from tests.plataforma import Plataforma
from tests.pulsar_falso import recibido

VIEJOS = """
    insert into recibos (funcion, id_mensaje, salidas, fecha)
    select 'prueba', gen_random_uuid(), repeat('x', 300)::bytea, now() - make_interval(days => g % 14)
    from generate_series(0, 13999) as g"""


def podar(postgres: Plataforma, *argumentos: str) -> list[str]:
    return postgres.con_entorno(sys.executable, "-m", "deployment.databases.prune", *argumentos).splitlines()


def quedan(postgres: Plataforma) -> int:
    return int(postgres.sql("ordenes", "select count(*) from recibos")[0][0])


def test_only_receipts_older_than_the_horizon_go(bases: Plataforma) -> None:
    bases.sql("ordenes", VIEJOS)
    simulacro = podar(bases, "--older-than", "10", "--dry-run")
    assert "database ordenes: 4000 receipts older than 10 days would be deleted" in simulacro[-3]
    assert quedan(bases) == 14_000
    assert "database ordenes: 4000 receipts older than 10 days deleted" in podar(bases, "--older-than", "10")[-3]
    assert quedan(bases) == 10_000
    assert bases.sql("ordenes", "select min(fecha) > now() - interval '10 days' from recibos") == [(True,)]
    assert "database ordenes: 3000 receipts older than 7 days deleted" in podar(bases)[-3]
    assert "database ordenes: 0 receipts older than 7 days deleted" in podar(bases)[-3]


def test_a_function_and_its_receipts_are_not_held_up(
    bases: Plataforma, iniciar: Iniciar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "PAGINAS", 10)
    bases.sql("ordenes", VIEJOS)
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    cuantos = 0
    with bases.motor("ordenes").connect() as otra:
        otra.execute(sa.text("insert into recibos (funcion, id_mensaje) values ('prueba', gen_random_uuid())"))
        for vuelta, (_, borrados) in enumerate(prune.podar(bases.motor("ordenes"), 7, False), 1):
            cuantos += borrados
            motor.recibir(recibido(una_orden()))
            esperar_acks(contexto, vuelta)
    assert vuelta > 10
    assert cuantos == 7_000


@pytest.mark.parametrize("dias", ["0", "-1", "x", "1.5"])
def test_a_horizon_that_makes_no_sense_is_refused(postgres: Plataforma, dias: str) -> None:
    orden = [sys.executable, "-m", "deployment.databases.prune", f"--older-than={dias}"]
    proceso = subprocess.run(orden, capture_output=True, text=True)
    assert proceso.returncode == 2
    assert f"{dias!r}: a whole number of days, at least 1" in proceso.stderr
