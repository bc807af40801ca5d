"""One look at functions: their instances, who consumes their topics, their dead letters."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

import pulsar

from functions.cluster.admin_rest import THREADS
from functions.messages.topics import TENANT, short_name
from functions.pulsar_io.properties import text
from tools.cluster.rest import api, function_path
from tools.cluster.shell import admin_url, functions_url
from tools.cluster.topics import DEAD_LETTER_SUBSCRIPTION, dead_letter_topic
from tools.deploy.model import Config, Configs, View

TIMEOUT: Final = 5
"""Seconds that the broker may take to hand out a dead letter."""


def observe(configs: Configs) -> dict[str, View]:
    """One look at each function. What can't be read is the view's problem: it raises nothing for that."""
    inputs = {entry for config in configs.values() for entry in config["inputSpecs"]}
    topics = sorted(inputs | {_dead_letter_topic(config) for config in configs.values()})
    status_paths = [f"{function_path(config)}/status" for config in configs.values()]
    with ThreadPoolExecutor(THREADS) as executor:
        responses = executor.map(api(functions_url()).try_read, status_paths)
        figures = dict(zip(topics, executor.map(_figures, topics), strict=True))
    return {
        name: _view(config, response, figures)
        for (name, config), response in zip(configs.items(), responses, strict=True)
    }


def latest_dead_letter(client: pulsar.Client, config: Config) -> dict[str, str]:
    """The properties of a function's newest dead letter; none if it can't be read within TIMEOUT."""
    reader = client.create_reader(_dead_letter_topic(config), pulsar.MessageId.latest, start_message_id_inclusive=True)
    try:
        return text(reader.read_next(1000 * TIMEOUT).properties, {})
    except pulsar.Timeout:
        return {}
    finally:
        reader.close()


def _dead_letter_topic(config: Config) -> str:
    """The full name of a function's dead-letter topic; a canary's is that of the function it is a canary of."""
    return dead_letter_topic(f"{config['namespace']}/{config['userConfig'].get('FUNCION', config['name'])}")


def _figures(topic: str) -> list[Any]:
    """The broker's figures of a topic, or of each of its partitions; none if the broker can't be asked."""
    base = f"/admin/v2/persistent/{TENANT}/{short_name(topic)}"
    simple = api(admin_url()).try_read(f"{base}/stats")
    if simple is not None:
        return [simple] if isinstance(simple, dict) else []
    partitioned = api(admin_url()).try_read(f"{base}/partitioned-stats")
    return list(partitioned["partitions"].values()) if isinstance(partitioned, dict) else []


def _view(config: Config, status: Any, figures: Mapping[str, list[Any]]) -> View:
    """`status`: the worker's answer, None if it has no such function, or a text that says why there is none."""
    if not isinstance(status, dict):
        return View(status or "it is not deployed")
    instances = [instance["status"] for instance in status["instances"]]
    errors = [instance["error"] for instance in instances if instance.get("error")]
    consumers, missing = _consumers(config, status["numInstances"], figures)
    return View(
        problem=next(_problems(status["numInstances"], instances, missing), ""),
        consumers=consumers,
        restarts=sum(instance.get("numRestarts", 0) for instance in instances),
        exceptions=tuple(_exceptions(instances)),
        error=errors[-1] if errors else "",
        dead_letters=sum(
            stats.get("subscriptions", {}).get(DEAD_LETTER_SUBSCRIPTION, {}).get("msgBacklog", 0)
            for stats in figures[_dead_letter_topic(config)]
        ),
    )


def _problems(count: int, instances: Sequence[Any], missing: Sequence[str]) -> Iterator[str]:
    for instance in instances:
        if not instance["running"]:
            reasons = str(instance.get("error") or "").strip().splitlines() or ["an instance is starting"]
            yield f"{reasons[-1]} ({instance.get('numRestarts', 0)} restarts)"
    if count > len(instances):
        yield f"{count - len(instances)} instances are not assigned to a functions worker"
    yield from missing


def _consumers(config: Config, count: int, figures: Mapping[str, list[Any]]) -> tuple[dict[str, datetime], list[str]]:
    """The function's consumers, since when they are connected, and which topics lack one of each of `count` instances.

    Instances say in the metadata of their consumers which function they run, and which instance of it they are.
    """
    name = f"{TENANT}/{config['namespace']}/{config['name']}"
    found: dict[str, datetime] = {}
    missing = []
    for entry in config["inputSpecs"]:
        for stats in figures[entry] or [{}]:
            own = [
                consumer
                for consumer in stats.get("subscriptions", {}).get(config["subName"], {}).get("consumers", ())
                if consumer.get("metadata", {}).get("id") == name
            ]
            if len({consumer["metadata"].get("instance_id") for consumer in own}) < count:
                missing.append(f"{short_name(entry)}: {len(own)} of {count} instances consume it")
            found |= {c["consumerName"]: datetime.fromisoformat(c["connectedSince"]) for c in own}
    return found, missing


def _exceptions(instances: Sequence[Any]) -> Iterator[str]:
    for instance in instances:
        for kind in ("latestSystemExceptions", "latestUserExceptions"):
            if latest := instance.get(kind):
                yield str(latest[-1]["exceptionString"])
