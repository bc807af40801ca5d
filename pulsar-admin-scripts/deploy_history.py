"""What was deployed: who, when, which commit, and each function's package and configuration, to go back to.

A topic that keeps it, one message for each function and deployment: it is as safe as the orders, and whoever may deploy
to the cluster can read it. The last GUARDADAS of each function stay.
"""

import getpass
import json
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

import pulsar
from admin import RAIZ, cumple
from client import PLAZO
from topics import HISTORIA, RETIENE

GUARDADAS: Final = 10
"""Of each function."""


@dataclass(frozen=True, slots=True)
class Version:
    """One function in one deployment. `config` and `paquete`: all that `functions create` wants."""

    numero: int
    """Of the deployment: those that were deployed together have the same."""
    funcion: str
    accion: str
    """deploy, rollback to …, promote; found: what was there, and deployed by other means."""
    hora: str
    quien: str
    commit: str
    config: Mapping[str, Any]
    fallo: str
    """Why it did not work; empty if it did."""
    paquete: bytes
    id: Any = None

    @property
    def hash(self) -> str:
        return str(self.config["userConfig"].get("PACKAGE", "")).removeprefix("sha256:")[:12]

    def es(self, hay: Mapping[str, Any]) -> bool:
        """True if this is what `functions get` says."""
        return cumple(hay, self.config)


def leer(cliente: pulsar.Client) -> list[Version]:
    """All that is on record, oldest first."""
    lector, versiones = cliente.create_reader(HISTORIA, pulsar.MessageId.earliest), []
    try:
        while lector.has_message_available():
            mensaje = lector.read_next(PLAZO * 1000)
            dicho = json.loads(mensaje.properties()["version"])
            versiones.append(Version(**dicho, paquete=mensaje.data(), id=mensaje.message_id()))
    finally:
        lector.close()
    return versiones


def guardadas(versiones: Iterable[Version]) -> list[Version]:
    """Without those that are too old."""
    todas = list(versiones)
    de_cada: dict[str, int] = {}
    ultimas = []
    for version in reversed(todas):
        de_cada[version.funcion] = de_cada.get(version.funcion, 0) + 1
        if de_cada[version.funcion] <= GUARDADAS:
            ultimas.append(version)
    return ultimas[::-1]


class Historia:
    """The record, open for writing: while it is, nobody else deploys with this program."""

    def __init__(self, cliente: pulsar.Client) -> None:
        self._cliente = cliente
        try:
            self._productor = cliente.create_producer(
                HISTORIA,
                access_mode=pulsar.ProducerAccessMode.Exclusive,
                compression_type=pulsar.CompressionType.ZLib,
                batching_enabled=False,
            )
        except (pulsar.exceptions.ProducerFenced, pulsar.ProducerBusy):
            sys.exit("error: somebody else is deploying to this cluster: let them end, then run this again")
        self.versiones = leer(cliente)
        self._numero = max((version.numero for version in self.versiones), default=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(pulsar.PulsarException):
            self._productor.close()

    def falta(self, funcion: str, hay: Mapping[str, Any]) -> bool:
        """True if what is deployed is not the last that the record has."""
        suyas = buenas(self.versiones, funcion)
        return not suyas or not suyas[-1].es(hay)

    def anotar(
        self,
        accion: str,
        commits: Mapping[str, str],
        fallos: Mapping[str, str],
        que: Mapping[str, tuple[Mapping[str, Any], bytes]],
    ) -> int:
        """One deployment: each function's configuration and package, and why it failed if it did. Its number."""
        self._numero += 1
        hora = datetime.now(UTC).isoformat(timespec="seconds")
        for funcion, (config, paquete) in que.items():
            fallo = fallos.get(funcion, "").partition("\n")[0]
            commit = commits.get(funcion, "")
            version = Version(self._numero, funcion, accion, hora, _quien(), commit, config, fallo, paquete)
            dicho = asdict(version)
            del dicho["paquete"], dicho["id"]
            self._productor.send(paquete, {"version": json.dumps(dicho)}, partition_key=funcion)
        return self._numero

    def podar(self) -> None:
        """Lets what is too old go. The broker may keep it for a while; if it forgets this, the next time does it."""
        todas = leer(self._cliente)
        quedan = {str(version.id) for version in guardadas(todas)}
        if viejas := [version.id for version in todas if str(version.id) not in quedan]:
            consumidor = self._cliente.subscribe(HISTORIA, RETIENE, receiver_queue_size=1)
            for cual in viejas:
                consumidor.acknowledge(cual)
            consumidor.close()


def commit() -> str:
    """Of these sources, with `-dirty` if they differ from it; "unknown" without git."""
    orden = ["git", "-C", str(RAIZ), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(orden, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _quien() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return f"?@{socket.gethostname()}"


def buenas(versiones: Sequence[Version], funcion: str) -> list[Version]:
    """Those of a function that one can go back to, oldest first."""
    return [version for version in versiones if version.funcion == funcion and not version.fallo]
