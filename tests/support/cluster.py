"""A whole secured cluster for tests, with the same methods as a platform of single nodes."""

import os
import ssl
import sys
import threading
import time
from email.message import Message
from functools import cached_property
from http.client import HTTPException
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import jwt
import pulsar
import sqlalchemy as sa

from deployment.local.cluster import certificates, configuration, nodes, replicas
from deployment.local.cluster.settings import Settings
from functions.cluster import client_conf
from functions.cluster.admin_rest import AdminUnavailable, Api
from tests.support.platform import Platform, inherited_env, send

SCOPES = (
    "ordenes:crear ordenes:leer ordenes:administrar productos:administrar productos:leer conductores:administrar"
    " conductores:leer entregas:confirmar metricas:leer"
)
"""What the tests' client may do: everything."""


class ClusterPlatform(Platform):
    """Runs the commands that people run on a cluster. Requests go to its BFFs in turn, with a token; one that does not
    answer is passed over. For `patience` s a request is repeated that no BFF answers, or that is answered 429 or 503:
    under the same Idempotency-Key, so that it has its effect once.
    """

    def __init__(self, data: Path, patience: float = 0) -> None:
        self.data = data
        self._patience = patience
        self.env = inherited_env() | {"PLATFORM_DATA": str(data), "PLATFORM_PROFILE": "cluster"}
        self._turns = cycle(range(len(nodes.of_kind("bff"))))

    @property
    def settings(self) -> Settings:
        """Known once it was started."""
        return Settings.from_env(self.env)

    @property
    def service_url(self) -> str:  # type: ignore[override]
        return configuration.service_url(self.settings)

    @property
    def admin_url(self) -> str:  # type: ignore[override]
        return configuration.admin_url(self.settings)

    @property
    def functions_url(self) -> str:  # type: ignore[override]
        return configuration.functions_url(self.settings)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """What verifies all of its servers, once they have certificates."""
        return ssl.create_default_context(cafile=str(certificates.authority(self.data)))

    def deploy(self) -> str:
        """What `make cluster` does after `up`; what it printed."""
        return self._run("make", "deploy", "PLATFORM_PROFILE=cluster")

    def read_admin(self, path: str) -> Any:
        conf = client_conf.parse(configuration.client_conf(self.data, "administrator").read_text())
        try:
            return Api(self.admin_url, conf).read(f"/admin/v2/{path}")
        except AdminUnavailable as error:
            raise OSError(str(error)) from error

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(nodes.HOSTS)

    def of_kind(self, kind: str) -> list[str]:
        """Of PostgreSQL, the primary."""
        return [replicas.Record.read(self.data).primary] if kind == "postgres" else nodes.of_kind(kind)

    def client(self, role: str = "administrator", **options: Any) -> pulsar.Client:
        """A Pulsar client with the token of a role. It says nothing: being refused is what most tests want."""
        conf = client_conf.parse(configuration.client_conf(self.data, role).read_text())
        logger = pulsar.FileLogger(pulsar.LoggerLevel.Error, os.devnull)
        return pulsar.Client(self.service_url, logger=logger, **client_conf.options(conf), **options)

    def engine(self, database: str, role: str = "postgres", password: str | None = None) -> sa.Engine:
        """A connection pool to one database on the present primary."""
        host = self.settings.address(replicas.Record.read(self.data).primary)
        (port,) = nodes.PORTS["postgres"]
        url = sa.URL.create("postgresql+pg8000", role, password or self.password(role), host, port, database)
        return sa.create_engine(url, poolclass=sa.NullPool, connect_args={"ssl_context": self.tls, "timeout": 10})

    def patient(self, patience: float) -> "ClusterPlatform":
        """The same cluster, for clients that repeat their requests."""
        return ClusterPlatform(self.data, patience)

    def redeploy(self) -> str:
        """Gives every function a configuration that differs, and means the same; what it printed."""
        script = "pulsar-admin-scripts/deploy.py"
        ports = ",".join([str(nodes.PORTS["postgres"][0])] * len(nodes.of_kind("postgres")))
        return self.run_with_env("env", f"DB_PORT={ports}", sys.executable, script, "--one-by-one")

    def request(
        self, method: str, path: str, body: object = None, media_type: str = "application/json", **headers: str
    ) -> tuple[int, Any, Message]:
        deadline = time.monotonic() + self._patience
        if self._patience and method in ("POST", "PATCH"):
            headers = {"Idempotency_Key": str(uuid4())} | headers
        while True:
            failure: OSError | None = None
            first, bffs = next(self._turns), nodes.of_kind("bff")
            for bff in bffs[first:] + bffs[:first]:
                try:
                    all_headers = self._authorization() | headers
                    answer = send(self._url(bff, path), method, body, media_type, all_headers, self.tls)
                except (OSError, HTTPException) as error:
                    failure = error if isinstance(error, OSError) else OSError(repr(error))
                    continue
                if answer[0] not in (429, 503) or time.monotonic() > deadline:
                    return answer
            if failure is not None and time.monotonic() > deadline:
                raise failure
            threading.Event().wait(0.1)

    def stream(self, path: str) -> Any:
        request = Request(self._url(nodes.of_kind("bff")[0], path), headers=self._authorization())
        return urlopen(request, timeout=60, context=self.tls)

    def _url(self, bff: str, path: str) -> str:
        return f"https://{self.settings.address(bff)}:{nodes.PORTS['bff'][0]}{path}"

    def _authorization(self) -> dict[str, str]:
        claims = {"sub": "ana", "scope": SCOPES, "exp": int(time.time()) + 600}
        return {"Authorization": f"Bearer {jwt.encode(claims, self.password('jwt'), 'HS256')}"}
