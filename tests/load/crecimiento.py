"""Growth: what an order and an answer cost while more and more orders are stored."""

import re
import time
from itertools import cycle, islice
from typing import Any, Final

from tests.load import atraso, broker, llenado, peticiones
from tests.load.cifras import decir, percentil
from tests.load.informe import CONSULTAS
from tests.load.partes import Banco
from tests.load.peticiones import Conexion
from tests.plataforma import Plataforma

ATRASO: Final = 5000
"""Orders of each backlog, at most."""
PRIMERAS: Final = 1000
"""Real orders to begin with, at most; what is added is like them."""
HOLGURA: Final = 0.05
"""Bytes of the added orders' rows may differ from those of real ones by this part."""
FILAS: Final = 50
"""Of a page."""
PAGINAS: Final = 20
"""Of 1,000 rows before the page deep inside, at most."""
VECES: Final = 100
"""Each question is asked so often."""
_SIGUIENTE: Final = re.compile('<([^>]*)>; rel="next"')


def medir(banco: Banco) -> dict[str, Any]:
    """`razon`: CPU for an order at the largest size / at the smallest."""
    platform, guardadas = banco.platform, banco.tamanos.guardadas
    broker.aquietar(platform)
    platform.vaciar()
    primeras = min(PRIMERAS, guardadas[0])
    decir(f"{primeras} orders to begin with …")
    atraso.correr(platform, primeras)
    modelo = llenado.contenido(platform)
    tamanos = []
    for cuantas in guardadas:
        _completar(platform, cuantas, modelo, primeras)
        tamanos.append(_medir(banco, cuantas))
    broker.aquietar(platform)
    return {"tamanos": tamanos, "razon": tamanos[-1]["cpu_ms"] / tamanos[0]["cpu_ms"]}


def _completar(platform: Plataforma, cuantas: int, modelo: llenado.Contenido, primeras: int) -> None:
    """So many stored orders in all, once those that were added are seen to be like real ones."""
    broker.aquietar(platform)
    hay = int(platform.sql("ordenes", "select count(*) from ordenes")[0][0])
    assert hay <= cuantas, f"there are {hay} orders already: sizes must ascend, by more than a backlog"
    if hay == cuantas:
        return
    decir(f"{cuantas - hay} orders, straight into the databases …")
    antes = llenado.contenido(platform)
    llenado.llenar(platform, hay + 1, cuantas)
    puestas = {clave: cuanto - antes[clave] for clave, cuanto in llenado.contenido(platform).items()}
    mal = llenado.distintas(modelo, primeras, puestas, cuantas - hay, HOLGURA)
    assert not mal, f"what was added is not like real orders: {mal}"


def _medir(banco: Banco, cuantas: int) -> dict[str, Any]:
    platform = banco.platform
    p50 = _consultas(banco)
    decir(f"with {cuantas} stored: {', '.join(f'{que} {ms:.2g} ms' for que, ms in p50.items())}")
    medido = atraso.correr(platform, min(banco.tamanos.ordenes, ATRASO))
    return {
        "guardadas": cuantas,
        "ordenes": medido["ordenes"],
        "cpu_ms": medido["cpu_total_ms"],
        "por_componente_ms": medido["cpu_ms"],
        "sagas_s": medido["sagas_s"],
        "p50_ms": p50,
    }


def _consultas(banco: Banco) -> dict[str, float]:
    """The median until the answer, in ms. Each answer has as many rows with few orders stored as with many."""
    primera = f"/orders?limit={FILAS}"
    ids = banco.platform.sql("ordenes_lectura", "select id_orden from ordenes limit :veces", veces=VECES)
    rutas = (
        [primera],
        [_honda(banco.platform)],
        [f"/orders?limit=1&user_id=cliente-{numero}" for numero in range(VECES)],
        [f"/orders/{id_orden}" for (id_orden,) in ids],
    )
    conexion = Conexion(banco.bff)
    try:
        return {
            que: 1000 * percentil([_pedir(conexion, ruta) for ruta in islice(cycle(lista), VECES)], 50)
            for que, lista in zip(CONSULTAS, rutas, strict=True)
        }
    finally:
        conexion.cerrar()


def _pedir(conexion: Conexion, ruta: str) -> float:
    comienzo = time.monotonic()
    estado, cuerpo = conexion.pedir(peticiones.peticion("GET", ruta))
    duro = time.monotonic() - comienzo
    assert estado == 200, cuerpo
    return duro


def _honda(platform: Plataforma) -> str:
    """A page that is reached by following Link from page to page."""
    ruta, cuantas = "/orders?limit=1000", 0
    while cuantas < PAGINAS and (siguiente := _siguiente(platform, ruta)):
        ruta, cuantas = siguiente, cuantas + 1
    return ruta.replace("limit=1000", f"limit={FILAS}")


def _siguiente(platform: Plataforma, ruta: str) -> str | None:
    estado, cuerpo, cabeceras = platform.pedir("GET", ruta)
    assert estado == 200, cuerpo
    enlace = _SIGUIENTE.search(cabeceras.get("Link", ""))
    return enlace[1] if enlace else None
