"""One look at functions: their instances, who consumes their topics, their dead letters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import pulsar

from functions.cluster.admin_rest import THREADS, AdminUnavailable, Api
from functions.messages.topics import TENANT, short_name
from functions.program.threads import map_in_threads
from functions.pulsar_io.properties import text
from tools.cluster.patience import Patience
from tools.cluster.rest import api, function_path, restarts
from tools.cluster.shell import admin_url, functions_url
from tools.cluster.topics import DEAD_LETTER_SUBSCRIPTION, dead_letter_topic
from tools.deploy.model import ABSENT, Config, Configs, View
from tools.errors import ToolError

TIMEOUT: Final = 5
"""Seconds that the broker may take to hand out a dead letter."""
Read = Callable[[Api, str], Any]
"""Reads a path; None for what does not exist, a text for what can't be read."""
Figures = Any
"""Of a topic: a list, for each partition; or a text, why they can't be read."""


def observe(configs: Configs) -> dict[str, View]:
    """One look at each function. What can't be read is the view's problem: it raises nothing for that."""
    with Patience(f"the status of {len(configs)} functions"):  # it says what is slow; the next look asks again
        return _observe(configs, lambda asked, path: asked.try_read(path))


def observe_before(configs: Configs) -> dict[str, View]:
    """How each function is before something is changed, which it is judged by later. ToolError if that can't be read
    for as long as patience.py says.
    """
    with Patience(f"the status of {len(configs)} functions") as patience:
        try:
            return _observe(configs, lambda asked, path: patience.ask(partial(asked.read, path)))
        except AdminUnavailable as error:
            raise ToolError(f"nothing was changed: {error}") from error


def _observe(configs: Configs, read: Read) -> dict[str, View]:
    inputs = {entry for config in configs.values() for entry in config["inputSpecs"]}
    topics = sorted(inputs | {_dead_letter_topic(config) for config in configs.values()})
    status_paths = [f"{function_path(config)}/status" for config in configs.values()]
    responses = map_in_threads(THREADS, partial(read, api(functions_url())), status_paths)
    figures = dict(zip(topics, map_in_threads(THREADS, partial(_figures, read), topics), strict=True))
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


def _figures(read: Read, topic: str) -> Figures:
    """The broker's figures of a topic, or of each of its partitions; a text that says why, if it can't be asked."""
    base = f"/admin/v2/persistent/{TENANT}/{short_name(topic)}"
    simple = read(api(admin_url()), f"{base}/stats")
    if simple is not None:
        return simple if isinstance(simple, str) else [simple]
    partitioned = read(api(admin_url()), f"{base}/partitioned-stats")
    if partitioned is None or isinstance(partitioned, str):
        return partitioned or []
    return list(partitioned["partitions"].values())


def _view(config: Config, status: Any, figures: Mapping[str, Figures]) -> View:
    """`status`: the worker's answer, None if it has no such function, or a text that says why there is none."""
    if status is None:
        return ABSENT
    unknown = [status, *(figures[topic] for topic in (*config["inputSpecs"], _dead_letter_topic(config)))]
    if reason := next((answer for answer in unknown if isinstance(answer, str)), ""):
        return View(reason)
    instances = [instance["status"] for instance in status["instances"]]
    errors = [instance["error"] for instance in instances if instance.get("error")]
    consumers, missing = _consumers(config, status["numInstances"], figures)
    return View(
        problem=next(_problems(status["numInstances"], instances, missing), ""),
        consumers=consumers,
        restarts=dict(restarts(status)),
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


def _consumers(config: Config, count: int, figures: Mapping[str, Figures]) -> tuple[dict[str, datetime], list[str]]:
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
