"""What the broker's admin API says of topics, for the panel: counters, and what waits in each subscription."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import inf
from typing import Any, Final

from functions.comun.cluster.admin_rest import Api, NoContesta
from functions.comun.publicador import TENANT

PLAZO: Final = 1.0
"""The broker has this long, in s, for each answer."""
FRESCAS: Final = 1.0
"""However many look, the broker is asked again only after so many s."""
CADUCAS: Final = 10.0
"""Figures that are older, in s, are not shown."""
PACIENCIA: Final = 0.5
"""A request waits this long, in s, for figures that are being read."""
ESPERAN: Final = 2
"""Requests that wait so at once; others get the figures of before, so that threads are left for the API."""
A_LA_VEZ: Final = 4
"""Questions that the broker is asked at once."""

Datos = dict[str, Any]
_log = logging.getLogger(__name__)


class Cifras:
    """Of topics "<namespace>/<topic>", read in a thread of its own when somebody looks. `api` None: nobody knows it."""

    def __init__(self, api: Api | None, topics: Sequence[str], reloj: Callable[[], float] = time.monotonic) -> None:
        self._api, self._topics, self._reloj = api, topics, reloj
        self._ultimas: tuple[float, Datos] = (-inf, {})
        self._llegada = threading.Event()
        self._llegada.set()
        self._turno = threading.Lock()
        self._esperan = threading.Semaphore(ESPERAN)

    def ver(self) -> Datos:
        """The latest figures, within PACIENCIA. `estado`: "bien", or why there are none."""
        if self._api is None:
            return {"estado": "sin_direccion"}
        llegada = self._pedir(self._api)
        if not llegada.is_set() and self._esperan.acquire(blocking=False):
            try:
                llegada.wait(PACIENCIA)
            finally:
                self._esperan.release()
        cuando, datos = self._ultimas
        return datos if self._reloj() - cuando < CADUCAS else {"estado": "leyendo"}

    def _pedir(self, api: Api) -> threading.Event:
        """Starts a look, unless one is under way or was a moment ago. The event tells when it has ended."""
        with self._turno:
            if self._llegada.is_set() and self._reloj() - self._ultimas[0] >= FRESCAS:
                llegada = threading.Event()
                threading.Thread(target=self._mirar, args=(api, llegada), name="cifras", daemon=True).start()
                self._llegada = llegada
            return self._llegada

    def _mirar(self, api: Api, llegada: threading.Event) -> None:
        datos: Datos = {"estado": "sin_broker"}
        try:
            datos = {"estado": "bien", "hora": time.time_ns() // 1_000_000, "topics": self._leer(api)}
        except Exception as error:  # nobody else would hear of it
            if isinstance(error, NoContesta) and error.estado in (401, 403):
                datos = {"estado": "sin_permiso"}
            if datos != self._ultimas[1]:
                _log.warning("can't get the topics' figures: %s", error)
        finally:
            self._ultimas = (self._reloj(), datos)
            llegada.set()

    def _leer(self, api: Api) -> dict[str, Datos]:
        """By topic, of those that there are. The first question without an answer is the last one."""
        with ThreadPoolExecutor(A_LA_VEZ, "cifras") as hilos:
            leidos = zip(self._topics, hilos.map(partial(_preguntar, api), self._topics), strict=True)
            return {topic: _resumen(datos) for topic, datos in leidos if datos is not None}


def _preguntar(api: Api, topic: str) -> Datos | None:
    for cuales in ("stats", "partitioned-stats"):
        dicho: Datos | None = api.leer(f"/admin/v2/persistent/{TENANT}/{topic}/{cuales}")
        if dicho is not None:
            return dicho
    return None


def _resumen(datos: Datos) -> Datos:
    """What is in no subscription's `pendientes` but in its `demorados` is to be handed out later."""
    return {
        "entradas": datos["msgInCounter"],
        "suscripciones": {
            nombre: {
                "pendientes": max(0, cifras["msgBacklog"] - cifras.get("msgDelayed", 0)),
                "demorados": cifras.get("msgDelayed", 0),
                "salidas": cifras["msgOutCounter"],
            }
            for nombre, cifras in datos["subscriptions"].items()
        },
    }
