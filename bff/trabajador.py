"""A worker process: its application, its connections, and its end."""

import ctypes
import logging
import multiprocessing
import os
import signal
import threading
from pathlib import Path
from typing import Any, Final

from prometheus_client.multiprocess import mark_process_dead
from werkzeug.middleware.proxy_fix import ProxyFix

from bff import ajustes, cifras, registro, senales
from bff.app import crear_app
from bff.broker import Broker, conectar, desconectar
from bff.lecturas import Lecturas
from functions.comun import rastreo
from functions.comun.cluster import client_conf
from functions.comun.cluster.admin_rest import Api
from functions.comun.rastreo import Rastreador

PR_SET_PDEATHSIG: Final = 1
"""Of Linux' prctl(2)."""


def crear() -> Any:
    """The WSGI application, as the environment wants it."""
    registro.configurar()
    _terminar_con_el_supervisor()
    _olvidar_a_los_muertos()
    dichos, conf = ajustes.Ajustes.del_entorno(), client_conf.de_entorno()
    cliente, rastros = conectar(dichos.pulsar, conf), rastreo.conectar("bff")
    threading.Thread(target=_despedirse, args=(cliente, rastros), name="end").start()
    app = crear_app(
        Broker(cliente),
        Lecturas(saga=dichos.saga, ordenes=dichos.ordenes, productos=dichos.productos, hilos=dichos.hilos),
        max_cantidad=dichos.max_cantidad,
        max_esperas=dichos.hilos // 2,
        autenticacion=dichos.autenticacion,
        ritmo=dichos.ritmo,
        origenes=dichos.origenes,
        rastros=rastros,
        con_panel=dichos.panel,
        admin=Api(dichos.admin, conf, cifras.PLAZO) if dichos.admin else None,
    )
    if dichos.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=dichos.proxies)  # type: ignore[method-assign]
    logging.info("listening on http://%s:%d, broker %s", dichos.host, dichos.port, dichos.pulsar)
    return app


def _despedirse(cliente: Any, rastros: Rastreador | None) -> None:
    """When the server is done. A process that was forked runs no atexit; it waits for its threads."""
    threading.main_thread().join()
    desconectar(cliente)
    if rastros is not None:
        rastros.cerrar()
    logging.info("worker stopped")


def _terminar_con_el_supervisor() -> None:
    """An orphan must leave the port to others: Linux sends it the signal that the supervisor would have sent."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until the server has a handler of its own
    senales.entregar_la_primera(signal.SIGTERM)  # of a terminal's SIGINT, the supervisor tells
    supervisor = multiprocessing.parent_process()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if supervisor is not None and supervisor.pid != os.getppid():  # it died before that
        os.kill(os.getpid(), signal.SIGTERM)


def _olvidar_a_los_muertos() -> None:
    """What workers that are no more have in hand, for /metrics."""
    carpeta = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    for pid in {int(archivo.stem.rpartition("_")[2]) for archivo in carpeta.glob("*.db")}:
        if not Path("/proc", str(pid)).exists():
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
