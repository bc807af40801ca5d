"""A new command: its names, derived from its topic, and what may stand in its way."""

import ast
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.errors import ToolError
from tools.new.contexts import CONTEXTS, Context

PAYLOADS: Final = Path("functions", "messages", "payloads.py")
MAX_LENGTH: Final = 50
"""Characters of the topic's name in its context, which becomes the name of a function and of a database session."""
RESERVED_ENDINGS: Final = ("-dlq", "-canary")
"""Of the names of dead-letter topics, and of functions that are tried beside another one."""

_NAME: Final = re.compile(r"comando(-[a-z]+)+")


@dataclass(frozen=True, slots=True)
class Command:
    """A command topic, <context>/comando-<function>, and all names that follow from it."""

    context: Context
    function: str

    @property
    def name(self) -> str:
        """The topic's name in its context: comando-crear-orden."""
        return f"comando-{self.function}"

    @property
    def topic(self) -> str:
        """As people name it: ordenes/comando-crear-orden."""
        return f"{self.context.name}/{self.name}"

    @property
    def decision(self) -> str:
        """The function in `decisions.py`, and the name of the modules: crear_orden."""
        return self.function.replace("-", "_")

    @property
    def function_class(self) -> str:
        """The class that Pulsar runs: CrearOrden."""
        return "".join(part.capitalize() for part in self.function.split("-"))

    @property
    def payload_class(self) -> str:
        """The class of the payload: ComandoCrearOrden."""
        return f"Comando{self.function_class}"

    @property
    def decisions(self) -> Path:
        """The module of the context's decisions, which gets one more."""
        return Path("functions", self.context.name, "decisions.py")

    @property
    def schema(self) -> Path:
        """The file of the schema."""
        return Path("schemas", self.context.name, f"{self.name}.avsc")

    @property
    def code(self) -> Path:
        """The function's module."""
        return Path("functions", self.context.name, f"{self.decision}.py")

    @property
    def configuration(self) -> Path:
        """The function's configuration."""
        return Path("deployment", "functions", f"{self.function}.yaml")

    @property
    def test(self) -> Path:
        """The test of the decision."""
        return Path("tests", "unit", "functions", self.context.name, f"test_{self.decision}.py")


def parse(topic: str) -> Command:
    """The command of a topic's name; ToolError, with the reason, if no command of a context can be called so."""
    context, _, name = topic.partition("/")
    if context not in CONTEXTS:
        raise ToolError(f"there is no context {context!r} that decides about anything; there are {', '.join(CONTEXTS)}")
    if not _NAME.fullmatch(name):
        example = f"{context}/comando-marcar-{CONTEXTS[context].aggregate}"
        raise ToolError(f"{topic!r} is no command topic: small ASCII letters and hyphens are wanted, as in {example}")
    if len(name) > MAX_LENGTH:
        raise ToolError(f"{name} has {len(name)} characters, at most {MAX_LENGTH} are allowed")
    if name.endswith(RESERVED_ENDINGS):
        raise ToolError(f"{name} ends as other names do that are not commands': {', '.join(RESERVED_ENDINGS)}")
    command = Command(CONTEXTS[context], name.removeprefix("comando-"))
    if keyword.iskeyword(command.decision):
        raise ToolError(f"{command.decision} is a word of Python's: no module can be called so")
    return command


def require_free(command: Command, root: Path) -> None:
    """Raises ToolError if anything in the checkout `root` already has one of the command's names."""
    if (root / command.schema).exists():
        raise ToolError(f"the topic {command.topic} exists: {command.schema}")
    if obstacles := list(_obstacles(command, root)):
        raise ToolError(f"{command.topic} can't be laid out:" + "".join(f"\n  {obstacle}" for obstacle in obstacles))


def _obstacles(command: Command, root: Path) -> Iterator[str]:
    releases = Path("schemas", "releases", command.context.name, command.name)
    for path in (command.code, command.configuration, command.test, releases):
        if (root / path).exists():
            yield f"{path} is in the way"
    for path, name in ((PAYLOADS, command.payload_class), (command.decisions, command.decision)):
        if name in _names(root / path):
            yield f"{path} has something else that is called {name}"


def _names(path: Path) -> set[str]:
    """What a module defines or imports at its top level."""
    names: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name for alias in aliases}
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names
