"""A worker process: it makes the application with its connections, and closes them at the end."""

import asyncio
import ctypes
import logging
import multiprocessing
import os
import resource
import signal
import threading
from pathlib import Path
from typing import Any, Final

from prometheus_client.multiprocess import mark_process_dead
from werkzeug.middleware.proxy_fix import ProxyFix

from bff import settings
from bff.app import create_app
from bff.backends.broker import Broker, connect, disconnect
from bff.backends.read_models import ReadModels
from bff.following.announcements import Announcements
from bff.following.followings import Followings
from bff.panel import figures
from bff.server import signals
from bff.server.door import Door
from bff.telemetry import logs
from functions.cluster import client_conf
from functions.cluster.admin_rest import Api
from functions.telemetry import spans
from functions.telemetry.spans import Tracer

PR_SET_PDEATHSIG: Final = 1
"""The option of Linux' prctl(2) that sets the signal a process gets when its parent dies."""


def load_app() -> Any:
    """The ASGI application, configured by the environment. Starts what ends with this process."""
    logs.configure()
    _allow_connections()
    _end_with_supervisor()
    _forget_dead_workers()
    config = settings.Settings.from_env()
    conf = client_conf.from_env()
    client = connect(config.pulsar, conf)
    tracer = spans.connect("bff")
    announcements = Announcements(client)
    threading.Thread(target=_shut_down, args=(client, announcements, tracer), name="end").start()
    read_models = ReadModels(
        saga=config.saga,
        ordenes=config.ordenes,
        productos=config.productos,
        conductores=config.conductores,
        threads=config.threads,
        tls=config.tls,
    )
    followings = Followings(read_models, lambda: announcements.is_connected)
    announcements.start(followings.is_wanted, followings.tell)
    signals.before_end(followings.close)
    app = create_app(
        Broker(client),
        read_models,
        followings=followings,
        max_cantidad=config.max_cantidad,
        max_waiting=config.waits,
        max_waiting_per_user=config.waits_per_user,
        authentication=config.authentication,
        rate_limit=config.rate_limit,
        origins=config.origins,
        tracer=tracer,
        with_panel=config.panel,
        admin=Api(config.admin, conf, figures.TIMEOUT) if config.admin else None,
    )
    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies)  # type: ignore[method-assign]
    scheme = "https" if config.certificate else "http"
    logging.info("listening on %s://%s:%d, broker %s", scheme, config.host, config.port, config.pulsar)
    return Door(app, config.threads, config.requests_per_address)


def _allow_connections() -> None:
    """Raises the limit of open files as far as this process may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _shut_down(client: Any, announcements: Announcements, tracer: Tracer | None) -> None:
    """Closes the connections when the main thread has ended.

    It runs in a thread that is no daemon, because a forked process runs no atexit handlers but waits for its threads.
    """
    threading.main_thread().join()
    announcements.close()
    disconnect(client)
    if tracer is not None:
        tracer.close()
    logging.info("worker stopped")


def _end_with_supervisor() -> None:
    """Lets Linux send SIGTERM when the supervisor dies: an orphan would keep the port from others."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until the server installs its own handler
    # not SIGINT: after a terminal's SIGINT the supervisor sends SIGTERM
    signals.deliver_first_to_loop(asyncio.get_event_loop())
    supervisor = multiprocessing.parent_process()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if supervisor is not None and supervisor.pid != os.getppid():  # it died before prctl
        os.kill(os.getpid(), signal.SIGTERM)


def _forget_dead_workers() -> None:
    """Removes the gauges of dead workers from /metrics, such as their requests in progress."""
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    for end in {file.stem.rpartition("_")[2] for file in folder.glob("*.db")}:
        if not Path("/proc", end.partition("-")[0]).exists():
            mark_process_dead(end)  # type: ignore[no-untyped-call]
