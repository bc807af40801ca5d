"""The databases alone: the functions' own statements for so many orders, with rows made beforehand."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from functions.comun import base_datos
from functions.comun.codec import empaquetar
from functions.comun.engine import LOTE
from functions.comun.ids import Id, nuevo
from functions.comun.lote import ninguno
from functions.comun.mensajes import Mensaje
from functions.conductores import tablas as conductores
from functions.ordenes import tablas as ordenes
from functions.productos import tablas as productos
from functions.saga import tablas as saga
from tests.load import paralelo, siembra
from tests.load.cadena import DIRECCION, ID_TRANSACCION, IDS_PRODUCTO, Cadena, cadenas, surtido
from tests.load.paralelo import Accion
from tests.plataforma import BASES, Plataforma

Transaccion = Callable[[sa.Connection], None]
PREFIJO: Final = "techo-"
"""Before the functions' names, in receipts."""
PESOS: Final = {
    "ordenes 1/2": 2.5,
    "ordenes 2/2": 2.5,
    "saga 1/2": 2,
    "saga 2/2": 2,
    "conductores 1/1": 3,
    "productos 1/1": 2.5,
    "ordenes_lectura 1/1": 2,
    "productos_lectura 1/1": 0.1,
}
"""About how much each database has to do; in two parts, for a connection each, where orders are not in each other's
way.
"""
_LIMPIAR: Final = {
    "ordenes": ("delete from ordenes where id_producto = any(cast(:productos as uuid[]))",),
    "ordenes_lectura": ("delete from ordenes where id_producto = any(cast(:productos as uuid[]))",),
    "productos": (
        "delete from reservas where id_producto = any(cast(:productos as uuid[]))",
        "delete from productos where id = any(cast(:productos as uuid[]))",
    ),
    "productos_lectura": ("delete from productos where id = any(cast(:productos as uuid[]))",),
    "conductores": (
        """with borradas as (delete from asignaciones where direccion_entrega = :direccion returning id_conductor)
        update conductores set nombre = :direccion from borradas b where conductores.id_conductor = b.id_conductor""",
        "delete from conductores where nombre = :direccion",
    ),
    "saga": ("delete from sagalog where transaction_id = cast(:transaccion as uuid)",),
}


def correr(platform: Plataforma, cuantas: int) -> float:
    """Seconds until all is committed; what was written is gone afterwards."""
    siembra.conductores(platform, cuantas)
    try:
        return paralelo.correr(partial(_preparar, platform, cuantas), PESOS)
    finally:
        for base in BASES:
            _limpiar(platform, base)


def _limpiar(platform: Plataforma, base: str) -> None:
    """The space too: who comes next is to find no holes to fill."""
    nombres = {"productos": IDS_PRODUCTO, "direccion": DIRECCION, "transaccion": ID_TRANSACCION}
    recibos = () if base not in _CON_RECIBOS else (f"delete from recibos where funcion like '{PREFIJO}%'",)
    for sentencia in (*_LIMPIAR[base], *recibos):
        platform.sql(base, sentencia, **{n: valor for n, valor in nombres.items() if f":{n}" in sentencia})
    with siembra.conexion(platform, base) as abierta:
        abierta.execute(sa.text("vacuum (full, analyze)"))


@contextmanager
def _preparar(platform: Plataforma, cuantas: int, pieza: str) -> Iterator[Sequence[Accion]]:
    """One connection, as a function of that database has it."""
    base, _, parte = pieza.partition(" ")
    cual, de_cuantas = map(int, parte.split("/"))
    config = {"DB_NAME": base, "DB_HOSTNAME": "127.0.0.1", "DB_PORT": platform.puerto_postgres}
    motor = base_datos.conectar(config, platform.clave(base), "techo")
    todas = list(cadenas(cuantas))
    lotes = [todas[desde : desde + LOTE] for desde in range(0, cuantas, LOTE)][cual - 1 :: de_cuantas]
    transacciones = [transaccion for lote in lotes for transaccion in _TRANSACCIONES[base](lote)]
    try:
        with motor.begin() as tx:
            if base == "productos":
                productos.guardar(tx, {}, surtido())
        yield [partial(_confirmar, motor, transacciones)]
    finally:
        motor.dispose()


