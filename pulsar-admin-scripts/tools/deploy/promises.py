"""What Pulsar would take in a function's configuration, and what would break the engine's promises: nothing is lost,
nothing has its effects twice, nothing comes before its time (docs/engine.md).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from functions.messages.topics import short_name
from tools.cluster.repository import delays
from tools.deploy.model import Config, Configs
from tools.errors import ToolError

SCHEMA_TYPE: Final = "functions.pulsar_io.schema.AvroSchema"
REQUIRED: Final[Mapping[str, tuple[Any, str]]] = {
    "processingGuarantees": (
        "MANUAL",
        "the engine acknowledges a message after its effects are stored; Pulsar would do it earlier, and lose it",
    ),
    "subscriptionPosition": ("Earliest", "a subscription that is made anew would skip what waits in the topic"),
    "cleanupSubscription": (False, "whoever deletes the function would delete what waits for it"),
}
"""Fields that must have one value, and what would happen otherwise. Pulsar's defaults are others."""
REFUSED: Final[Mapping[str, str]] = {
    "autoAck": "processingGuarantees: MANUAL says who acknowledges",
    "skipToLatest": "what waits in the topic would be skipped",
    "timeoutMs": "messages would be delivered again while a batch waits for its database",
    "maxMessageRetries": "an outage would be taken for a bad message; the engine quarantines what it can not process",
    "deadLetterTopic": "the engine has a dead-letter topic of its own, which dlq.py reads",
    "windowConfig": "a window acknowledges before the effects are stored",
    "output": "the engine publishes what handlers return, after their effects are stored",
    **dict.fromkeys(
        ("inputs", "topicsPattern", "customSerdeInputs", "customSchemaInputs"),
        "name topics in inputSpecs: provision.py makes their subscriptions before the function comes",
    ),
}
"""Fields that must not be set, and why."""
REFUSED_OF_INPUTS: Final[Mapping[str, str]] = {
    "serdeClassName": f"schemaType: {SCHEMA_TYPE} reads the messages",
    **dict.fromkeys(("isRegexPattern", "regexPattern"), "provision.py makes subscriptions of topics, not of patterns"),
}
"""Fields of one topic in `inputSpecs` that must not be set, and why."""


def broken(config: Config, delayed: frozenset[str]) -> Iterator[str]:
    """What in a configuration breaks a promise: the field, its value, the reason. `delayed`: the short names of the
    topics whose messages are delivered later.
    """
    for field, (value, reason) in REQUIRED.items():
        if config.get(field) != value:
            yield f"{field} is {config.get(field, 'not set')!r}, must be {value!r}: {reason}"
    yield from _set_fields(config, REFUSED, "")
    if config.get("parallelism", 1) < 1:
        yield f"parallelism is {config['parallelism']}: nobody would read what comes"
    if "FUNCION" in config.get("userConfig", {}):
        yield "userConfig.FUNCION is set: two functions would share receipts; `deploy.py canary` sets it"
    yield from _broken_deadlines(config.get("userConfig", {}))
    for topic, input_spec in config["inputSpecs"].items():
        name = short_name(topic)
        yield from _broken_input(name, input_spec)
        if config.get("retainOrdering") and name in delayed:
            yield (
                f"retainOrdering is true: its subscription would be Failover, to which Pulsar delivers the delayed"
                f" messages of {name} at once: all deadlines would pass within milliseconds, and open orders fail"
            )


def _broken_deadlines(user_config: Mapping[str, Any]) -> Iterator[str]:
    """A function would only notice at its first message, and then quarantine one after the other."""
    for topic, waits in user_config.get("DEMORAS", {}).items():
        if not isinstance(waits, list) or not waits or not all(map(_is_positive, waits)):
            yield f"userConfig.DEMORAS of {topic} is {waits!r}: must be a list of waits in seconds, each more than 0"
    if "DEMORAS" in user_config and not _is_positive(user_config.get("PLAZO")):
        yield (
            f"userConfig.PLAZO is {user_config.get('PLAZO', 'not set')!r}: must be the seconds, more than 0, after"
            f" which an order is given up"
        )
    espera = user_config.get("ESPERA_CONDUCTOR", 0)
    if espera != 0 and not _is_positive(espera):
        yield f"userConfig.ESPERA_CONDUCTOR is {espera!r}: must be the seconds that orders wait for a driver, or 0"


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _broken_input(name: str, input_spec: Mapping[str, Any]) -> Iterator[str]:
    location = f"inputSpecs of {name}: "
    schema = input_spec.get("schemaType"), input_spec.get("schemaProperties", {}).get("topic")
    if schema != (SCHEMA_TYPE, name):
        yield (
            f"{location}schemaType and schemaProperties.topic are {schema[0]!r} and {schema[1]!r}, must be"
            f" {SCHEMA_TYPE!r} and {name!r}: what another one can't read would come again for ever"
        )
    yield from _set_fields(input_spec, REFUSED_OF_INPUTS, location)
    if input_spec.get("receiverQueueSize", 1) < 1:
        yield f"{location}receiverQueueSize is {input_spec['receiverQueueSize']}: it must be at least 1 for batches"


def _set_fields(config: Mapping[str, Any], reasons: Mapping[str, str], location: str) -> Iterator[str]:
    for field, reason in reasons.items():
        if config.get(field) not in (None, False, {}, []) or (field == "autoAck" and field in config):
            yield f"{location}{field} is {config[field]!r}, must not be set: {reason}"


def delayed_topics(configs: Configs) -> frozenset[str]:
    """The short names of the topics whose messages some function delivers later."""
    return frozenset(topic for config in configs.values() for topic in delays(config))


def require_promises(configs: Configs, all_configs: Configs) -> None:
    """Raises ToolError if a configuration breaks the engine's promises. `all_configs`: who delivers what later."""
    delayed = delayed_topics(all_configs)
    found = [f"  {name}: {problem}" for name, config in configs.items() for problem in broken(config, delayed)]
    if found:
        raise ToolError(
            "\n".join(["deployment/functions, nothing was changed; the engine could not keep its promises:", *found])
        )
