"""What the files that a new command adds say.

The command finds its aggregate and leaves it as it is; everything else is for its author to write.
"""

import json
from pathlib import Path
from typing import Any, Final

from tools.new.model import Command

_SAGA: Final = "The saga that this message belongs to."
_UUID: Final = {"type": "string", "logicalType": "uuid"}


def new_files(command: Command, root: Path) -> dict[Path, str]:
    """The texts of the files that the command adds to the checkout `root`, by their paths relative to it."""
    return {
        command.schema: schema(command, root),
        command.code: _code(command),
        command.configuration: _configuration(command),
        command.test: _test(command),
    }


def summary(command: Command) -> str:
    """What the schema and the payload class say of the command, until its author says more."""
    return f"Command about one {command.context.noun}: {command.function}."


def schema(command: Command, root: Path) -> str:
    """The .avsc: the envelope of the context's other commands, and a payload of two ids."""
    sibling = min((root / command.schema).parent.glob("comando-*.avsc"))
    envelope: list[dict[str, Any]] = json.loads(sibling.read_text("utf-8"))["fields"]
    payload = [
        {
            "name": command.context.key,
            "type": _UUID,
            "doc": f"The {'order' if command.context.key == 'id_orden' else 'product'}.",
        },
        {"name": "transaction_id", "type": _UUID, "doc": _SAGA},
    ]
    lines = []
    for field in envelope:
        if field["name"] == "type":
            field["doc"] = f"Always {command.name}."
        if field["name"] != "data":
            lines.append(f"    {json.dumps(field, ensure_ascii=False)}")
    fields = ",\n".join(f"        {json.dumps(field)}" for field in payload)
    record = f'{{"type": "record", "name": "{command.function_class}", "fields": [\n{fields}\n    ]}}'
    lines.append(f'    {{"name": "data", "doc": "The payload.", "type": {record}}}')
    head = {
        "type": "record",
        "name": command.payload_class,
        "namespace": f"monoliticas.{command.context.name}",
        "doc": summary(command),
        "version": "1",
    }
    members = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
    return "{\n" + members + '  "fields": [\n' + ",\n".join(lines) + "\n  ]\n}\n"


def _code(command: Command) -> str:
    return f'''"""{command.topic} → database {command.context.name}."""

from collections.abc import Sequence
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import {command.payload_class}
{command.context.store_imports}from functions.{command.context.name} import decisions, tables


class {command.function_class}(Function):
    """Decides about each {command.context.noun} as `decisions.{command.decision}` says."""

    def handle(self, tx: Any, batch: Sequence[Message[{command.payload_class}]]) -> Outputs:
        return decide(tx, batch, decisions.{command.decision}, tables.{command.context.store})
'''


def _configuration(command: Command) -> str:
    database, function = command.context.name, command.function
    return f"""# Decides about each {command.context.noun} that {command.name} names.
tenant: monoliticas
namespace: {database}
name: {function}
className: functions.{database}.{command.decision}.{command.function_class}
inputSpecs:
  persistent://monoliticas/{command.topic}:
    schemaType: functions.pulsar_io.schema.AvroSchema
    schemaProperties: {{topic: {command.topic}}}
    receiverQueueSize: 200 # of messages that may be as big as the broker allows
subName: {function}
subscriptionPosition: Earliest
cleanupSubscription: false # deleting the function must not lose what waits for it
processingGuarantees: MANUAL # the engine acknowledges, after commit and publication
parallelism: 1
userConfig: {{DB_NAME: {database}}} # DB_HOSTNAME and DB_PORT are added when it is deployed
secrets:
  DB_PASSWORD_{database.upper()}: {{path: {database}, key: password}}
"""


def _test(command: Command) -> str:
    context = command.context
    now = ", now" if "now()" in context.sample else ""
    return f'''"""{command.topic}: the decision."""

import pytest

from functions.messages.envelope import InvalidMessage{now}
from functions.messages.ids import new
from functions.messages.payloads import {command.payload_class}
from functions.{context.name} import decisions
from tests.support.data import {context.imports}


def test_the_{context.noun}_stays_as_it_is_and_nothing_follows() -> None:
    {context.aggregate}, _ = {context.sample}
    comando = {command.payload_class}({context.aggregate}.{context.key}, new())
    assert decisions.{command.decision}({context.aggregate}, comando) == ({context.aggregate}, [])


def test_an_unknown_{context.noun}_is_an_impossible_message() -> None:
    comando = {command.payload_class}(new(), new())
    with pytest.raises(InvalidMessage, match=f"{context.key} is {{comando.{context.key}}}"):
        decisions.{command.decision}(None, comando)
'''