def _confirmar(motor: sa.Engine, transacciones: Sequence[Transaccion]) -> None:
    for transaccion in transacciones:
        with motor.begin() as tx:
            transaccion(tx)


def _con_recibos(funcion: str, lote: Sequence[Cadena], accion: Transaccion) -> Transaccion:
    """As the engine does it: the function's own statements, receipts with what is to be published."""
    nombre, ids = PREFIJO + funcion, sorted(nuevo() for _ in lote)
    crudas = [empaquetar(lote[0].publicaciones()[funcion])] * len(lote)

    def transaccion(tx: sa.Connection) -> None:
        accion(tx)
        tx.execute(base_datos._ANOTAR, {"funcion": nombre, "ids": ids, "salidas": crudas})

    return transaccion


def _ordenes(lote: Sequence[Cadena]) -> Iterator[Transaccion]:
    yield _con_recibos("crear-orden", lote, partial(_crear, {c.creada.id_orden: c.creada for c in lote}))
    yield _con_recibos("marcar-listo-despacho", lote, partial(_pasar, {c.iniciada.id_orden: c.iniciada for c in lote}))


def _crear(estados: Mapping[Id, Any], tx: sa.Connection) -> None:
    ordenes.guardar(tx, {}, estados)


def _pasar(estados: Mapping[Id, Any], tx: sa.Connection) -> None:
    ordenes.guardar(tx, ordenes.cargar(tx, list(estados)), estados)


def _ordenes_lectura(lote: Sequence[Cadena]) -> Iterator[Transaccion]:
    yield partial(_proyectar_ordenes, [c.creada for c in lote])
    yield partial(_proyectar_ordenes, [c.iniciada for c in lote])


def _proyectar_ordenes(estados: Sequence[Any], tx: sa.Connection) -> None:
    ordenes.proyectar(tx, estados)


def _productos(lote: Sequence[Cadena]) -> Iterator[Transaccion]:
    comandos = [Mensaje(nuevo(), 0, 0, c.comandos[1]) for c in lote]
    decididas = {c.reserva.id_orden: (c.disminuido, c.reserva, list[Any]()) for c in lote}

    def reservar(tx: sa.Connection) -> None:
        productos.cambiar_stock(tx, comandos, lambda _p, _r, datos, _ahora: decididas[datos.id_orden], ninguno)

    yield _con_recibos("disminuir-stock", lote, reservar)


def _productos_lectura(lote: Sequence[Cadena]) -> Iterator[Transaccion]:
    ultimos = list({c.disminuido.id_producto: c.disminuido for c in lote}.values())
    yield lambda tx: productos.proyectar(tx, ultimos)


def _conductores(lote: Sequence[Cadena]) -> Iterator[Transaccion]:
    asignaciones = {c.asignacion.id_orden: c.asignacion for c in lote}

    def asignar(tx: sa.Connection) -> None:
        libres = conductores.libres(tx, len(asignaciones))
        pares = zip(asignaciones.items(), libres, strict=True)
        conductores.guardar(tx, {}, {i: replace(pedida, id_conductor=libre) for (i, pedida), libre in pares})

    yield _con_recibos("asignar-conductor", lote, asignar)


def _saga(lote: Sequence[Cadena]) -> Iterator[Transaccion]:
    for comandos in zip(*(c.comandos for c in lote), strict=True):
        momento = time.time_ns() // 1_000_000
        yield partial(_anotar, [Mensaje(nuevo(), momento, momento, comando) for comando in comandos])


def _anotar(mensajes: Sequence[Mensaje[Any]], tx: sa.Connection) -> None:
    saga.anotar(tx, mensajes)


_TRANSACCIONES: Final[Mapping[str, Callable[[Sequence[Cadena]], Iterator[Transaccion]]]] = {
    "ordenes": _ordenes,
    "ordenes_lectura": _ordenes_lectura,
    "productos": _productos,
    "productos_lectura": _productos_lectura,
    "conductores": _conductores,
    "saga": _saga,
}
_CON_RECIBOS: Final = ("ordenes", "productos", "conductores")
