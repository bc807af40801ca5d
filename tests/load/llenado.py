"""So many ended orders at once, straight into the databases: what the platform's own first order left, multiplied."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import sqlalchemy as sa

from functions.comun.codec import empaquetar
from tests.load import siembra
from tests.plataforma import BASES, Plataforma


def _id(que: str) -> str:
    """One id a second, as functions.comun.ids makes them."""
    return f"(lpad(to_hex(1700000000000 + n * 1000::bigint), 12, '0') || substr(md5({que} || n), 13))::uuid"


_ORDEN: Final = _id("'orden '")
_CONDUCTOR: Final = _id("'conductor '")
_TRANSACCION: Final = _id("'transaccion '")
_N: Final = "generate_series(cast(:desde as int), cast(:hasta as int)) as n"
_ORDENES: Final = f"""
    insert into ordenes (id_orden, id_producto, user_id, time_stamp, cantidad, direccion_entrega, estado, id_driver,
                         motivo, transaction_id, version, instrucciones_entrega)
    select {_ORDEN}, id_producto, 'cliente-' || mod(n, 1000), time_stamp - interval '1 year' + n * interval '1 second',
           cantidad, direccion_entrega, estado, {_CONDUCTOR}, motivo, {_TRANSACCION}, version, instrucciones_entrega
    from {_N}, (select * from ordenes limit 1) as modelo"""
_RECIBOS: Final = f"""
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
_SENTENCIAS: Final[Mapping[str, tuple[str, ...]]] = {
    "ordenes": (_ORDENES, _RECIBOS),
    "ordenes_lectura": (_ORDENES,),
    "productos": (
        f"""
        insert into reservas (id_orden, id_producto, cantidad, estado, motivo)
        select {_ORDEN}, id_producto, cantidad, estado, motivo
        from {_N}, (select * from reservas limit 1) as modelo""",
        _RECIBOS,
    ),
    "productos_lectura": (),
    "conductores": (
        f"insert into conductores (id_conductor, nombre, libre) select {_CONDUCTOR}, 'Ana', false from {_N}",
        f"""
        insert into asignaciones (id_orden, id_conductor, direccion_entrega, estado, motivo)
        select {_ORDEN}, {_CONDUCTOR}, direccion_entrega, estado, motivo
        from {_N}, (select * from asignaciones limit 1) as modelo""",
        _RECIBOS,
    ),
    "saga": (
        f"""
        insert into sagalog (id_mensaje, transaction_id, id_orden, time_stamp, is_compensation, evento, contenido)
        select {_id("evento")}, {_TRANSACCION}, {_ORDEN},
               time_stamp - interval '1 year' + n * interval '1 second', is_compensation, evento,
               contenido || jsonb_build_object('id_orden', {_ORDEN}, 'transaction_id', {_TRANSACCION})
        from {_N}, (select * from sagalog where id_orden = (select id_orden from sagalog limit 1)) as modelo""",
    ),
}
_FUNCIONES: Final[Mapping[str, tuple[str, ...]]] = {
    "ordenes": ("crear-orden", "marcar-listo-despacho", "verificar-orden"),
    "productos": ("disminuir-stock",),
    "conductores": ("asignar-conductor",),
}
"""Those with a receipt for an order. The check comes later than an order's end, and says nothing then."""
_TABLAS: Final[Mapping[str, tuple[str, ...]]] = {
    "ordenes": ("ordenes", "recibos"),
    "ordenes_lectura": ("ordenes",),
    "productos": ("reservas", "recibos"),
    "conductores": ("conductores", "asignaciones", "recibos"),
    "saga": ("sagalog",),
}
"""Those with rows of orders."""
BYTES: Final = "bytes"
Contenido = dict[tuple[str, str, str], int]
"""Values that are not null, by database, table and column, of all orders, and their rows' bytes as BYTES."""


def llenar(platform: Plataforma, desde: int, hasta: int) -> None:
    """The orders `desde` … `hasta`, while nothing works. There must be a real one that has ended."""
    with ThreadPoolExecutor(len(BASES)) as hilos:
        list(hilos.map(partial(_llenar, platform, desde, hasta), BASES))
    platform.sql("ordenes", "checkpoint")


def _llenar(platform: Plataforma, desde: int, hasta: int, base: str) -> None:
    valores = {"desde": desde, "hasta": hasta, "vacias": empaquetar([]), "funciones": list(_FUNCIONES.get(base, ()))}
    for sentencia in _SENTENCIAS[base]:
        platform.sql(base, sentencia, **{n: valor for n, valor in valores.items() if f":{n}" in sentencia})
    siembra.ordenar(platform, base)


def contenido(platform: Plataforma) -> Contenido:
    """Without the receipts of checks and of what are no orders."""
    return {
        (base, tabla, columna): cuantos
        for base, tablas in _TABLAS.items()
        for tabla in tablas
        for columna, cuantos in _contar(platform, base, tabla).items()
    }


def _contar(platform: Plataforma, base: str, tabla: str) -> dict[str, int]:
    cuales = "select column_name from information_schema.columns where table_name = :tabla order by 1"
    columnas = [nombre for (nombre,) in platform.sql(base, cuales, tabla=tabla)]
    funciones = [nombre for nombre in _FUNCIONES.get(base, ()) if nombre != "verificar-orden"]
    de_ordenes = " where funcion = any(:funciones)" if tabla == "recibos" else ""
    cuentas = ", ".join(f"count({nombre})" for nombre in columnas)
    consulta = sa.text(f"select coalesce(sum(pg_column_size(t.*)), 0), {cuentas} from {tabla} as t{de_ordenes}")
    with siembra.conexion(platform, base) as abierta:
        fila = abierta.execute(consulta, {"funciones": funciones} if de_ordenes else {}).one()
    return {nombre: int(cuantos) for nombre, cuantos in zip([BYTES, *columnas], fila, strict=True)}


def distintas(reales: Contenido, cuantas: int, puestas: Contenido, otras: int, holgura: float) -> list[str]:
    """Where `otras` orders that were put there are not like `cuantas` real ones: values without tolerance, bytes with
    `holgura` of them.
    """
    mal = []
    for clave in sorted({*reales, *puestas}):
        real, puesta = reales.get(clave, 0) / cuantas, puestas.get(clave, 0) / otras
        if abs(real - puesta) > (holgura * real if clave[2] == BYTES else 0):
            mal.append(f"{'.'.join(clave)}: {puesta:g} for an order, really {real:g}")
    return mal
