"""What the broker can say about repetition: how often it handed out messages, and which messages topics hold twice.

Pulsar 4.0.7 has no counter of redeliveries. A subscription's `msgRateRedeliver` is a rate, and only of what consumers
ask for again: after a consumer or a broker was killed it stays 0. `msgOutCounter` counts every message handed to a
consumer, those handed out again included, since the topic was loaded; a restart of the broker sets it to 0.
"""

import json
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from http.client import HTTPException
from typing import Any, Final
from urllib.request import urlopen

import pulsar

from deployment.local import services
from tests.plataforma import Plataforma

TENANT: Final = "monoliticas"
CUARENTENA: Final = "cuarentena"
MUESTREO: Final = 2.0
"""How often the broker's counters are read, in s."""


@dataclass(frozen=True, slots=True)
class Repeticiones:
    """Of the topics that functions read, since the beginning."""

    mensajes: int
    """Acknowledged, those stored twice included, by each subscription."""
    entregas: int
    """Handed out to functions; at least: what a broker handed out after its counters were last read is not in it."""
    publicados: int
    """Stored in all topics."""
    repetidos: dict[str, int]
    """By topic, messages stored once more: the same bytes, so the same id."""


def topics(platform: Plataforma) -> dict[str, Any]:
    """Each topic's figures, as the broker's admin API shows them."""
    encontrados = {}
    for namespace in _leer(platform, f"namespaces/{TENANT}"):
        for topic in _leer(platform, f"persistent/{namespace}"):
            nombre = topic.removeprefix("persistent://")
            if "/__" not in nombre and not nombre.startswith(f"{TENANT}/despliegues/"):
                encontrados[topic] = _leer(platform, f"persistent/{nombre}/stats")
    return encontrados


def estadisticas(platform: Plataforma) -> dict[str, Any]:
    """Each topic's `subscriptions`."""
    return {topic: datos["subscriptions"] for topic, datos in topics(platform).items()}


def _leer(platform: Plataforma, ruta: str) -> Any:
    with urlopen(f"{platform.admin_url}/admin/v2/{ruta}", timeout=10) as respuesta:
        return json.load(respuesta)


class Contador:
    """Keeps the latest `msgOutCounter` of each subscription in each life of the broker."""

    def __init__(self, platform: Plataforma) -> None:
        self._platform = platform
        self._desde = int(time.time() * 1000)
        self._entregas: Counter[tuple[int | None, str, str]] = Counter()
        self._candado = threading.Lock()
        self._fin = threading.Event()
        self._inicial = self.muestra()
        self._entregas_antes = self._entregas.total()
        self._hilo = threading.Thread(target=self._muestrear, name="contador")
        self._hilo.start()

    def muestra(self) -> int:
        """Reads the counters now, unless the broker is away. Returns how many messages wait for functions."""
        pendientes = 0
        with self._candado, suppress(OSError, HTTPException, ValueError):
            vida = services.pid(self._platform.data, "pulsar")
            for topic, suscripciones in estadisticas(self._platform).items():
                for nombre, cifras in suscripciones.items():
                    if nombre != CUARENTENA:
                        clave = (vida, topic, nombre)
                        self._entregas[clave] = max(self._entregas[clave], cifras["msgOutCounter"])
                        pendientes += cifras["msgBacklog"]
        return pendientes

    def parar(self) -> Repeticiones:
        """The figures; reads all topics for it."""
        self._fin.set()
        self._hilo.join()
        pendientes = self.muestra()
        suscripciones = {(topic, nombre) for _, topic, nombre in self._entregas}
        leidos = sorted({topic for topic, _ in suscripciones})
        try:
            huellas = _huellas(self._platform, leidos, self._desde)
        except pulsar.PulsarException:  # without a broker there are no figures
            huellas = {topic: Counter[bytes]() for topic in leidos}
        repetidos = {topic: cuenta.total() - len(cuenta) for topic, cuenta in huellas.items()}
        return Repeticiones(
            mensajes=sum(huellas[topic].total() for topic, _ in suscripciones) + self._inicial - pendientes,
            entregas=self._entregas.total() - self._entregas_antes,
            publicados=sum(cuenta.total() for cuenta in huellas.values()),
            repetidos={topic: cuantos for topic, cuantos in repetidos.items() if cuantos},
        )

    def _muestrear(self) -> None:
        while not self._fin.wait(MUESTREO):
            self.muestra()


def _huellas(platform: Plataforma, leidos: list[str], desde: int) -> dict[str, Counter[bytes]]:
    """Digests of the messages that were stored in each topic since `desde`, in ms since 1970."""
    silencioso = pulsar.ConsoleLogger(pulsar.LoggerLevel.Error)
    cliente = pulsar.Client(platform.service_url, logger=silencioso)
    huellas: dict[str, Counter[bytes]] = {}
    try:
        for topic in leidos:
            lector = cliente.create_reader(topic, pulsar.MessageId.earliest)
            lector.seek(desde)
            cuenta = huellas[topic] = Counter[bytes]()
            while lector.has_message_available():
                cuenta[blake2b(lector.read_next(30_000).data(), digest_size=16).digest()] += 1
            lector.close()
    finally:
        cliente.close()
    return huellas
