"""So many ended orders at once, straight into the databases: what the platform's own first order left, multiplied."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import sqlalchemy as sa

from deployment.databases.names import DATABASES
from functions.messages.outgoing import pack
from tests.load import seeding
from tests.support.platform import Platform


def _id(prefix: str) -> str:
    """One id a second, as functions.messages.ids makes them."""
    return f"(lpad(to_hex(1700000000000 + n * 1000::bigint), 12, '0') || substr(md5({prefix} || n), 13))::uuid"


_ID_ORDEN: Final = _id("'orden '")
_ID_CONDUCTOR: Final = _id("'conductor '")
_TRANSACTION_ID: Final = _id("'transaccion '")
_N: Final = "generate_series(cast(:desde as int), cast(:hasta as int)) as n"
_ORDENES: Final = f"""
    insert into ordenes (id_orden, id_producto, user_id, time_stamp, cantidad, direccion_entrega, estado, id_driver,
                         motivo, transaction_id, version, instrucciones_entrega)
    select {_ID_ORDEN}, id_producto, 'cliente-' || mod(n, 1000),
           time_stamp - interval '1 year' + n * interval '1 second', cantidad, direccion_entrega, estado,
           {_ID_CONDUCTOR}, motivo, {_TRANSACTION_ID}, version, instrucciones_entrega
    from {_N}, (select * from ordenes limit 1) as modelo"""
_INSERT_RECEIPTS: Final = f"""
    with modelos as materialized (
        select f, salidas, row_number() over (partition by f) - 1 as cual, count(*) over (partition by f) as cuantos
        from unnest(cast(:funciones as text[])) as f,
            lateral (select salidas from recibos where funcion = f limit 1000) as muestra)
    insert into recibos (funcion, id_mensaje, salidas)
    select funciones.f, {_id("funciones.f")}, coalesce(modelos.salidas, cast(:vacias as bytea))
    from unnest(cast(:funciones as text[])) as funciones (f)
    left join (select distinct f, cuantos from modelos) as cuentas using (f)
    cross join {_N}
    left join modelos on modelos.f = funciones.f and cual = mod(n, cuentas.cuantos)"""
"""As many of each of a function's receipts: those of a batch's last message say more than others."""
_STATEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "ordenes": (_ORDENES, _INSERT_RECEIPTS),
    "ordenes_lectura": (_ORDENES,),
    "productos": (
        f"""
        insert into reservas (id_orden, id_producto, cantidad, estado, motivo)
        select {_ID_ORDEN}, id_producto, cantidad, estado, motivo
        from {_N}, (select * from reservas limit 1) as modelo""",
        _INSERT_RECEIPTS,
    ),
    "productos_lectura": (),
    "conductores_lectura": (
        f"""
        insert into conductores (id_conductor, nombre, estado, id_orden, desde, version)
        select {_ID_CONDUCTOR}, 'Ana', 'asignado', {_ID_ORDEN}, now(), 2 from {_N}""",
    ),
    "conductores": (
        f"""
        insert into conductores (id_conductor, nombre, libre, version)
        select {_ID_CONDUCTOR}, 'Ana', false, 2 from {_N}""",
        f"""
        insert into asignaciones (id_orden, id_conductor, direccion_entrega, estado, motivo)
        select {_ID_ORDEN}, {_ID_CONDUCTOR}, direccion_entrega, estado, motivo
        from {_N}, (select * from asignaciones limit 1) as modelo""",
        _INSERT_RECEIPTS,
    ),
    "saga": (
        f"""
        insert into sagalog (id_mensaje, transaction_id, id_orden, time_stamp, is_compensation, evento, contenido)
        select {_id("evento")}, {_TRANSACTION_ID}, {_ID_ORDEN},
               time_stamp - interval '1 year' + n * interval '1 second', is_compensation, evento,
               contenido || jsonb_build_object('id_orden', {_ID_ORDEN}, 'transaction_id', {_TRANSACTION_ID})
        from {_N}, (select * from sagalog where id_orden = (select id_orden from sagalog limit 1)) as modelo""",
    ),
}
_FUNCTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "ordenes": ("crear-orden", "marcar-listo-despacho", "verificar-orden"),
    "productos": ("disminuir-stock",),
    "conductores": ("asignar-conductor",),
}
"""Those with a receipt for an order. The check comes later than an order's end, and says nothing then."""
_TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "ordenes": ("ordenes", "recibos"),
    "ordenes_lectura": ("ordenes",),
    "productos": ("reservas", "recibos"),
    "conductores": ("conductores", "asignaciones", "recibos"),
    "conductores_lectura": ("conductores",),
    "saga": ("sagalog",),
}
"""Those with rows of orders."""
BYTES: Final = "bytes"
Contents = dict[tuple[str, str, str], int]
"""Values that are not null, by database, table and column, of all orders, and their rows' bytes as BYTES."""


def fill(platform: Platform, since: int, end: int) -> None:
    """The orders `since` … `end`, while nothing works. There must be a real one that has ended."""
    with ThreadPoolExecutor(len(DATABASES)) as executor:
        list(executor.map(partial(_fill, platform, since, end), DATABASES))
    platform.sql("ordenes", "checkpoint")


def _fill(platform: Platform, since: int, end: int, database: str) -> None:
    values = {"desde": since, "hasta": end, "vacias": pack([]), "funciones": list(_FUNCTIONS.get(database, ()))}
    for statement in _STATEMENTS[database]:
        platform.sql(database, statement, **{n: value for n, value in values.items() if f":{n}" in statement})
    seeding.vacuum_analyze(platform, database)


def content(platform: Platform) -> Contents:
    """Without the receipts of checks and of what are no orders."""
    return {
        (database, table, column): count
        for database, tables in _TABLES.items()
        for table in tables
        for column, count in _count(platform, database, table).items()
    }


def _count(platform: Platform, database: str, table: str) -> dict[str, int]:
    columns_sql = "select column_name from information_schema.columns where table_name = :table order by 1"
    columns = [name for (name,) in platform.sql(database, columns_sql, table=table)]
    functions = [name for name in _FUNCTIONS.get(database, ()) if name != "verificar-orden"]
    where_clause = " where funcion = any(:funciones)" if table == "recibos" else ""
    counts = ", ".join(f"count({name})" for name in columns)
    query = sa.text(f"select coalesce(sum(pg_column_size(t.*)), 0), {counts} from {table} as t{where_clause}")
    with seeding.connection(platform, database) as opened:
        row = opened.execute(query, {"funciones": functions} if where_clause else {}).one()
    return {name: int(count) for name, count in zip([BYTES, *columns], row, strict=True)}


def differences(
    reference_contents: Contents, count: int, added: Contents, added_count: int, tolerance: float
) -> list[str]:
    """Where `added_count` orders that were put there are not like `count` real ones: values without tolerance, bytes
    with `tolerance` of them.
    """
    mismatches = []
    for key in sorted({*reference_contents, *added}):
        real, added_each = reference_contents.get(key, 0) / count, added.get(key, 0) / added_count
        if abs(real - added_each) > (tolerance * real if key[2] == BYTES else 0):
            mismatches.append(f"{'.'.join(key)}: {added_each:g} for an order, really {real:g}")
    return mismatches
