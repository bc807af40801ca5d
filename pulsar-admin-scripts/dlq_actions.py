"""What can be done with dead letters: send their messages again, or let them go."""

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import pulsar
from client import PLAZO
from dlq_letters import Carta
from topics import corto
from writer_schemas import Esquemas

from functions.comun.mensajes import TIPOS
from functions.comun.publicador import EsquemaAvro, EsquemaRegistrado, NoPublicado


class Accion(Protocol):
    """`accion` is what the audit calls it."""

    verbo: str
    hecho: str
    accion: str

    def impedimento(self, carta: Carta) -> str:
        """Why it can't be done with this letter; empty if it can."""

    def destino(self, carta: Carta) -> str:
        """Where the message goes, for people."""

    def hacer(self, cartas: Sequence[Carta]) -> Mapping[str, str]:
        """Returns when it is certain: what went wrong, by the letter's id."""


class Reenvio:
    """Sends messages again to the topics they came from, byte for byte, in the schema version they were written in."""

    verbo, hecho, accion = "redrive", "redrove", "reenviado"

    def __init__(self, cliente: pulsar.Client, esquemas: Esquemas, entradas: Mapping[str, Collection[str]]) -> None:
        """`entradas`: the topics that each function reads."""
        self._cliente, self._esquemas, self._entradas = cliente, esquemas, entradas
        self._productores: dict[tuple[str, int], Any] = {}
        self._confirmados: set[tuple[str, str]] = set()

    def impedimento(self, carta: Carta) -> str:
        if carta.topic is None or carta.version is None:
            return "it does not say where it came from (dlq-topic, dlq-schema-version): published by hand? discard it"
        if carta.topic not in self._entradas[carta.funcion]:
            return f"it came from {carta.topic}, which {carta.funcion} does not read"
        if carta.version >= 0 and self._esquemas.registrado(carta.topic, carta.version) is None:
            return f"schema version {carta.version} of {carta.topic}, which it was written in, is not registered"
        return ""

    def destino(self, carta: Carta) -> str:
        esquema = f"schema version {carta.version}" if (carta.version or 0) >= 0 else "today's schema"
        return f" to {corto(carta.topic or '')}, {esquema}"

    def hacer(self, cartas: Sequence[Carta]) -> dict[str, str]:
        """A message that several functions quarantined goes out once, for all of them read it again."""
        nuevas = {_origen(carta): carta for carta in cartas if _origen(carta) not in self._confirmados}
        envios = {origen: self._enviar(carta) for origen, carta in nuevas.items()}
        limite, fallos = time.monotonic() + PLAZO + 5, {}  # the client itself gives up before that
        for origen, envio in envios.items():
            try:
                envio.result(max(0, limite - time.monotonic()))
                self._confirmados.add(origen)
            except (TimeoutError, pulsar.PulsarException, NoPublicado) as error:
                fallos[origen] = str(error) or "the broker does not answer"
        return {carta.id: fallos[_origen(carta)] for carta in cartas if _origen(carta) in fallos}

    def _enviar(self, carta: Carta) -> "Future[None]":
        envio: Future[None] = Future()

        def confirmar(resultado: Any, _id: Any) -> None:
            if resultado == pulsar.Result.Ok:
                envio.set_result(None)
            else:
                envio.set_exception(NoPublicado(f"the broker did not confirm: {resultado}"))

        propiedades = carta.originales | {"dlq-redriven": str(carta.reenvios + 1)}
        try:
            productor = self._productor(carta.topic or "", carta.version or 0)
            productor.send_async(carta.cuerpo, confirmar, properties=propiedades, partition_key=carta.clave or None)
        except pulsar.PulsarException as error:
            envio.set_exception(error)
        return envio

    def _productor(self, topic: str, version: int) -> Any:
        """Raises the client's error; the same one again for the next letter, without another try."""
        clave = (topic, version)
        if clave not in self._productores:
            esquema, plazo = self._esquema(topic, version), 1000 * PLAZO
            try:
                self._productores[clave] = self._cliente.create_producer(
                    topic, schema=esquema, send_timeout_millis=plazo, block_if_queue_full=True, chunking_enabled=True
                )
            except pulsar.PulsarException as error:
                self._productores[clave] = error
        if isinstance(self._productores[clave], Exception):
            raise self._productores[clave]
        return self._productores[clave]

    def _esquema(self, topic: str, version: int) -> pulsar.schema.Schema:
        if version >= 0:
            return EsquemaRegistrado(self._esquemas.registrado(topic, version))
        # without a version functions read it as what they know, which is today's schema
        return EsquemaAvro(None, {"topic": corto(topic)}) if corto(topic) in TIPOS else pulsar.schema.BytesSchema()


class Descarte:
    """Lets letters go."""

    verbo, hecho, accion = "discard", "discarded", "descartado"

    def impedimento(self, _carta: Carta) -> str:
        return ""

    def destino(self, _carta: Carta) -> str:
        return ""

    def hacer(self, _cartas: Sequence[Carta]) -> dict[str, str]:
        return {}


def _origen(carta: Carta) -> tuple[str, str]:
    """The message that a letter is about."""
    return carta.propiedades.get("dlq-topic", ""), carta.propiedades.get("dlq-message-id", carta.id)
