"""Each statement of the functions is planned once, for tables of any size."""

import re
from types import ModuleType

import pytest
import sqlalchemy as sa

import functions.conductores.tablas
import functions.ordenes.tablas
import functions.productos.tablas
import functions.saga.tablas
from functions.comun import base_datos
from tests.plataforma import Plataforma

MODULOS = {
    "ordenes": (functions.ordenes.tablas, base_datos),
    "ordenes_lectura": (functions.ordenes.tablas,),
    "productos": (functions.productos.tablas, base_datos),
    "conductores": (functions.conductores.tablas, base_datos),
    "saga": (functions.saga.tablas,),
}


def sentencias(modulo: ModuleType) -> dict[str, str]:
    """By name, with PostgreSQL's own parameters."""
    textos = {nombre: valor.text for nombre, valor in vars(modulo).items() if isinstance(valor, sa.TextClause)}
    return {nombre: _numerados(texto) for nombre, texto in textos.items()}


def _numerados(texto: str) -> str:
    nombres: dict[str, int] = {}
    return re.sub(r"(?<!:):(\w+)", lambda hallado: f"${nombres.setdefault(hallado[1], len(nombres) + 1)}", texto)


@pytest.mark.parametrize("base", MODULOS)
def test_rows_are_found_by_index_even_if_the_table_was_empty_when_it_was_planned(bases: Plataforma, base: str) -> None:
    config = {"DB_NAME": base, "DB_HOSTNAME": "127.0.0.1", "DB_PORT": float(bases.puerto_postgres)}
    motor = base_datos.conectar(config, bases.clave(base), "pruebas")
    try:
        with motor.connect() as conexion:
            assert conexion.exec_driver_sql("show plan_cache_mode").scalar_one() == "force_generic_plan"
            for modulo in MODULOS[base]:
                assert sentencias(modulo)
                for nombre, sentencia in sentencias(modulo).items():
                    plan = "\n".join(conexion.exec_driver_sql(f"explain (generic_plan) {sentencia}").scalars())
                    # a join could begin with all rows of the table
                    assert not re.search("Seq Scan|Join|Loop", plan), f"{modulo.__name__}.{nombre}:\n{plan}"
    finally:
        motor.dispose()
