"""Orders over HTTP: many clients in a closed loop, and one order at a time."""

import json
import time
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from tests.load import broker, clientes, peticiones, procesos, siembra
from tests.load.cifras import decir, latencias
from tests.load.partes import Banco
from tests.load.peticiones import JSON, XML, Conexion

POR_SEGUNDO: Final = 4000
"""More orders than can be accepted in a second: so many drivers are made."""
PAUSA: Final = 0.002
PAUSA_LARGA: Final = 0.1
"""Between two looks at one order, and at all of a round, in s: each look costs what it counts."""
CALENTAMIENTO: Final = 200
"""Orders before the single ones that are measured: a Java that has just begun takes twice as long."""
PLAZO: Final = 600
_TERMINADAS: Final = sa.text("""
    select count(*) filter (where estado = 'iniciada'), count(*) filter (where estado <> 'creada') from ordenes
    where id_producto = any(cast(:productos as uuid[]))""")


def medir(banco: Banco) -> dict[str, Any]:
    """A round for each format and number of clients."""
    rondas = [(tipo, cuantos) for tipo in (JSON, XML) for cuantos in banco.tamanos.clientes]
    return {"rondas": [_ronda(banco, tipo, cuantos) for tipo, cuantos in rondas]}


def _ronda(banco: Banco, tipo: str, cuantos: int) -> dict[str, Any]:
    platform, segundos = banco.platform, banco.tamanos.segundos
    productos = siembra.productos(platform)
    siembra.conductores(platform, int(segundos * POR_SEGUNDO))
    crudas = [peticiones.orden(productos[i % len(productos)], i, tipo) for i in range(1000)]
    decir(f"{cuantos} clients, {tipo.partition('/')[2]}, {segundos:g} s …")
    antes = procesos.cpu(platform.data)
    ronda = clientes.correr(banco.bff, cuantos, crudas, segundos)
    enviando = procesos.cpu(platform.data)
    aceptadas = ronda.respuestas["202"]
    iniciadas, final = _terminadas(banco, productos, aceptadas)
    cpu = procesos.gastado(antes, procesos.cpu(platform.data))
    mientras = procesos.gastado(antes, enviando)
    broker.aquietar(platform)
    return {
        "tipo": tipo.partition("/")[2],
        "clientes": cuantos,
        "aceptadas": aceptadas,
        "aceptadas_s": ronda.a_tiempo / segundos,
        "sagas_s": aceptadas / (final - ronda.inicio),
        "iniciadas": iniciadas,
        "respuestas": dict(ronda.respuestas),
        **latencias(ronda.latencias),
        "cpu_ms": {nombre: 1000 * uso / aceptadas for nombre, uso in cpu.items()},
        "parte_de_la_carga": mientras[procesos.CARGA] / sum(mientras.values()),
    }


def _terminadas(banco: Banco, productos: list[str], aceptadas: int) -> tuple[int, float]:
    """How many are iniciada once all have ended, and when that was seen."""
    limite = time.monotonic() + PLAZO
    with siembra.conexion(banco.platform, "ordenes_lectura") as lectura:
        while True:
            momento = time.monotonic()
            iniciadas, terminadas = lectura.execute(_TERMINADAS, {"productos": productos}).one()
            if terminadas >= aceptadas:
                return iniciadas, momento
            assert momento < limite, f"{terminadas} of {aceptadas} orders have ended"
            time.sleep(PAUSA_LARGA)


def sueltas(banco: Banco) -> dict[str, Any]:
    """One order at a time: until the answer that waited for the end, and until a look shows the end."""
    cuantas = banco.tamanos.sueltas
    productos = siembra.productos(banco.platform)
    siembra.conductores(banco.platform, 2 * cuantas + CALENTAMIENTO)
    decir(f"{cuantas} single orders, twice, after {CALENTAMIENTO} that don't count …")
    conexion = Conexion(banco.bff)
    hacer = [partial(peticiones.orden, productos[i % len(productos)], i) for i in range(cuantas)]
    for i in range(CALENTAMIENTO):
        _esperada(conexion, hacer[i % cuantas](Prefer="wait=10"))
    esperadas = [_esperada(conexion, una(Prefer="wait=10")) for una in hacer]
    miradas = [_mirada(conexion, una()) for una in hacer]
    conexion.cerrar()
    broker.aquietar(banco.platform)
    return {
        "espera": latencias(esperadas),
        "mirada": latencias([total for total, _ in miradas]),
        "aceptada": latencias([primero for _, primero in miradas]),
        "cada_una_ms": [round(1000 * segundos, 2) for segundos in esperadas],
    }


def _esperada(conexion: Conexion, cruda: bytes) -> float:
    comienzo = time.monotonic()
    estado, cuerpo = conexion.pedir(cruda)
    duro = time.monotonic() - comienzo
    assert (estado, json.loads(cuerpo).get("estado")) == (200, "iniciada"), cuerpo
    return duro


def _mirada(conexion: Conexion, cruda: bytes) -> tuple[float, float]:
    """Until it is seen to be iniciada, and until it was accepted."""
    comienzo = time.monotonic()
    estado, cuerpo = conexion.pedir(cruda)
    aceptada = time.monotonic() - comienzo
    assert estado == 202, cuerpo
    mirar = peticiones.peticion("GET", f"/orders/{json.loads(cuerpo)['id_orden']}")
    while True:
        estado, cuerpo = conexion.pedir(mirar)
        if estado == 200 and json.loads(cuerpo)["estado"] == "iniciada":
            return time.monotonic() - comienzo, aceptada
        assert time.monotonic() < comienzo + 30, cuerpo
        time.sleep(PAUSA)
