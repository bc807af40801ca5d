"""The cluster's schema registry, all versions at once: read through the admin REST API, uploaded by pulsar-admin.

A message names the one version that it was written in; tools/messages/writer_schemas.py asks for that.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from functions.messages.topics import TENANT, full_name, is_dead_letter_topic, short_name, without_partition
from tools.cluster import schema_files
from tools.cluster.patience import Patience
from tools.cluster.rest import broker_answers
from tools.cluster.schema_files import version
from tools.cluster.shell import Response, admin_url, execute
from tools.schemas.model import Difference, RegisteredVersion, required_versions


def read() -> dict[str, list[RegisteredVersion]]:
    """The versions of every topic, <namespace>/<topic>, that exists in our namespaces or should; no dead letters."""
    our_topics = schema_files.topics()
    namespaces = sorted({topic.partition("/")[0] for topic in our_topics})
    paths = [f"/admin/v2/persistent/{TENANT}/{name}" for name in namespaces]
    lists = broker_answers(*paths, *(f"{path}/partitioned" for path in paths))
    present = {short_name(without_partition(name)) for names in lists for name in names or ()}
    return registered(sorted({topic for topic in present if not is_dead_letter_topic(topic)} | set(our_topics)))


def registered(topics: Sequence[str]) -> dict[str, list[RegisteredVersion]]:
    """All versions of each topic's schema, oldest first; none if it has no schema or does not exist."""
    responses = broker_answers(*(f"/admin/v2/schemas/{TENANT}/{topic}/schemas" for topic in topics))
    return {
        topic: [_registered_version(info) for info in (response or {}).get("getSchemaResponses", ())]
        for topic, response in zip(topics, responses, strict=True)
    }


def _registered_version(info: Mapping[str, Any]) -> RegisteredVersion:
    definition = json.loads(info["data"]) if info["type"] == "AVRO" else {}
    return RegisteredVersion(version(definition), datetime.fromtimestamp(info["timestamp"] / 1000, UTC), definition)


def unregistered(used: Mapping[str, Sequence[Any]]) -> list[str]:
    """Those topics, <namespace>/<topic>, of whose schemas in `used` the registry lacks at least one."""
    present = {topic: [r.definition for r in versions] for topic, versions in registered(sorted(used)).items()}
    return [topic for topic in present if any(definition not in present[topic] for definition in used[topic])]


def upload(missing: Sequence[Difference]) -> Iterator[tuple[Difference, str | None]]:
    """Uploads missing versions, oldest first; each with the reason why the broker refused it, None if it did not.

    What gets no answer is uploaded again: a version that is there already stays as it is. Raises ToolError if an upload
    fails for any other reason.
    """
    responses: dict[int, Response] = {}
    with TemporaryDirectory() as folder, Patience(admin_url(), "pulsar-admin is running") as patience:
        commands = [upload_command(difference, Path(folder)) for difference in missing]

        def attempt() -> Sequence[Response]:
            numbers = [n for n in range(len(commands)) if n not in responses or responses[n].is_transient]
            done = execute([commands[number] for number in numbers], admin_url())
            responses.update(zip(numbers, done, strict=True))
            return [response for response in done if response.failure is not None and rejection(response) is None]

        patience.insist(attempt)
    for number, difference in enumerate(missing):
        reason = rejection(responses[number])
        if reason is None:
            responses[number].require()
        yield difference, reason


def upload_command(missing: Difference, folder: Path) -> list[str]:
    """The pulsar-admin command that uploads a missing version; writes the file that it takes into `folder`."""
    definition = required_versions(missing.topic)[missing.number or 0]
    file = folder / f"{missing.topic}-{version(definition)}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"type": "AVRO", "schema": json.dumps(definition), "properties": {}}), "utf-8")
    return ["schemas", "upload", "-f", str(file), full_name(missing.topic)]


def rejection(response: Response) -> str | None:
    """What to say if the broker refused an upload as incompatible; None if it did not, or this was no upload.

    The broker's own text is both schemas in full.
    """
    if response.failure is None or not response.command.startswith("schemas upload"):
        return None
    if "compatib" not in response.text:
        return None
    *_, file, topic = shlex.split(response.command)
    number = Path(file).stem.rpartition("-")[2]
    return (
        f"error: the broker refuses version {number} of {short_name(topic)}: it is incompatible with a version that is "
        "registered (FULL_TRANSITIVE)\n  `schemas.py check` says what is wrong with it and how to do it right; "
        "nothing of it was registered"
    )
