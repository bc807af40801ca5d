"""A backlog: so many orders wait, then the functions begin."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import yaml

from tests.load import broker, procesos, siembra
from tests.load.cifras import decir
from tests.load.ordenes import publicar
from tests.load.partes import Banco
from tests.load.vigia import Vigia
from tests.plataforma import RAIZ, Plataforma, esperar

DETENIDAS: Final = ("ordenes/crear-orden", "saga/registrar-saga")
"""Who reads what waits: the saga log's share of the work belongs to what is measured."""
ANTES: Final = 2.0
"""The check of the orders is watched from so long before it is due, in s."""
REPOSO: Final = 5.0
"""So long idleness is watched before that, in s."""
PAUSA: Final = 0.2
PLAZO: Final = 300


def medir(banco: Banco) -> dict[str, Any]:
    platform, cuantas = banco.platform, banco.tamanos.ordenes
    resultado = correr(platform, cuantas)
    if banco.tamanos.plazos:
        resultado["plazo_ms"] = _plazos(platform, cuantas, resultado.pop("momento"))
    resultado.pop("momento", None)
    broker.aquietar(platform)
    return resultado


def correr(platform: Plataforma, cuantas: int) -> dict[str, Any]:
    """`momento`: when the first was there, on the monotonic clock."""
    productos = siembra.productos(platform)
    siembra.conductores(platform, cuantas)
    ids, vigia, guardado = _poner(platform, cuantas, productos)
    with vigia:
        decir("the functions begin …")
        comienzo = time.monotonic()
        broker.iniciar(platform, *DETENIDAS)
        primera = vigia.primera()
        antes = procesos.cpu(platform.data)
        ultima = vigia.todas()
        cpu = procesos.gastado(antes, procesos.cpu(platform.data))
    segundos = ultima - primera
    _comprobar(platform, ids, productos)
    crecido = {nombre: bytes_ - guardado[nombre] for nombre, bytes_ in siembra.guardado(platform).items()}
    decir(f"{cuantas} orders in {segundos:.1f} s: {cuantas / segundos:.0f}/s")
    return {
        "ordenes": cuantas,
        "segundos": segundos,
        "sagas_s": cuantas / segundos,
        "arranque_s": primera - comienzo,
        "cpu_ms": {nombre: 1000 * uso / cuantas for nombre, uso in cpu.items()},
        "cpu_total_ms": 1000 * procesos.de_la_plataforma(cpu) / cuantas,
        "curva": vigia.curva,
        "bytes_por_orden": {nombre: bytes_ / cuantas for nombre, bytes_ in crecido.items()},
        "memoria": {nombre: asdict(usada) for nombre, usada in procesos.memoria(platform.data).items()},
        "momento": primera,
    }


def _poner(platform: Plataforma, cuantas: int, productos: list[str]) -> tuple[list[str], Vigia, Mapping[str, int]]:
    """Publishes them while nobody reads; their ids, who watches them, and what was stored before."""
    broker.aquietar(platform)
    broker.parar(platform, *DETENIDAS)
    guardado = siembra.guardado(platform)
    decir(f"publishing {cuantas} orders …")
    ids = publicar(platform, cuantas, productos)
    return ids, Vigia(platform, ids, productos), guardado


def _comprobar(platform: Plataforma, ids: list[str], productos: list[str]) -> None:
    """Every order iniciada, each with a driver of its own, and the stock lowered by their number."""
    consulta = """select count(*), count(distinct id_driver) from ordenes
        where id_producto = any(cast(:productos as uuid[])) and estado = 'iniciada'"""
    for base in ("ordenes", "ordenes_lectura"):
        contadas = platform.sql(base, consulta, productos=productos)
        assert contadas == [(len(ids), len(ids))], f"{base}: iniciada, and their drivers: {contadas}"
    debido = siembra.STOCK * len(productos) - len(ids)
    queda = "select coalesce(sum(stock), 0) from productos where id = any(cast(:productos as uuid[]))"
    quedan = {
        base: partial(platform.sql, base, queda, productos=productos) for base in ("productos", "productos_lectura")
    }
    esperar(f"{debido} units", lambda: {int(leer()[0][0]) for leer in quedan.values()} == {debido})


def _plazos(platform: Plataforma, cuantas: int, primera: float) -> float:
    """CPU ms for each order's check, two minutes after it, less what an idle platform takes meanwhile."""
    config = yaml.safe_load((RAIZ / "deployment/functions/crear-orden.yaml").read_text())["userConfig"]
    debido = primera + config["DEMORAS"][broker.PLAZO[0]] - ANTES
    decir(f"waiting {debido - time.monotonic():.0f} s for the orders' checks …")
    reposo = _reposo(platform, max(0.0, debido - REPOSO - time.monotonic()))
    comienzo, antes = time.monotonic(), procesos.cpu(platform.data)
    assert broker.por_verificar(platform)
    while quedan := broker.por_verificar(platform):
        assert time.monotonic() < comienzo + PLAZO, f"{quedan} orders are still to be checked"
        time.sleep(PAUSA)
    gastado = procesos.gastado(antes, procesos.cpu(platform.data))
    return 1000 * (procesos.de_la_plataforma(gastado) - reposo * (time.monotonic() - comienzo)) / cuantas


def _reposo(platform: Plataforma, espera: float) -> float:
    """CPU s in each s, of the whole platform, in REPOSO s after `espera` s."""
    time.sleep(espera)
    antes = procesos.cpu(platform.data)
    time.sleep(REPOSO)
    return procesos.de_la_plataforma(procesos.gastado(antes, procesos.cpu(platform.data))) / REPOSO
