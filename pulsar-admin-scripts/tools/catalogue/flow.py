"""The flow of messages: who sends what, and who receives it, by the functions' configurations and the schemas."""

from dataclasses import dataclass
from typing import Any, Final

from functions.messages.codec import payload
from functions.messages.topics import short_name
from tools.cluster import schema_files
from tools.cluster.repository import FUNCTIONS_FOLDER, delays, function_configs

BFF: Final = "bff"
"""What the BFF is called among the senders."""
DLQ: Final = "dlq.py"
"""What the tool for dead letters is called among the senders."""
OPERATORS: Final = {"ordenes/comando-suspender-plazos": "deadlines.py"}
"""The operators' tool that sends each command that neither a function nor the BFF sends."""
QUARANTINE: Final = "saga/evento-cuarentena"


@dataclass(frozen=True, slots=True)
class Function:
    """One function; topics are "<namespace>/<topic>".

    `purpose`: what it does, in a sentence. `receives`, `publishes`: topics. `delays`: topics whose messages it
    publishes to be delivered later, with the possible waits in seconds. `subscription`: how it receives.
    `dead_letters`: the topic of its dead letters.
    """

    name: str
    purpose: str
    receives: tuple[str, ...]
    publishes: tuple[str, ...]
    delays: dict[str, list[float]]
    subscription: str
    dead_letters: str


@dataclass(frozen=True, slots=True)
class Flow:
    """All topics with a schema, each with its definition as the .avsc has it; and all functions."""

    schemas: dict[str, Any]
    functions: tuple[Function, ...]

    def senders(self, topic: str) -> list[str]:
        """Who publishes on a topic: functions, the BFF, operators' tools. A command that nobody else publishes is the
        BFF's.
        """
        functions = [f.name for f in self.functions if topic in f.publishes]
        if topic == QUARANTINE:
            return [*(f.name for f in self.functions if self.is_of_saga(f)), DLQ]
        return functions or [OPERATORS.get(topic, BFF)]

    def service(self, who: str) -> str:
        """What a sender's messages say in `service_name`: a function's namespace, else its own name."""
        return next((f.dead_letters.partition("/")[0] for f in self.functions if f.name == who), who)

    def is_of_saga(self, function: Function) -> bool:
        """True if messages that the function may quarantine belong to a saga, whose log is then told."""
        return any("id_orden" in fields(self.schemas[t]) for t in function.receives if t != QUARANTINE)

    def is_compensation(self, topic: str) -> bool:
        """True for a command that undoes a step of a saga: these give a reason, and functions send them."""
        is_sent_by_functions = any(topic in f.publishes for f in self.functions)
        has_reason = {"motivo", "transaction_id"} <= fields(self.schemas[topic]).keys()
        return "/comando-" in topic and is_sent_by_functions and has_reason

    def is_delayed(self, topic: str) -> bool:
        """True if messages of the topic are published to be delivered later."""
        return any(topic in f.delays for f in self.functions)


def fields(schema: Any) -> dict[str, Any]:
    """The fields of a schema's payload, by their names."""
    return {field["name"]: field for field in payload(schema)}


def read() -> Flow:
    """The flow, from deployment/functions and schemas/."""
    functions = tuple(_function(name, config) for name, config in function_configs().items())
    return Flow({topic: schema_files.current(topic) for topic in schema_files.topics()}, functions)


def _function(name: str, config: dict[str, Any]) -> Function:
    return Function(
        name=name,
        purpose=(FUNCTIONS_FOLDER / f"{name}.yaml").read_text("utf-8").partition("\n")[0].removeprefix("# "),
        receives=tuple(short_name(topic) for topic in config["inputSpecs"]),
        publishes=tuple(config["userConfig"].get("PUBLICA", ())),
        delays=delays(config),
        subscription=config["subName"],
        dead_letters=f"{config['namespace']}/{name}-dlq",
    )
