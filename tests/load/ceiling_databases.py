"""The databases alone: the functions' own statements for so many orders, with rows made beforehand.

Longer than 200 lines: the work of every database is here.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from deployment.databases.names import DATABASES
from functions.conductores import tables as conductores
from functions.conductores.states import Changes
from functions.engine import receipts
from functions.engine.batch import decide
from functions.engine.handler import BATCH_SIZE
from functions.messages.envelope import Message, now
from functions.messages.ids import Id, new
from functions.messages.outgoing import pack
from functions.ordenes import tables as ordenes
from functions.postgres import connection
from functions.productos import tables as productos
from functions.saga import tables as saga
from tests.load import parallel, seeding
from tests.load.chain import DIRECCION_ENTREGA, IDS_PRODUCTO, TRANSACTION_ID, Chain, initial_productos, make_chains
from tests.load.parallel import Action
from tests.support.platform import Platform

Transaction = Callable[[sa.Connection], None]
PREFIX: Final = "techo-"
"""Before the functions' names, in receipts."""
WEIGHTS: Final = {
    "ordenes 1/2": 2.5,
    "ordenes 2/2": 2.5,
    "saga 1/2": 2,
    "saga 2/2": 2,
    "conductores 1/1": 3,
    "productos 1/1": 2.5,
    "ordenes_lectura 1/1": 2,
    "productos_lectura 1/1": 1,
    "conductores_lectura 1/1": 1,
}
"""About how much each database has to do; in two parts, for a connection each, where orders are not in each other's
way.
"""
_CLEANUP: Final = {
    "ordenes": ("delete from ordenes where id_producto = any(cast(:productos as uuid[]))",),
    "ordenes_lectura": ("delete from ordenes where id_producto = any(cast(:productos as uuid[]))",),
    "productos": (
        "delete from reservas where id_producto = any(cast(:productos as uuid[]))",
        "delete from productos where id = any(cast(:productos as uuid[]))",
    ),
    "productos_lectura": (
        "delete from productos where id = any(cast(:productos as uuid[]))",
        "delete from movimientos where id_producto = any(cast(:productos as uuid[]))",
    ),
    "conductores": (
        """with borradas as (delete from asignaciones where direccion_entrega = :direccion returning id_conductor)
        update conductores set nombre = :direccion from borradas b where conductores.id_conductor = b.id_conductor""",
        "delete from conductores where nombre = :direccion",
    ),
    "conductores_lectura": ("delete from conductores",),
    "saga": ("delete from sagalog where transaction_id = cast(:transaccion as uuid)",),
}


def run(platform: Platform, count: int) -> float:
    """Seconds until all is committed; what was written is gone afterwards."""
    seeding.conductores(platform, count)
    try:
        return parallel.run(partial(_prepare, platform, count), WEIGHTS)
    finally:
        for database in DATABASES:
            _clean(platform, database)


def _clean(platform: Platform, database: str) -> None:
    """The space too: who comes next is to find no holes to fill."""
    names = {"productos": IDS_PRODUCTO, "direccion": DIRECCION_ENTREGA, "transaccion": TRANSACTION_ID}
    receipts = (
        () if database not in _DATABASES_WITH_RECEIPTS else (f"delete from recibos where funcion like '{PREFIX}%'",)
    )
    for statement in (*_CLEANUP[database], *receipts):
        platform.sql(database, statement, **{n: value for n, value in names.items() if f":{n}" in statement})
    with seeding.connection(platform, database) as opened:
        opened.execute(sa.text("vacuum (full, analyze)"))


@contextmanager
def _prepare(platform: Platform, count: int, piece: str) -> Iterator[Sequence[Action]]:
    """One connection, as a function of that database has it."""
    database, _, part = piece.partition(" ")
    index, part_count = map(int, part.split("/"))
    config = {"DB_NAME": database, "DB_HOSTNAME": "127.0.0.1", "DB_PORT": platform.postgres_port}
    engine = connection.connect(config, platform.password(database), "techo")
    chains = list(make_chains(count))
    batches = [chains[since : since + BATCH_SIZE] for since in range(0, count, BATCH_SIZE)][index - 1 :: part_count]
    transactions = [run_transaction for batch in batches for run_transaction in _TRANSACTIONS[database](batch)]
    try:
        with engine.begin() as tx:
            if database == "productos":
                productos.save(tx, {}, initial_productos())
        yield [partial(_commit, engine, transactions)]
    finally:
        engine.dispose()


