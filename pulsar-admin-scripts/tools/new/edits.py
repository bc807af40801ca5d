"""The modules that a new command adds a part to: the payload classes and the context's decisions."""

import ast
from pathlib import Path

from tools.new.model import PAYLOADS, Command
from tools.new.texts import summary


def edited_files(command: Command, root: Path) -> dict[Path, str]:
    """The texts of the modules that the command changes, by their paths relative to the checkout `root`."""
    payloads = (root / PAYLOADS).read_text("utf-8")
    decisions = (root / command.decisions).read_text("utf-8")
    return {PAYLOADS: with_payload(command, payloads), command.decisions: with_decision(command, decisions)}


def with_payload(command: Command, text: str) -> str:
    """payloads.py with the class of the command's payload, after those of the context's other commands."""
    new = f'''

@payload("{command.topic}", key="{command.context.key}")
class {command.payload_class}(Payload):
    """{summary(command)}"""

    {command.context.key}: Id
    transaction_id: Id
'''
    prefix = f"{command.context.name}/comando-"
    siblings = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and any(prefix in ast.unparse(decorator) for decorator in node.decorator_list)
    ]
    return _inserted(text, siblings[-1].end_lineno or 0, new)


def with_decision(command: Command, text: str) -> str:
    """A decisions.py with the command's decision after the other public ones, and with what it needs imported."""
    context = command.context
    aggregate, kind = context.aggregate, context.aggregate.capitalize()
    no_change = f"The {context.noun} stays as it is, and nothing follows."
    new = f'''

def {command.decision}(
    {aggregate}: {kind} | None, comando: {command.payload_class}
) -> tuple[{kind}, list[Payload]]:
    """{no_change} Raises InvalidMessage if there is no such {context.noun}."""
    if {aggregate} is None:
        raise InvalidMessage(f"{context.key} is {{comando.{context.key}}}: there is no such {context.noun}")
    return {aggregate}, []
'''
    body = ast.parse(text).body
    public = [node for node in body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    text = _inserted(text, public[-1].end_lineno or 0, new)
    from_imports = [node for node in body if isinstance(node, ast.ImportFrom)]
    imports = f"from functions.messages.payloads import {command.payload_class}\n"
    if not any(alias.name == "InvalidMessage" for node in from_imports for alias in node.names):
        imports += "from functions.messages.envelope import InvalidMessage\n"
    return _inserted(text, from_imports[-1].end_lineno or 0, imports)


def _inserted(text: str, line: int, new: str) -> str:
    """The text with another one after that many of its lines."""
    lines = text.splitlines(keepends=True)
    return "".join(lines[:line]) + new + "".join(lines[line:])
