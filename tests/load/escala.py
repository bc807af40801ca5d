"""Scale: one function, more and more instances of it, on a topic with partitions: what is faster, what stays ordered.

The function is registrar-saga: of all it takes the most CPU, it publishes nothing, so that nothing else works
meanwhile, and each message leaves one row that says which transaction wrote it. It is a copy that reads one kind of
message from a topic of its own; the real ones have nobody else on them.

Every key's messages are in one partition, in order. A Shared subscription, which the functions are deployed with,
hands them to all instances in turn, whatever their key. With `retainOrdering` (Failover) each partition has one
instance at a time, so that there is work for as many instances as there are partitions.

All messages wait, and all instances are connected, before the first is taken: the processes stand still meanwhile.
The rate is from then until the last row can be seen; on few cores more instances have no more of them to work with.

A message is out of order if one of the same key that was published before it was written by a later transaction.
Later is which began to write later; a batch within one transaction is handed to the function as it came.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from functions.comun.codec import Publicacion, publicacion
from functions.comun.ids import Id, leer, nuevo
from functions.comun.mensajes import CrearOrden, ahora
from tests.load import broker, copia, procesos, siembra
from tests.load.cifras import decir
from tests.load.copia import Copia
from tests.load.partes import Banco
from tests.plataforma import Plataforma, esperar

ORIGINAL: Final = "saga/registrar-saga"
MENSAJES: Final = 5000
"""In each round, at most."""
CLAVES: Final = 100
MODOS: Final[dict[str, dict[str, Any]]] = {"Shared": {}, "Failover": {"retainOrdering": True}}
"""Subscription types, and what a function's configuration says to have them."""
PLAZO: Final = 120
_RANGO: Final = "from sagalog where id_mensaje between :primero and :ultimo"
_CUANTAS: Final = sa.text(f"select count(*) {_RANGO}")
_BORRAR: Final = sa.text("delete from sagalog where id_orden = any(cast(:claves as uuid[]))")
_FILAS: Final = f"""
    select cast(id_orden as text), cast(cast(xmin as text) as bigint) {_RANGO} order by id_mensaje"""


def medir(banco: Banco) -> dict[str, Any]:
    platform, cuantos = banco.platform, min(banco.tamanos.ordenes, MENSAJES)
    broker.aquietar(platform)
    siembra.ordenar(platform, "saga")
    rondas = []
    with copia.espacio(platform):
        for modo, paralelismo in plan(banco.tamanos.paralelismos):
            decir(f"{paralelismo} instances, {modo}, {cuantos} messages …")
            rondas.append({"modo": modo, "paralelismo": paralelismo, **_ronda(platform, modo, paralelismo, cuantos)})
    return {"mensajes": cuantos, "claves": CLAVES, "particiones": copia.PARTICIONES, "rondas": rondas}


def plan(paralelismos: Sequence[int]) -> list[tuple[str, int]]:
    """Mode and parallelism of each round; alone, an instance has all messages in any mode."""
    return [(modo, n) for modo in MODOS for n in paralelismos if n > 1 or modo == "Shared"]


def fuera_de_orden(filas: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Of key and transaction of each message, as they were published: messages out of order, and keys that have any."""
    ultima: dict[str, int] = {}
    mensajes, claves = 0, set()
    for clave, transaccion in filas:
        if transaccion < ultima.setdefault(clave, transaccion):
            mensajes += 1
            claves.add(clave)
        ultima[clave] = max(ultima[clave], transaccion)
    return {"mensajes_desordenados": mensajes, "claves_desordenadas": len(claves)}


def mensajes(cuantos: int, claves: Sequence[Id]) -> tuple[list[Publicacion], dict[str, str]]:
    """Messages whose ids grow, key after key in turn; and their first and last id."""
    primero = uuid4().int >> 32 << 32
    ids, producto = [leer(str(UUID(int=primero + i))) for i in range(cuantos)], nuevo()
    publicados = []
    for i, propio in enumerate(ids):
        orden = CrearOrden(claves[i % len(claves)], producto, f"cliente-{i}", ahora(), 1, "Calle 45", nuevo())
        publicados.append(publicacion(propio, time.time_ns() // 1_000_000, "bff", orden))
    return publicados, {"primero": ids[0], "ultimo": ids[-1]}


def _ronda(platform: Plataforma, modo: str, paralelismo: int, cuantos: int) -> dict[str, Any]:
    nombre = f"{modo.lower()}-{paralelismo}"
    propia = Copia(nombre, ORIGINAL, CrearOrden.topic, paralelismo, MODOS[modo])
    claves = [nuevo() for _ in range(CLAVES)]
    with ExitStack() as pila:
        saga = pila.enter_context(siembra.conexion(platform, "saga"))
        pila.callback(saga.execute, _BORRAR, {"claves": claves})
        pila.enter_context(copia.desplegada(platform, propia))
        publicar = pila.enter_context(copia.publicador(platform, propia))
        previos, rango = mensajes(CLAVES * paralelismo, claves)  # whoever reads has begun, and is connected
        publicar(previos)
        _todos(saga, rango, len(previos))
        medidos, rango = mensajes(cuantos, claves)
        with _quietas(platform, propia):
            publicar(medidos)
            antes, comienzo = procesos.cpu(platform.data), time.monotonic()
        _todos(saga, rango, cuantos)
        cifras = _medida(platform, nombre, antes, cuantos, time.monotonic() - comienzo)
        filas = platform.sql("saga", _FILAS, **rango)
    assert len(filas) == cuantos, f"{len(filas)} rows of {cuantos} messages"
    return cifras | fuera_de_orden([(str(clave), int(transaccion)) for clave, transaccion in filas])


def _medida(
    platform: Plataforma, nombre: str, antes: dict[str, float], cuantos: int, segundos: float
) -> dict[str, float]:
    """`antes`: CPU seconds until the first of all began, `segundos` ago."""
    cpu = procesos.gastado(antes, procesos.cpu(platform.data))
    decir(f"  {cuantos / segundos:.0f}/s")
    return {
        "mensajes_s": cuantos / segundos,
        "cpu_ms": 1000 * procesos.de_la_plataforma(cpu) / cuantos,
        "cpu_funcion_ms": 1000 * cpu.get(nombre, 0.0) / cuantos,
    }


def _todos(saga: sa.Connection, rango: dict[str, str], cuantos: int) -> None:
    """Returns when each has its row."""
    esperar(f"{cuantos} rows", lambda: saga.execute(_CUANTAS, rango).scalar_one() >= cuantos, PLAZO)


@contextmanager
def _quietas(platform: Plataforma, propia: Copia) -> Iterator[None]:
    """The copy's processes stand still, connected as they are: afterwards all begin at once."""
    suyas = platform.instancias(propia.nombre)
    assert len(suyas) == propia.paralelismo, suyas
    try:
        for proceso in suyas:
            proceso.suspend()
        yield
    finally:
        for proceso in suyas:
            proceso.resume()
