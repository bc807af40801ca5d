"""Each statement of the functions is planned once, for tables of any size."""

import re
from types import ModuleType

import pytest
import sqlalchemy as sa

import functions.conductores.tables
import functions.ordenes.tables
import functions.productos.tables
import functions.saga.tables
from functions.engine import receipts
from functions.postgres import connection
from tests.support.platform import Platform

MODULES: dict[str, tuple[ModuleType, ...]] = {
    "ordenes": (functions.ordenes.tables, receipts),
    "ordenes_lectura": (functions.ordenes.tables,),
    "productos": (functions.productos.tables, receipts),
    "productos_lectura": (functions.productos.tables,),
    "conductores": (functions.conductores.tables, receipts),
    "conductores_lectura": (functions.conductores.tables,),
    "saga": (functions.saga.tables,),
}


READ_MODEL_STATEMENTS = {
    "ordenes_lectura": {"_UPDATE"},
    "productos_lectura": {"_UPDATE", "_ADD_MOVIMIENTOS"},
    "conductores_lectura": {"_PROYECTAR"},
}
"""Those of the module's statements that are for a database of its own, which has other tables."""
ONLY_READ_MODEL = {"_ADD_MOVIMIENTOS", "_PROYECTAR"}


def statements(module: ModuleType, database: str) -> dict[str, str]:
    """Those for this database by name, with PostgreSQL's own parameters."""
    texts = {name: value.text for name, value in vars(module).items() if isinstance(value, sa.TextClause)}
    wanted = READ_MODEL_STATEMENTS.get(database, texts.keys() - ONLY_READ_MODEL)
    return {name: _number_parameters(text) for name, text in texts.items() if name in wanted}


def _number_parameters(text: str) -> str:
    names: dict[str, int] = {}
    return re.sub(r"(?<!:):(\w+)", lambda found: f"${names.setdefault(found[1], len(names) + 1)}", text)


@pytest.mark.parametrize("database", MODULES)
def test_rows_are_found_by_index_even_if_the_table_was_empty_when_it_was_planned(
    databases: Platform, database: str
) -> None:
    config = {"DB_NAME": database, "DB_HOSTNAME": "127.0.0.1", "DB_PORT": float(databases.postgres_port)}
    engine = connection.connect(config, databases.password(database), "pruebas")
    try:
        with engine.connect() as opened:
            assert opened.exec_driver_sql("show plan_cache_mode").scalar_one() == "force_generic_plan"
            for module in MODULES[database]:
                found = statements(module, database)
                assert found
                for name, statement in found.items():
                    plan = "\n".join(opened.exec_driver_sql(f"explain (generic_plan) {statement}").scalars())
                    # a join could begin with all rows of the table
                    assert not re.search("Seq Scan|Join|Loop", plan), f"{module.__name__}.{name}:\n{plan}"
    finally:
        engine.dispose()
