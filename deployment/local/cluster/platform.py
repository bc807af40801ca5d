"""A cluster as a platform: how each of its services is started, and when it is ready."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from deployment.local import credentials, java, postgres, services
from deployment.local.cluster import certificates, checks, configuration, environment, network, nodes, replicas, tokens
from deployment.local.cluster.settings import Settings, can_isolate
from deployment.local.errors import PlatformError
from deployment.local.profile import Profile
from deployment.local.services import Service
from deployment.local.settings import REPOSITORY

MEMORY: Final = {
    "zookeeper": "-Xms32m -Xmx64m",
    "bookie": "-Xms64m -Xmx128m -XX:MaxDirectMemorySize=128m",
    "broker": "-Xms128m -Xmx384m -XX:MaxDirectMemorySize=256m",
    "functions-worker": "-Xms64m -Xmx192m -XX:MaxDirectMemorySize=128m",
}


class Cluster(Profile[Settings]):
    """A platform of this profile."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(nodes.HOSTS)

    def service(self, name: str) -> Service:
        makers: dict[str, Callable[[str], Service]] = {
            "zookeeper": self._zookeeper,
            "bookie": self._bookie,
            "postgres": self._postgres,
            "broker": self._broker,
            "functions-worker": self._functions_worker,
            "bff": self._bff,
        }
        return replace(makers[nodes.kind(name)](name), namespace=self.namespace(name))

    def namespace(self, name: str) -> str | None:
        return self.settings.namespace(name)

    def listeners(self, name: str) -> list[tuple[str, int, str]]:
        remedy = "end what has it, or use another PLATFORM_DATA"
        return [(self.settings.address(name), port, remedy) for port in nodes.PORTS[nodes.kind(name)]]

    def instances(self, name: str) -> list[int]:
        return services.instances(self.data / name) if nodes.kind(name) == "functions-worker" else []

    def connect(self) -> None:
        if self.settings.isolated and not can_isolate():
            raise PlatformError(
                f"the network {self.settings.network} needs root that may make network namespaces, and the program `ip`"
                " (Debian: iproute2); without them choose PLATFORM_NETWORK=127.81.7 and a new PLATFORM_DATA"
            )
        network.make(self.settings)

    def prepare(self) -> None:
        credentials.generate(self.data, (replicas.REPLICATOR, "jwt"))
        certificates.make(self.settings)
        tokens.make(self.data)
        configuration.write_all(self.settings)

    def leaving(self, name: str) -> None:
        if nodes.kind(name) == "postgres":
            replicas.leave(self.settings, name)

    def dismantle(self) -> None:
        network.remove(self.settings)

    def environment(self, role: str | None) -> dict[str, str]:
        return environment.for_people(self.settings, role or configuration.DEFAULT_ROLE)

    def _zookeeper(self, name: str) -> Service:
        main = ["org.apache.zookeeper.server.quorum.QuorumPeerMain", str(configuration.file(self.data, name))]
        return self._java(name, main, ready=lambda: checks.shakes_hands(self.settings, name))

    def _bookie(self, name: str) -> Service:
        main = ["org.apache.bookkeeper.server.Main", "--conf", str(configuration.file(self.data, name))]
        return self._java(
            name,
            main,
            options=[*checks.METADATA_DRIVERS, *configuration.zookeeper_client(self.settings, name)],
            needs=("zookeeper",),
            prepare=lambda: checks.initialize(self.settings, name),
            ready=lambda: checks.listens(self.settings, name),
        )

    def _broker(self, name: str) -> Service:
        main = ["org.apache.pulsar.PulsarBrokerStarter", "--broker-conf", str(configuration.file(self.data, name))]
        return self._java(
            name,
            main,
            options=configuration.zookeeper_client(self.settings, name),
            needs=("zookeeper",),
            after=tuple(nodes.of_kind("bookie")),
            ready=lambda: checks.ask(self.settings, name, 1, "/admin/v2/brokers/health") == b"ok",
        )

    def _functions_worker(self, name: str) -> Service:
        first, began = nodes.of_kind("functions-worker")[0], self.data / "functions-workers.began"
        home = services.home_of_functions(self.data) | {"FUNCTION_TOKENS": str(tokens.folder(self.data))}

        def is_ready() -> bool:
            if not checks.ask(self.settings, name, 0, "/admin/v2/worker/cluster/leader"):
                return False
            began.touch()
            return True

        return self._java(
            name,
            ["LocalFunctionsWorker", str(configuration.file(self.data, name))],
            options=configuration.zookeeper_client(self.settings, name),
            env=environment.for_functions(self.settings) | home,
            # Two that begin together race for what both create, and one ends.
            after=(*nodes.of_kind("broker"), *(() if began.exists() or name == first else (first,))),
            prepare=lambda: services.end_instances(self.data / name),
            ready=is_ready,
        )

    def _postgres(self, name: str) -> Service:
        return Service(
            name=name,
            data=self.data,
            command=replicas.server(self.settings, name).command(),
            env=credentials.inherited(),
            cwd=self.data,
            needs=replicas.needs(self.settings, name),
            prepare=lambda: replicas.prepare(self.settings, name),
            ready=lambda: replicas.is_ready(self.settings, name),
            user=postgres.user(),
        )

    def _bff(self, name: str) -> Service:
        return Service(
            name=name,
            data=self.data,
            command=[sys.executable, "-m", "bff"],
            env=credentials.inherited() | environment.for_bff(self.settings, name),
            cwd=REPOSITORY,
            ready=lambda: checks.ask(self.settings, name, 0, "/health") is not None,
        )

    def _java(self, name: str, main: list[str], options: Collection[str] = (), **rest: object) -> Service:
        kind = nodes.kind(name)
        memory = " ".join((MEMORY[kind], *(java.LIGHT if kind != "broker" else ())))
        temporary, classes = services.temporary(self.data, name), "functions-worker" if kind != "broker" else "pulsar"
        command = java.server(classes, memory, self.data / "conf", temporary, main, options)
        return Service(
            name=name,
            data=self.data,
            command=command,
            cwd=self.data / name,
            **({"env": credentials.inherited()} | rest),  # type: ignore[arg-type]
        )
