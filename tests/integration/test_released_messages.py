"""Messages in the bytes of released schema versions go through today's functions, as they came when they were sent."""

import json
from typing import Any

import _pulsar
import pytest
from schemas_files import archivos_lanzados, lanzadas, lectores, leer, topics

from functions.comun.publicador import EsquemaAvro, Recibido
from tests.mundo import Mundo
from tests.plataforma import Plataforma
from tests.pulsar_falso import PREFIJO, MensajeFalso

PRIMERO = ("productos/comando-crear-producto", "conductores/comando-registrar-conductor", "ordenes/comando-crear-orden")
"""What the others are about."""
GENERACIONES = range(1, 1 + max(max(lanzadas(topic)) for topic in topics()))


class Registro:
    """A registry of all released versions; the broker counts them from 0."""

    def get_schema_info(self, topic: str, version: int) -> Any:
        definicion = lanzadas(topic.removeprefix(PREFIJO))[version + 1]
        return _pulsar.SchemaInfo(_pulsar.SchemaType.AVRO, "AVRO", json.dumps(definicion))


@pytest.mark.parametrize("generacion", GENERACIONES)
@pytest.mark.parametrize("indice", [0, 1])
def test_released_messages_are_processed_and_none_is_quarantined(mundo: Mundo, generacion: int, indice: int) -> None:
    """One sample of each topic is one saga: the usual values, and the unusual ones."""
    mundo.vaciar()
    for topic in sorted(topics(), key=lambda topic: topic not in PRIMERO):
        numero = min(generacion, max(lanzadas(topic)))
        for funcion in lectores(topic):
            mundo.entregar(funcion, [muestra(topic, numero, indice)])
    assert [topic for topic, _, _ in mundo.broker.publicados if topic.endswith("-dlq")] == []


def test_what_a_released_message_says_is_what_is_stored(mundo: Mundo, bases: Plataforma) -> None:
    mundo.vaciar()
    esperadas = {}
    for numero, indice in ((1, 1), (2, 0)):
        leida = leer(archivos_lanzados("ordenes/comando-crear-orden", numero)[1])["samples"][indice]["message"]["data"]
        esperadas[leida["id_orden"]] = (leida["direccion_entrega"], leida.get("instrucciones_entrega"))
        mundo.entregar("crear-orden", [muestra("ordenes/comando-crear-orden", numero, indice)])
    guardadas = bases.sql("ordenes", "select id_orden::text, direccion_entrega, instrucciones_entrega from ordenes")
    assert {id_orden: (direccion, que) for id_orden, direccion, que in guardadas} == esperadas


def muestra(topic: str, numero: int, indice: int) -> Recibido:
    contenido = leer(archivos_lanzados(topic, numero)[1])["samples"][indice]["bytes"]
    esquema = EsquemaAvro(None, {"topic": topic})
    esquema.attach_client(Registro())
    return esquema.decode_message(MensajeFalso(topic, bytes.fromhex(contenido), version=numero - 1))
