"""What was deployed: who, when, which commit, and each function's package and configuration, to go back to.

A topic keeps it, one message for each function and deployment: it is as safe as the orders, and whoever may deploy to
the cluster can read it. The last versions of each function stay, see `model.kept`.
"""

import getpass
import json
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, Self

import pulsar

from tools.cluster.client import TIMEOUT
from tools.cluster.repository import ROOT
from tools.cluster.topics import HISTORY_SUBSCRIPTION, HISTORY_TOPIC
from tools.deploy.model import Version, kept
from tools.errors import ToolError

KEYS: Final = {
    "number": "numero",
    "function": "funcion",
    "action": "accion",
    "time": "hora",
    "who": "quien",
    "commit": "commit",
    "config": "config",
    "failure": "fallo",
}
"""The fields of a Version, and their keys in the JSON on record. The package is the message's data."""


def read(client: pulsar.Client) -> list[Version]:
    """All that is on record, oldest first."""
    reader = client.create_reader(HISTORY_TOPIC, pulsar.MessageId.earliest)
    versions = []
    try:
        while reader.has_message_available():
            message = reader.read_next(TIMEOUT * 1000)
            document = json.loads(message.properties()["version"])
            fields = {field: document[key] for field, key in KEYS.items()}
            versions.append(Version(**fields, package=message.data(), id=message.message_id()))
    finally:
        reader.close()
    return versions


class History:
    """The record, open for writing: while it is, nobody else deploys with this program.

    `versions`: what was on record when it was opened. It does not keep others from deploying by other means.
    """

    def __init__(self, client: pulsar.Client) -> None:
        """Raises ToolError if somebody else has it open."""
        self._client = client
        try:
            self._producer = client.create_producer(
                HISTORY_TOPIC,
                access_mode=pulsar.ProducerAccessMode.Exclusive,
                compression_type=pulsar.CompressionType.ZLib,
                batching_enabled=False,
            )
        except (pulsar.exceptions.ProducerFenced, pulsar.ProducerBusy) as error:
            raise ToolError("somebody else is deploying to this cluster: let them end, then run this again") from error
        self.versions = read(client)
        self._number = max((version.number for version in self.versions), default=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(pulsar.PulsarException):
            self._producer.close()

    def lacks(self, function: str, present: Mapping[str, Any]) -> bool:
        """True if what is deployed is not the last version on record of this function that did not fail."""
        own = [version for version in self.versions if version.function == function and not version.failure]
        return not own or not own[-1].equals(present)

    def record(
        self,
        action: str,
        commits: Mapping[str, str],
        failures: Mapping[str, str],
        deployed: Mapping[str, tuple[Mapping[str, Any], bytes]],
    ) -> int:
        """Puts one deployment on record, and returns its number.

        `action`: see `Version`. `deployed`: each function's configuration and package; `commits`: what these were made
        from; `failures`: why a function did not run.
        """
        self._number += 1
        time = datetime.now(UTC).isoformat(timespec="seconds")
        for name, (config, package) in deployed.items():
            failure = failures.get(name, "").partition("\n")[0]
            commit = commits.get(name, "")
            version = Version(self._number, name, action, time, _user_at_host(), commit, config, failure, package)
            document = {key: getattr(version, field) for field, key in KEYS.items()}
            self._producer.send(package, {"version": json.dumps(document)}, partition_key=name)
        return self._number

    def prune(self) -> None:
        """Lets go what is not kept. The broker may keep it for a while; if it forgets this, the next time does it."""
        with suppress(pulsar.PulsarException):  # what was deployed is deployed
            all_versions = read(self._client)
            remaining = {str(version.id) for version in kept(all_versions)}
            if old_ids := [version.id for version in all_versions if str(version.id) not in remaining]:
                consumer = self._client.subscribe(HISTORY_TOPIC, HISTORY_SUBSCRIPTION, receiver_queue_size=1)
                for version in old_ids:
                    consumer.acknowledge(version)
                consumer.close()


def commit() -> str:
    """The commit of these sources, with `-dirty` if they differ from it; "unknown" without git."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _user_at_host() -> str:
    """Who runs this and where; "?" for a user without a name, as in some containers."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return f"?@{socket.gethostname()}"
