"""The one place that runs every function: takes what is waiting, in one transaction, then publishes, then acks.

A crash at any line leads to a redelivery; the receipts make it change nothing and publish the same ids.
"""

import atexit
import gc
import logging
import os
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import pulsar

from functions.comun import base_datos, rastreo
from functions.comun.codec import Publicacion, derivar, publicacion
from functions.comun.ids import Id, derivado
from functions.comun.medidas import CUARENTENAS, DUPLICADOS, FALLAS, RECHAZOS, Medidas
from functions.comun.mensajes import Datos, EventoCuarentena, Mensaje, MensajeInvalido
from functions.comun.publicador import EsquemaRechazado, NoPublicado, Publicador, Recibido, carta, motivo

LOTE: Final = 500
"""Messages in one transaction, at most, unless the function says fewer."""
INTENTOS: Final = 3
"""Tries of one message alone before it is quarantined."""
GRANDES: Final = 8
"""Messages in memory that are too big to be ours, at most: each may have the broker's largest size."""
ESPERA: Final = (0.05, 5.0)
"""First and longest wait between tries while infrastructure is away, in s."""

_log = logging.getLogger(__name__)
R = TypeVar("R")
Leido = tuple[Recibido, Mensaje[Datos]]


class Detenido(Exception):
    """The process is ending."""


