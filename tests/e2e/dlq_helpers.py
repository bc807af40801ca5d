"""What the tests of the tool for dead letters share: running it, bytes on any topic, the saga log."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulsar

from functions.comun.publicador import EsquemaAvro
from tests.plataforma import RAIZ, Plataforma

PREFIJO = "persistent://monoliticas/"


def correr(platform: Plataforma, *argumentos: str) -> tuple[int, str, str]:
    """dlq.py's exit code, stdout and stderr."""
    return correr_guion(platform, "dlq.py", *argumentos)


def orden_de(guion: str, *argumentos: str, raiz: Path = RAIZ) -> list[str]:
    """The command that runs one of the scripts of the sources in `raiz` with the platform's environment."""
    local = [sys.executable, "-m", "deployment.local", "run", "--"]
    return [*local, sys.executable, str(raiz / "pulsar-admin-scripts" / guion), *argumentos]


def correr_guion(
    platform: Plataforma, guion: str, *argumentos: str, entrada: str = "", raiz: Path = RAIZ
) -> tuple[int, str, str]:
    """A script's exit code, stdout and stderr."""
    orden = orden_de(guion, *argumentos, raiz=raiz)
    proceso = subprocess.run(
        orden, cwd=RAIZ, env=platform.entorno, input=entrada, capture_output=True, text=True, timeout=300
    )
    return proceso.returncode, proceso.stdout, proceso.stderr


def dlq(platform: Plataforma, *argumentos: str) -> str:
    codigo, salida, errores = correr(platform, *argumentos)
    assert codigo == 0, (argumentos, salida, errores)
    return salida


def cartas(platform: Plataforma, *filtros: str) -> list[Any]:
    return [json.loads(linea) for linea in dlq(platform, "list", "--json", *filtros).splitlines()]


@contextmanager
def cliente(platform: Plataforma) -> Iterator[pulsar.Client]:
    abierto = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        yield abierto
    finally:
        abierto.close()


def publicar(platform: Plataforma, topic: str, crudo: bytes, clave: str, **propiedades: str) -> str:
    """Any bytes, with the topic's schema attached; returns the message's id."""
    with cliente(platform) as abierto:
        productor = abierto.create_producer(PREFIJO + topic, schema=EsquemaAvro(None, {"topic": topic}))
        return str(productor.send(crudo, partition_key=clave, properties=propiedades))


def auditoria(platform: Plataforma, motivo: str) -> list[tuple[Any, ...]]:
    consulta = """select contenido->>'accion', contenido->>'funcion', contenido->>'operador', id_orden::text
        from sagalog where evento = 'evento-cuarentena' and contenido->>'motivo' = :motivo order by time_stamp"""
    return platform.sql("saga", consulta, motivo=motivo)


def pedir_orden(platform: Plataforma, id_producto: str, user_id: str) -> str:
    campos = {"id_producto": id_producto, "user_id": user_id, "cantidad": 2, "direccion_entrega": "Calle 45"}
    estado, cuerpo, _ = platform.pedir("POST", "/orders", campos)
    assert estado == 202, cuerpo
    return str(cuerpo["id_orden"])


def pasos(platform: Plataforma, id_orden: str, evento: str | None = None) -> list[str]:
    """What the saga log says of an order: of one event, what was done."""
    columna = "evento" if evento is None else "contenido->>'accion'"
    consulta = f"""select {columna} from sagalog where id_orden = cast(:orden as uuid)
        and evento = coalesce(:evento, evento) order by time_stamp"""
    return [str(paso) for (paso,) in platform.sql("saga", consulta, orden=id_orden, evento=evento)]
