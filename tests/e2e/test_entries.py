"""What Publicador takes for granted of the client and the broker: a call's messages to a topic are one entry."""

import pulsar
import pytest

from functions.comun.codec import publicacion
from functions.comun.ids import nuevo
from functions.comun.mensajes import EliminarProducto
from functions.comun.publicador import ENTRADA_MENSAJES, Publicador
from tests.load.broker import pedir
from tests.plataforma import Plataforma

pytestmark = pytest.mark.e2e

TOPIC = f"persistent://monoliticas/{EliminarProducto.topic}"


def guardadas(platform: Plataforma) -> tuple[int, int]:
    """Entries and messages of TOPIC since the broker loaded it."""
    admin = f"{platform.admin_url}/admin/v2/{TOPIC.replace('://', '/')}"
    return pedir(f"{admin}/internalStats")["entriesAddedCounter"], pedir(f"{admin}/stats")["msgInCounter"]


def test_what_one_call_publishes_to_a_topic_is_one_entry(platform: Plataforma) -> None:
    cuantas = ENTRADA_MENSAJES - 1
    mensajes = [publicacion(nuevo(), 0, "pruebas", EliminarProducto(nuevo())) for _ in range(cuantas)]
    cliente = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        publicador = Publicador(cliente)
        publicador.publicar(mensajes[:1])  # whatever a first message is, beside an entry
        entradas, antes = guardadas(platform)
        publicador.publicar(mensajes)
        assert guardadas(platform) == (entradas + 1, antes + cuantas)
    finally:
        cliente.close()


def test_a_topic_with_partitions_can_be_told_from_one_without(platform: Plataforma) -> None:
    partido = "persistent://public/default/partido"
    pedir(f"{platform.admin_url}/admin/v2/{partido.replace('://', '/')}/partitions", "PUT", 1)
    cliente = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        assert cliente.get_topic_partitions(TOPIC) == [TOPIC]
        assert cliente.get_topic_partitions(partido) == [f"{partido}-partition-0"]
    finally:
        cliente.close()