class Motor:
    """Buffer, worker thread and failure boundary of one function instance."""

    def __init__(self, funcion: "Funcion", contexto: Any) -> None:
        self._funcion = funcion
        self._contexto = contexto
        # a canary does another function's work: under its name, so that both have the same receipts
        self._nombre = str(contexto.get_user_config_map().get("FUNCION", contexto.get_function_name()))
        self._servicio = str(contexto.get_function_namespace())
        self._completo = f"{self._servicio}/{self._nombre}"
        config = contexto.get_user_config_map()
        secreto = f"DB_PASSWORD_{config['DB_NAME']}".upper()
        self._base = base_datos.conectar(config, contexto.get_secret(secreto) or "", self._nombre)
        self._publicador = Publicador(contexto.get_pulsar_client(), demoras=config.get("DEMORAS", {}))
        self._medidas = Medidas(contexto.record_metric)
        self._rastros = rastreo.conectar(self._completo)
        self._con_traza = funcion.recibos or self._rastros is not None  # else nothing is said in it
        self._cola: queue.SimpleQueue[Recibido | None] = queue.SimpleQueue()
        self._hay_lugar = threading.Event()
        self._grandes = threading.Semaphore(GRANDES)
        self._fin = threading.Event()
        self._hilo = threading.Thread(target=self._trabajar, name=f"motor-{self._nombre}", daemon=True)
        self._hilo.start()
        atexit.register(self.detener)
        gc.freeze()  # modules, schemas: they stay, and need not be looked through again and again

    def recibir(self, recibido: Recibido) -> None:
        """Buffers a message; blocks while the buffer is full, which holds the consumer back."""
        if recibido.grande:
            self._grandes.acquire()
        while self._cola.qsize() >= 2 * LOTE:
            self._hay_lugar.clear()
            if self._cola.qsize() >= 2 * LOTE:  # else it was emptied in between, and nobody would say so again
                self._hay_lugar.wait()
        self._cola.put(recibido)

    def detener(self) -> None:
        """Lets the batch in hand end, up to 5 s; what is unfinished will be redelivered."""
        self._fin.set()
        self._cola.put(None)
        self._hilo.join(5)
        if self._rastros:
            self._rastros.cerrar()
        self._base.dispose()

    def _trabajar(self) -> None:
        while not self._fin.is_set():
            try:
                self._atender(self._tomar())
            except Detenido:
                return
            except BaseException as error:
                if isinstance(error, pulsar.AlreadyClosed) and self._fin.wait(10):
                    return  # the instance is stopping: it closes the client before it ends
                _log.critical("engine error: the instance ends, so that its messages come again", exc_info=True)
                logging.shutdown()
                os._exit(70)

    def _tomar(self) -> list[Recibido]:
        """What is waiting, at once: waits only for the first, and a little for more if the function may be late."""
        lote = [self._cola.get()]
        if self._funcion.reposo and self._cola.qsize() < self._funcion.lote:
            self._fin.wait(self._funcion.reposo)
        while len(lote) < self._funcion.lote and not self._cola.empty():
            lote.append(self._cola.get_nowait())
        self._hay_lugar.set()
        if None in lote:
            raise Detenido
        return lote  # type: ignore[return-value]  # no None in it

    def _atender(self, lote: Sequence[Recibido]) -> None:
        """Takes one batch to its end: every message is processed or quarantined, and acknowledged."""
        self._medidas.anotar("batch_messages", len(lote))
        leidos, ilegibles = self._insistir(lambda: self._leer(lote))
        cartas = [self._carta(recibido, error, 1) for recibido, error in ilegibles]
        self._terminar([recibido for recibido, _ in ilegibles], cartas)
        if leidos:
            self._procesar(leidos)

    def _leer(self, lote: Sequence[Recibido]) -> tuple[list[Leido], list[tuple[Recibido, MensajeInvalido]]]:
        """What can be read, and what can't."""
        leidos: list[Leido] = []
        ilegibles: list[tuple[Recibido, MensajeInvalido]] = []
        for recibido in lote:
            try:
                leidos.append((recibido, recibido.mensaje(self._con_traza)))
            except MensajeInvalido as error:
                ilegibles.append((recibido, error))
        return leidos, ilegibles

    def _procesar(self, leidos: Sequence[Leido], intento: int = 1) -> None:
        """Transaction, publication, ack; what fails is halved until the culprit is alone."""
        inicio, fallo = time.time_ns(), None
        try:
            salidas = self._insistir(lambda: self._transaccion([mensaje for _, mensaje in leidos]), len(leidos) > 1)
        except Detenido:
            raise
        except Exception as error:
            if len(leidos) > 1:
                self._procesar(leidos[: len(leidos) // 2])
                self._procesar(leidos[len(leidos) // 2 :])
                return
            if intento < INTENTOS and not isinstance(error, MensajeInvalido):
                self._procesar(leidos, intento + 1)
                return
            salidas, fallo = self._cuarentena(*leidos[0], error, intento), motivo(error)
        self._terminar([recibido for recibido, _ in leidos], salidas)
        if self._rastros:
            for _, mensaje in leidos:
                self._rastros.proceso(mensaje.data.topic, mensaje, inicio, fallo)

    def _terminar(self, recibidos: Sequence[Recibido], salidas: Sequence[Publicacion]) -> None:
        if salidas:
            with self._medidas.tiempo("publish_seconds"):
                self._insistir(lambda: self._publicador.publicar(salidas))
        for recibido in recibidos:
            # the message in place of its id: the client takes both, and this one in half the time
            self._contexto.ack(recibido.crudo, recibido.crudo.topic_name())
            if recibido.grande:
                self._grandes.release()

    def _transaccion(self, lote: Sequence[Mensaje[Datos]]) -> list[Publicacion]:
        """What the batch leads to, once that is committed. Messages, and what they create, are taken for new, as most
        are, until something says otherwise; then what is there is looked up first.
        """
        try:
            return self._decidir(lote, buscar=False)
        except Exception as error:
            if _es_pasajero(error) or not self._funcion.recibos:
                raise
        while True:
            try:
                return self._decidir(lote, buscar=True)
            except Exception as error:
                if not base_datos.es_repetido(error):  # else another instance was at work on it until now
                    raise

    def _decidir(self, lote: Sequence[Mensaje[Datos]], buscar: bool) -> list[Publicacion]:
        """Load, decide, save, receipts: one transaction."""
        mensajes, inicio = dict[Id, Mensaje[Datos]](), time.time_ns()
        for mensaje in lote:
            mensajes.setdefault(mensaje.id, mensaje)  # of copies the first, in every function: steps come after it
        with self._medidas.tiempo("transaction_seconds"), self._base.begin() as tx:
            if not self._funcion.recibos:
                self._funcion.manejar(tx, list(mensajes.values()))
                return []
            repetidas = base_datos.repetidas(tx, self._nombre, mensajes) if buscar else {}
            causas = [mensaje for i, mensaje in mensajes.items() if i not in repetidas]
            manejar = self._funcion.manejar if buscar else self._funcion.manejar_nuevos
            decisiones = manejar(tx, causas) if causas else ()
            salidas = {
                causa.id: derivar(causa, self._servicio, datos) for causa, datos in zip(causas, decisiones, strict=True)
            }
            if salidas:
                base_datos.anotar(tx, self._nombre, salidas)
        self._medidas.anotar(DUPLICADOS, len(lote) - len(causas))
        self._medidas.decididas(causas, decisiones)
        if self._rastros:
            for causa in causas:
                self._rastros.salidas(causa, salidas[causa.id], inicio)
        return [publicacion for lista in (*repetidas.values(), *salidas.values()) for publicacion in lista]

    def _insistir(self, accion: Callable[[], R], divisible: bool = False) -> R:
        """Runs `accion` until the infrastructure lets it; logs each kind of failure once, and the end of them.

        What a smaller batch may be spared is raised at once if the batch is `divisible`.
        """
        espera, desde, vistos = ESPERA[0], time.monotonic(), set[str]()
        while True:
            try:
                resultado = accion()
            except Exception as error:
                if not _es_pasajero(error) or (divisible and base_datos.es_del_lote(error)):
                    raise
                self._medidas.anotar(RECHAZOS if isinstance(error, EsquemaRechazado) else FALLAS, 1)
                if (tipo := type(error).__name__) not in vistos:
                    vistos.add(tipo)
                    _log.warning("infrastructure away, retrying, nothing is lost: %s: %s", tipo, error)
                if self._fin.wait(espera * random.uniform(0.5, 1)):
                    raise Detenido from error
                espera = min(2 * espera, ESPERA[1])
            else:
                if vistos:
                    _log.warning("infrastructure is back after %.1f s", time.monotonic() - desde)
                return resultado

    def _cuarentena(
        self, recibido: Recibido, mensaje: Mensaje[Datos], error: Exception, intentos: int
    ) -> list[Publicacion]:
        """The dead letter and, if the message belongs to a saga, what the saga log says of it."""
        salidas, datos, crudo = [self._carta(recibido, error, intentos)], mensaje.data, recibido.crudo
        id_orden = getattr(datos, "id_orden", None)
        if id_orden is not None and not isinstance(datos, EventoCuarentena):
            evento = EventoCuarentena(
                funcion=self._completo,
                origen=crudo.topic_name(),
                id_mensaje=str(crudo.message_id()),
                accion="en-cuarentena",
                motivo=motivo(error),
                operador=None,
                id_orden=id_orden,
                transaction_id=datos.transaction_id,  # type: ignore[attr-defined]
            )
            id_evento = derivado(mensaje.id, f"{self._completo}/{evento.id_mensaje}")
            salidas.append(publicacion(id_evento, mensaje.ingestion, self._servicio, evento, recibido.traza))
        return salidas

    def _carta(self, recibido: Recibido, error: Exception, intentos: int) -> Publicacion:
        crudo = recibido.crudo
        traza = recibido.traza
        nombre = traza.id if traza else "none"
        self._medidas.anotar(CUARENTENAS, 1)
        _log.error("quarantined %s of %s, trace %s: %s", crudo.message_id(), crudo.topic_name(), nombre, error)
        return carta(crudo, self._completo, error, intentos)


class Funcion:
    """Base of every function: what Pulsar calls. A subclass says what a batch of messages does.

    Deployed with guarantee MANUAL: the engine acknowledges, after the effects are committed and published.
    """

    lote = LOTE
    """Messages in one transaction, at most."""
    reposo = 0.0
    """So long more messages are waited for, in s: nothing but for what may be late, and would else be in the way."""
    recibos = True
    """False for a function whose writes are idempotent by themselves and that publishes nothing."""
    _motor: Motor | None = None

    def manejar(self, tx: Any, mensajes: Sequence[Any]) -> Sequence[Sequence[Datos]]:
        """Load, decide, save in the transaction `tx`; returns what each message leads to, in order."""
        raise NotImplementedError

    def manejar_nuevos(self, tx: Any, mensajes: Sequence[Any]) -> Sequence[Sequence[Datos]]:
        """The same for messages that are probably new. A function that creates something need not look for it then: if
        it is there, saving fails, and manejar() follows.
        """
        return self.manejar(tx, mensajes)

    def process(self, input: Recibido, context: Any) -> None:
        """Pulsar's entry point, for one message at a time, on one thread."""
        if self._motor is None:
            self._motor = Motor(self, context)
        self._motor.recibir(input)


def _es_pasajero(error: Exception) -> bool:
    pulsar_caido = isinstance(error, NoPublicado | pulsar.PulsarException)
    return pulsar_caido or base_datos.es_pasajero(error)
