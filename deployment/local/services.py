"""The services of a platform: how each is started, when it is ready, how it is stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deployment.local import credentials, java, postgres, processes
from deployment.local.errors import PlatformError
from deployment.local.requests import http
from deployment.local.settings import REPOSITORY, Settings

PORTS = {
    "postgres": ("POSTGRES_PORT",),
    "pulsar": ("PULSAR_PORT", "PULSAR_HTTP_PORT", "BOOKIE_PORT"),
    "functions-worker": ("FUNCTIONS_PORT",),
    "bff": ("BFF_PORT",),
}
NAMES = tuple(PORTS)
STOP_TIMEOUT = 60.0
NAMESPACE_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    data: Path
    command: list[str]
    env: dict[str, str]
    cwd: Path
    ready: Callable[[], bool]
    needs: tuple[str, ...] = ()
    """Services that must run; they are waited for, if they are started too."""
    after: tuple[str, ...] = ()
    """Services that are waited for, if they are started too."""
    prepare: Callable[[], None] = lambda: None
    user: str | None = None
    namespace: str | None = None
    """The network namespace that it lives in; None for that of whoever starts it."""

    @property
    def log(self) -> Path:
        return self.data / "logs" / f"{self.name}.log"

    def launch(self) -> None:
        """Starts the process, with an empty folder for its temporary files."""
        self.prepare()
        folder = temporary(self.data, self.name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        env = self.env | {"TMPDIR": str(folder)}
        processes.spawn(
            self.command, pid_file(self.data, self.name), self.log, self.cwd, env, self.user, self.namespace
        )


def stop_signal(name: str) -> signal.Signals:
    """What a service is asked to end with. On SIGTERM PostgreSQL would wait until its last client has gone."""
    return signal.SIGINT if name.startswith("postgres") else signal.SIGTERM


def pid_file(data: Path, name: str) -> Path:
    return data / "run" / f"{name}.json"


def pid(data: Path, name: str) -> int | None:
    """The service's process, if it runs."""
    return processes.running(pid_file(data, name))


def temporary(data: Path, name: str) -> Path:
    return data / "tmp" / name


def make(name: str, settings: Settings) -> Service:
    makers = {"postgres": _postgres, "pulsar": _pulsar, "functions-worker": _functions_worker, "bff": _bff}
    return makers[name](settings)


def instances(home: Path) -> list[int]:
    """The function instances of the worker in the folder `home`: they run what it put into its download folder."""
    return processes.with_option("--py", f"{home}/download/")


def end_instances(home: Path) -> None:
    """Ends the instances of a worker that was killed: they would work beside those that the new one starts."""
    processes.stop(instances(home), signal.SIGTERM, 5)


def home_of_functions(data: Path) -> dict[str, str]:
    """The environment by which a functions worker finds its files, and starts functions with this Python."""
    python_first = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {"PULSAR_HOME": str(data), "PATH": python_first}


def _postgres(settings: Settings) -> Service:
    password = credentials.passwords(settings.data)["postgres"]
    server = postgres.Server(settings.data / "postgres", "127.0.0.1", settings.postgres_port, password)
    return Service(
        name="postgres",
        data=settings.data,
        command=server.command(),
        env=credentials.inherited(),
        cwd=settings.data,
        prepare=server.prepare,
        ready=server.answers,
        user=postgres.user(),
    )


def _pulsar(settings: Settings) -> Service:
    home, conf = settings.data / "pulsar", settings.data / "conf"
    main = ["org.apache.pulsar.PulsarStandaloneStarter", "--config", str(conf / "standalone.conf")]
    main += ["--no-functions-worker", "--no-stream-storage", "--bookkeeper-port", str(settings.bookie_port)]
    main += ["--metadata-dir", str(home / "metadata"), "--bookkeeper-dir", str(home / "bookkeeper")]
    return Service(
        name="pulsar",
        data=settings.data,
        command=java.server("pulsar", settings.pulsar_memory, conf, temporary(settings.data, "pulsar"), main),
        env=credentials.inherited(),
        cwd=home,
        ready=lambda: http(_broker(settings, "brokers/health"), timeout=10) == b"ok",
    )


def _functions_worker(settings: Settings) -> Service:
    conf = settings.data / "conf"
    leader = f"http://127.0.0.1:{settings.functions_port}/admin/v2/worker/cluster/leader"
    main = ["LocalFunctionsWorker", str(conf / "functions_worker.yml")]
    memory = " ".join((settings.functions_memory, *java.LIGHT))

    def prepare() -> None:
        end_instances(settings.data / "functions-worker")
        _create_namespace(settings)

    return Service(
        name="functions-worker",
        data=settings.data,
        command=java.server("functions-worker", memory, conf, temporary(settings.data, "functions-worker"), main),
        env=credentials.inherited() | credentials.for_functions(settings) | home_of_functions(settings.data),
        cwd=settings.data / "functions-worker",
        needs=("pulsar",),
        prepare=prepare,
        ready=lambda: bool(http(leader)),
    )


def _bff(settings: Settings) -> Service:
    return Service(
        name="bff",
        data=settings.data,
        command=[sys.executable, "-m", "bff"],
        env=credentials.inherited() | credentials.for_bff(settings),
        cwd=REPOSITORY,
        ready=lambda: http(f"http://127.0.0.1:{settings.bff_port}/health") is not None,
    )


def _broker(settings: Settings, path: str) -> str:
    return f"http://127.0.0.1:{settings.pulsar_http_port}/admin/v2/{path}"


def _create_namespace(settings: Settings) -> None:
    """The worker's own topics, kept for ever: what upstream's worker creates at its first start.

    A broker that has just become ready refuses it until it has made the tenant, and the worker ends without it.
    """
    forever = {"retentionTimeInMinutes": -1, "retentionSizeInMB": -1}
    policies = {"replication_clusters": ["standalone"], "retention_policies": forever}
    url = _broker(settings, "namespaces/public/functions")
    deadline = time.monotonic() + NAMESPACE_TIMEOUT
    while http(url, timeout=30) is None:
        if time.monotonic() > deadline:
            raise PlatformError(
                f"the broker did not create the namespace public/functions in {NAMESPACE_TIMEOUT:.0f} s"
            )
        http(url, timeout=30, body=json.dumps(policies).encode())
        time.sleep(0.05)
