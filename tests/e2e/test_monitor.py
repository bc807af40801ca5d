"""The monitor on the whole platform: what it says of a cluster that is well, of one that is not, of none."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pulsar
import pytest
from monitor_messages import CUANTOS, Mensajes

from functions.comun.cluster.admin_rest import Api
from functions.comun.publicador import EsquemaAvro
from tests.e2e.dlq_helpers import PREFIJO, cliente, correr_guion, publicar
from tests.e2e.test_saga import BIEN, crear_producto, final, pedir_orden, registrar_conductores
from tests.load.broker import pedir
from tests.monitor_falso import ESPERADO
from tests.plataforma import RAIZ, Plataforma, esperar, libres

pytestmark = pytest.mark.e2e

FUNCION = ("--tenant", "monoliticas", "--namespace", "ordenes", "--name", "crear-orden")
LUEGO = ("ordenes/comando-verificar-orden", "verificar-orden")


def mirar(platform: Plataforma, *argumentos: str) -> tuple[int, Any]:
    """Exit code and document."""
    codigo, salida, errores = correr_guion(platform, "monitor.py", "--json", *argumentos)
    assert (errores, salida.count("\n")) == ("", 1)
    return codigo, json.loads(salida)


def sanar(platform: Plataforma) -> Any:
    """The document, once all is well."""

    def sano() -> Any:
        codigo, documento = mirar(platform)
        assert (codigo == 0) == documento["healthy"] == (documento["unhealthy"] == [])
        return documento if codigo == 0 else None

    return esperar("a healthy cluster", sano, 60)


def saltar_cartas(platform: Plataforma) -> None:
    for topic in ESPERADO.suscripciones:
        if topic.endswith("-dlq"):
            url = f"{platform.admin_url}/admin/v2/persistent/monoliticas/{topic}/subscription/cuarentena/skip_all"
            pedir(url, "POST")


@pytest.fixture
def sana(platform: Plataforma) -> Iterator[Plataforma]:
    """Without the dead letters that other tests left."""
    saltar_cartas(platform)
    sanar(platform)
    yield platform
    saltar_cartas(platform)


def test_a_cluster_at_work_is_healthy_although_messages_wait_for_their_time(sana: Plataforma) -> None:
    id_producto = crear_producto(sana, 5)
    registrar_conductores(sana, 1)
    orden, saga = final(sana, pedir_orden(sana, id_producto))
    assert (orden["estado"], saga) == ("iniciada", BIEN)
    documento = sanar(sana)
    topics = {topic["topic"]: topic for topic in documento["topics"] + documento["dead_letters"]}
    suscripciones = {
        (nombre, una["subscription"]): una for nombre, topic in topics.items() for una in topic["subscriptions"]
    }
    assert set(topics) >= set(ESPERADO.suscripciones)
    assert all(suscripciones[topic, nombre]["consumers"] for topic, nombre in ESPERADO.lectoras)
    funciones = {una["function"]: una for una in documento["functions"]}
    assert {nombre: funciones[nombre]["running"] for nombre in ESPERADO.instancias} == ESPERADO.instancias
    assert funciones["ordenes/crear-orden"]["processed"] >= 1
    assert topics["ordenes/comando-crear-orden"]["storage"] > 0
    luego = suscripciones[LUEGO]
    assert (luego["backlog"] >= 1, luego["delayed"] >= 1, luego["oldest_age"]) == (True, True, None)


def test_a_stopped_function_is_named_with_what_waits_for_it_until_it_is_started(sana: Plataforma) -> None:
    id_producto = crear_producto(sana, 5)
    registrar_conductores(sana, 1)
    sana.admin("functions", "stop", *FUNCION)
    esperar("the end of the instance", lambda: not sana.instancias("crear-orden"))
    id_orden = pedir_orden(sana, id_producto)
    tarde = "subscription crear-orden of ordenes/comando-crear-orden is late"
    esperar("a late message", lambda: tarde in str(mirar(sana, "--max-age", "1")[1]["unhealthy"]))
    codigo, salida, errores = correr_guion(sana, "monitor.py", "--once", "--max-age", "1")
    assert codigo == 1
    lineas = errores.splitlines()
    assert lineas[0] == "unhealthy: function ordenes/crear-orden runs 0 of 1 instances"
    assert lineas[1] == "unhealthy: subscription crear-orden of ordenes/comando-crear-orden has no consumer"
    assert lineas[2].startswith(f"unhealthy: {tarde}: its oldest message has been due for ")
    assert len(lineas) == 3
    assert "not running  ordenes/crear-orden " in salida
    sana.admin("functions", "start", *FUNCION)
    sanar(sana)
    assert final(sana, id_orden)[0]["estado"] == "iniciada"


def test_a_dead_letter_that_waits_is_unhealthy(sana: Plataforma) -> None:
    publicar(sana, LUEGO[0], b"basura", "clave")
    dicho = ["1 dead letter in ordenes/verificar-orden-dlq: see dlq.py list"]
    esperar("the letter", lambda: mirar(sana)[1]["unhealthy"] == dicho)
    saltar_cartas(sana)
    sanar(sana)


def test_a_topics_newest_messages_are_read_and_those_that_come(platform: Plataforma) -> None:
    topic, codigos = "conductores/comando-registrar-conductor", [str(uuid4()) for _ in range(CUANTOS + 20)]
    api = Api(platform.admin_url, {})

    def publicar_uno(abierto: pulsar.Client, clave: str) -> None:
        productor = abierto.create_producer(PREFIJO + topic, schema=EsquemaAvro(None, {"topic": topic}))
        productor.send(b"basura", partition_key=clave)
        productor.close()

    with cliente(platform) as abierto:
        for clave in codigos:
            publicar_uno(abierto, clave)
        leidas: list[str] = []
        for tanda in Mensajes(abierto, api).de_topic(topic, lambda: len(leidas) <= CUANTOS):
            leidas.extend(uno.clave for uno in tanda.mensajes)
            if len(leidas) == CUANTOS and codigos[-1] == leidas[-1]:
                codigos.append(str(uuid4()))
                publicar_uno(abierto, codigos[-1])
        assert leidas == codigos[-CUANTOS - 1 :]
    saltar_cartas(platform)


def test_nobody_at_the_admin_url_is_said_at_once() -> None:
    (puerto,) = libres(1)
    guion = [sys.executable, "pulsar-admin-scripts/monitor.py", "--once"]
    entorno = {"PULSAR_ADMIN_URL": f"http://127.0.0.1:{puerto}"}
    fin = subprocess.run(guion, cwd=RAIZ, env=entorno, capture_output=True, text=True, timeout=10)
    assert (fin.returncode, fin.stdout) == (3, "")
    assert fin.stderr.startswith(f"error: http://127.0.0.1:{puerto} does not answer: ")
