"""Copies of a function as it is deployed, each on a partitioned topic of its own, beside what is there."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.request import urlopen

import pulsar
import yaml

from functions.messages.outgoing import Outgoing
from functions.pulsar_io.schema import AvroSchema
from tests.chaos.deliveries import TENANT
from tests.load import broker
from tests.load.broker import PREFIX
from tests.support.platform import ROOT, Platform, wait_for

NAMESPACE: Final = "escala"
PARTITIONS: Final = 4


@dataclass(frozen=True, slots=True)
class Clone:
    name: str
    """Of the function, and of its topic."""
    original: str
    """<namespace>/<name> of the function that it is a copy of."""
    codec: str
    """The topic whose messages it reads, from another address."""
    parallelism: int
    options: Mapping[str, Any]
    """What else its configuration has."""

    @property
    def topic(self) -> str:
        return f"{PREFIX}{NAMESPACE}/{self.name}"


@contextmanager
def namespace(platform: Platform) -> Iterator[None]:
    """The copies' namespace, gone afterwards."""
    url = f"{platform.admin_url}/admin/v2/namespaces/{TENANT}/{NAMESPACE}"
    broker.request(url, "PUT")
    try:
        yield
    finally:
        broker.request(url, "DELETE")


@contextmanager
def deployed(platform: Platform, clone: Clone) -> Iterator[None]:
    """The copy and its topic, gone afterwards; every instance reads every partition."""
    topic_url = f"{platform.admin_url}/admin/v2/persistent/{TENANT}/{NAMESPACE}/{clone.name}"
    broker.request(f"{topic_url}/partitions", "PUT", PARTITIONS)
    try:
        _create_function(platform, clone)
        try:
            wait_for(f"{clone.parallelism} instances", lambda: _all_subscribed(topic_url, clone))
            yield
        finally:
            function = f"{TENANT}/{NAMESPACE}/{clone.name}"
            broker.request(f"{platform.functions_url}/admin/v3/functions/{function}", "DELETE")
            wait_for(f"the end of {clone.name}", lambda: not platform.instances(clone.name))
    finally:
        broker.request(f"{topic_url}/partitions?force=true", "DELETE")


@contextmanager
def publisher(platform: Platform, clone: Clone) -> Iterator[Callable[[Sequence[Outgoing]], None]]:
    """Publishes what the copy is to read, one by one: a batch would go to one instance as a whole, and the client
    (3.13.0) hangs when messages without batches are sent at once to a topic with partitions.
    """
    client = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        schema = AvroSchema(None, {"topic": clone.codec})
        producer = client.create_producer(clone.topic, schema=schema, batching_enabled=False)

        def publish(outgoing_messages: Sequence[Outgoing]) -> None:
            for p in outgoing_messages:
                producer.send(p.raw, partition_key=p.key, properties=dict(p.properties))

        yield publish
    finally:
        client.close()


def configuration(clone: Clone, original_config: Mapping[str, Any]) -> dict[str, Any]:
    """The copy's; `original_config`: the original's userConfig, with where the database is."""
    path = ROOT / f"deployment/functions/{clone.original.partition('/')[2]}.yaml"
    config: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    entry = config["inputSpecs"][PREFIX + clone.codec]
    return config | {
        "namespace": NAMESPACE,
        "name": clone.name,
        "subName": clone.name,
        "inputSpecs": {clone.topic: entry},
        "parallelism": clone.parallelism,
        "userConfig": dict(original_config),
        **clone.options,
    }


def _create_function(platform: Platform, clone: Clone) -> None:
    """Of the very package that runs."""
    url = f"{platform.functions_url}/admin/v3/functions/{TENANT}/{clone.original}"
    config = configuration(clone, broker.request(url)["userConfig"])
    with TemporaryDirectory() as folder:
        file, package = Path(folder, "config.json"), Path(folder, f"{clone.original.partition('/')[2]}.zip")
        file.write_text(json.dumps(config), "utf-8")  # JSON is YAML
        with urlopen(f"{url}/download", timeout=30) as response, package.open("wb") as output:
            shutil.copyfileobj(response, output)
        platform.admin("functions", "create", "--function-config-file", str(file), "--py", str(package))


def _all_subscribed(url: str, clone: Clone) -> bool:
    for partition in range(PARTITIONS):
        subscriptions = broker.request(f"{url}-partition-{partition}/stats")["subscriptions"]
        if len(subscriptions.get(clone.name, {}).get("consumers", ())) != clone.parallelism:
            return False
    return True
