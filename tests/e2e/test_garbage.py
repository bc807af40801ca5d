"""20,000 messages of garbage on every input topic, among 1,000 good orders."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psutil
import pulsar
import pytest

from functions.comun.codec import BYTES_MAXIMOS, publicacion
from functions.comun.ids import nuevo
from functions.comun.mensajes import CrearOrden
from functions.comun.publicador import EsquemaAvro
from tests.chaos.entregas import estadisticas
from tests.datos import listo, una_orden
from tests.e2e.instance_helpers import skip_all
from tests.e2e.test_saga import crear_producto, registrar_conductores, stock
from tests.motores import configuracion
from tests.mundo import FUNCIONES
from tests.plataforma import Plataforma, esperar

pytestmark = pytest.mark.e2e

BASURA, ORDENES = 20_000, 1_000
RSS_MAXIMO = 300 * 2**20
"""Of one instance, in bytes; an idle one has about 75 MB."""
ENTRADAS = {nombre: list(configuracion(nombre)["inputSpecs"]) for nombre in FUNCIONES}
TOPICS = sorted({topic for topics in ENTRADAS.values() for topic in topics})


def ilegible(azar: random.Random, topic: str, numero: int) -> bytes:
    """Bytes that no function can read as a message of its topic."""
    bueno = publicacion(nuevo(), 0, "pruebas", una_orden()).crudo
    match numero % 6:
        case 0:
            return azar.randbytes(azar.randint(1, 2000))
        case 1:
            return bueno[: azar.randint(1, 60)]
        case 2:
            return b""
        case 3 if numero % 600 == 3:
            return azar.randbytes(4 * 2**20)
        case 3:
            return bueno + azar.randbytes(BYTES_MAXIMOS)
        case 4:
            return publicacion(nuevo(), 0, "pruebas", otra_cosa(topic)).crudo
    return json.dumps({"id": str(nuevo()), "cantidad": 1}).encode()


def otra_cosa(topic: str) -> Any:
    """A good message, of another topic."""
    return listo(una_orden()) if topic.endswith("comando-crear-orden") else una_orden()


def imposible() -> CrearOrden:
    """Can be read, but no order may be so: made past the checks of its class."""
    absurda = una_orden(cantidad=1)
    object.__setattr__(absurda, "cantidad", -(2**31))
    return absurda


@contextmanager
def memoria(platform: Plataforma) -> Iterator[dict[str, int]]:
    """The largest resident memory that an instance of each function has meanwhile, in bytes."""
    maximas: Counter[str] = Counter()
    fin = threading.Event()

    def mirar() -> None:
        while not fin.wait(0.5):
            for nombre in FUNCIONES:
                for proceso in platform.instancias(nombre):
                    try:
                        maximas[nombre] = max(maximas[nombre], proceso.memory_info().rss)
                    except psutil.NoSuchProcess:
                        continue

    hilo = threading.Thread(target=mirar)
    hilo.start()
    try:
        yield maximas
    finally:
        fin.set()
        hilo.join()


def ensuciar(platform: Plataforma, topic: str, numeros: range) -> None:
    """Sends garbage that says in a property which one it is."""
    azar, nombre = random.Random(topic), topic.removeprefix("persistent://monoliticas/")
    cliente = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        productor = cliente.create_producer(
            topic, schema=EsquemaAvro(None, {"topic": nombre}), block_if_queue_full=True
        )
        fallos: list[object] = []
        for numero in numeros:
            crudo = ilegible(azar, topic, numero)
            if nombre == "ordenes/comando-crear-orden" and numero % 10 == 5:
                crudo = publicacion(nuevo(), 0, "pruebas", imposible()).crudo
            productor.send_async(
                crudo,
                lambda resultado, _: fallos.append(resultado) if resultado != pulsar.Result.Ok else None,
                properties={"basura": f"{topic} {numero}"},
            )
        productor.flush()
        assert fallos == []
    finally:
        cliente.close()


def cartas(platform: Plataforma, nombre: str) -> Counter[str]:
    """Which garbage is in a function's dead-letter topic; empties it."""
    cliente = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    dlq = f"persistent://monoliticas/{configuracion(nombre)['namespace']}/{nombre}-dlq"
    vistas: Counter[str] = Counter()
    try:
        lector = cliente.create_reader(dlq, pulsar.MessageId.earliest)
        while lector.has_message_available():
            carta = lector.read_next(timeout_millis=10_000)
            propiedades = carta.properties()
            assert propiedades["dlq-reason"]
            if "basura" in propiedades:
                vistas[propiedades["basura"]] += 1
    finally:
        cliente.close()
    skip_all(platform, dlq, "cuarentena")
    return vistas


def pendientes(platform: Plataforma) -> int:
    """Messages on all inputs that their functions have not acknowledged, but those for later."""
    cifras = estadisticas(platform)
    return sum(suscripcion["msgBacklogNoDelayed"] for topic in TOPICS for suscripcion in cifras[topic].values())


def test_garbage_everywhere_stops_no_order_and_ends_in_quarantine_with_reasons(platform: Plataforma) -> None:
    id_producto = crear_producto(platform, 2 * ORDENES)
    registrar_conductores(platform, ORDENES + 100)
    de_cada_uno = BASURA // len(TOPICS) + 1
    with memoria(platform) as maximas, ThreadPoolExecutor(4 + 8) as hilos:
        sucios = [hilos.submit(ensuciar, platform, topic, range(de_cada_uno)) for topic in TOPICS]
        ordenes = list(hilos.map(lambda _: insistir(platform, id_producto), range(ORDENES)))
        for sucio in sucios:
            sucio.result()
        terminadas = "select count(*) from ordenes where id_orden = any(cast(:ids as uuid[])) and estado = 'iniciada'"
        esperar("the end of all good orders", lambda: terminaron(platform, terminadas, ordenes), 180)
        esperar("nothing left on any input", lambda: pendientes(platform) == 0, 180)
    todas = "select count(*) from ordenes where id_producto = :id and estado = 'iniciada'"
    assert stock(platform, id_producto) == 2 * ORDENES - platform.sql("ordenes", todas, id=id_producto)[0][0]
    for nombre, topics in ENTRADAS.items():
        esperadas = {f"{topic} {numero}" for topic in topics for numero in range(de_cada_uno)}
        assert set(cartas(platform, nombre)) == esperadas, nombre
    print({nombre: f"{bytes_ / 2**20:.0f} MB" for nombre, bytes_ in maximas.items()})
    assert max(maximas.values()) < RSS_MAXIMO, maximas


def insistir(platform: Plataforma, id_producto: str) -> str:
    """An order, asked for until it is accepted: a broker so busy may be too slow for the BFF, which says so.

    What got no 202 may have become an order nevertheless.
    """
    campos = {"id_producto": id_producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45"}

    def aceptada() -> str | None:
        estado, cuerpo, _ = platform.pedir("POST", "/orders", campos)
        assert estado in (202, 503), cuerpo
        return str(cuerpo["id_orden"]) if estado == 202 else None

    return esperar("an accepted order", aceptada, 60) or ""


def terminaron(platform: Plataforma, consulta: str, ordenes: list[str]) -> bool:
    return platform.sql("ordenes_lectura", consulta, ids=ordenes) == [(len(ordenes),)]