def _commit(engine: sa.Engine, transactions: Sequence[Transaction]) -> None:
    for run_transaction in transactions:
        with engine.begin() as tx:
            run_transaction(tx)


def _with_receipts(function: str, batch: Sequence[Chain], transaction: Transaction) -> Transaction:
    """As the engine does it: the function's own statements, receipts with what is to be published."""
    name, ids = PREFIX + function, sorted(new() for _ in batch)
    packed = [pack(batch[0].outgoing_messages()[function])] * len(batch)

    def run_transaction(tx: sa.Connection) -> None:
        transaction(tx)
        tx.execute(receipts._SAVE, {"funcion": name, "ids": ids, "salidas": packed})

    return run_transaction


def _ordenes(batch: Sequence[Chain]) -> Iterator[Transaction]:
    yield _with_receipts("crear-orden", batch, partial(_crear, {c.creada.id_orden: c.creada for c in batch}))
    yield _with_receipts(
        "marcar-listo-despacho", batch, partial(_transition, {c.iniciada.id_orden: c.iniciada for c in batch})
    )


def _crear(estados: Mapping[Id, Any], tx: sa.Connection) -> None:
    ordenes.save(tx, {}, estados)


def _transition(estados: Mapping[Id, Any], tx: sa.Connection) -> None:
    ordenes.save(tx, ordenes.load(tx, list(estados)), estados)


def _ordenes_lectura(batch: Sequence[Chain]) -> Iterator[Transaction]:
    yield partial(_proyectar_ordenes, [c.creada for c in batch])
    yield partial(_proyectar_ordenes, [c.iniciada for c in batch])


def _proyectar_ordenes(estados: Sequence[Any], tx: sa.Connection) -> None:
    ordenes.proyectar(tx, estados)


def _productos(batch: Sequence[Chain]) -> Iterator[Transaction]:
    comandos = [Message(new(), 0, 0, c.comandos[1]) for c in batch]
    decided = {c.reserva.id_orden: (c.reduced, c.reserva, list[Any]()) for c in batch}

    def reserve(tx: sa.Connection) -> None:
        decide(
            tx,
            comandos,
            lambda _producto, _reserva, data: decided[data.id_orden],
            productos.PRODUCTOS,
            productos.RESERVAS.assumed_empty(),
        )

    yield _with_receipts("disminuir-stock", batch, reserve)


def _productos_lectura(batch: Sequence[Chain]) -> Iterator[Transaction]:
    def proyectar(tx: sa.Connection) -> None:
        productos.proyectar(tx, list({c.reduced.id_producto: c.reduced for c in batch}.values()))
        productos.add_movimientos(tx, [c.reduced for c in batch])

    yield proyectar


def _conductores(batch: Sequence[Chain]) -> Iterator[Transaction]:
    asignaciones = {c.asignacion.id_orden: c.asignacion for c in batch}

    def asignar(tx: sa.Connection) -> None:
        free = conductores.libres(tx, len(asignaciones))
        pairs = zip(asignaciones.items(), free, strict=True)
        given = {i: replace(requested, id_conductor=libre.id_conductor) for (i, requested), libre in pairs}
        conductores.save(Changes(now()), tx, {}, given)

    yield _with_receipts("asignar-conductor", batch, asignar)


def _conductores_lectura(batch: Sequence[Chain]) -> Iterator[Transaction]:
    yield lambda tx: conductores.proyectar(tx, [c.conductor for c in batch])


def _saga(batch: Sequence[Chain]) -> Iterator[Transaction]:
    for comandos in zip(*(c.comandos for c in batch), strict=True):
        moment = time.time_ns() // 1_000_000
        yield partial(_record, [Message(new(), moment, moment, comando) for comando in comandos])


def _record(messages: Sequence[Message[Any]], tx: sa.Connection) -> None:
    saga.save(tx, messages)


_TRANSACTIONS: Final[Mapping[str, Callable[[Sequence[Chain]], Iterator[Transaction]]]] = {
    "ordenes": _ordenes,
    "ordenes_lectura": _ordenes_lectura,
    "productos": _productos,
    "productos_lectura": _productos_lectura,
    "conductores": _conductores,
    "conductores_lectura": _conductores_lectura,
    "saga": _saga,
}
_DATABASES_WITH_RECEIPTS: Final = ("ordenes", "productos", "conductores")
