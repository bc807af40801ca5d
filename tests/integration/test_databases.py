"""Roles open their own database only; migrations can be run again."""

import sys

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.plataforma import BASES, RAIZ, Plataforma

LECTURAS_BFF = ("ordenes_lectura", "productos_lectura", "saga")
ROLES = (*BASES, "bff")


@pytest.mark.parametrize("rol", ROLES)
def test_a_role_opens_its_own_databases_only(postgres: Plataforma, rol: str) -> None:
    propias = LECTURAS_BFF if rol == "bff" else (rol,)
    for base in BASES:
        motor = postgres.motor(base, rol, postgres.clave(rol))
        if base in propias:
            motor.connect().close()
        else:
            with pytest.raises(DBAPIError, match="permission denied for database"):
                motor.connect()


@pytest.mark.parametrize("base", LECTURAS_BFF)
def test_the_bff_can_only_read(postgres: Plataforma, base: str) -> None:
    tabla = {"ordenes_lectura": "ordenes", "productos_lectura": "productos", "saga": "sagalog"}[base]
    with postgres.motor(base, "bff", postgres.clave("bff")).connect() as conexion:
        assert conexion.execute(sa.text(f"select count(*) from {tabla}")).scalar() is not None
        conexion.rollback()
        conexion.execute(sa.text("set default_transaction_read_only = off"))
        conexion.commit()
        with pytest.raises(DBAPIError, match="permission denied for table"):
            conexion.execute(sa.text(f"delete from {tabla}"))


def test_a_wrong_password_opens_nothing(postgres: Plataforma) -> None:
    with pytest.raises(DBAPIError, match="password authentication failed"):
        postgres.motor("ordenes", "ordenes", "wrong").connect()


def test_migrating_again_changes_nothing(postgres: Plataforma) -> None:
    salida = postgres.con_entorno(sys.executable, "-m", "deployment.databases")
    versiones = {base: max((RAIZ / "deployment/databases/versions" / base).glob("*.py")).name[:4] for base in BASES}
    assert salida.splitlines() == [f"database {base}: unchanged, at {versiones[base]}" for base in BASES]
