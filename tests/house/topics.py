"""Rule: a topic's name alone finds its schema, its payload class, its function, its configuration and its test."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from tests.house.sources import Violation, parse

SCHEMAS: Final = Path("schemas")
PAYLOADS: Final = Path("functions", "messages", "payloads.py")
CONFIGURATIONS: Final = Path("deployment", "functions")
PREFIX: Final = "persistent://monoliticas/"


def violations(root: Path) -> Iterator[Violation]:
    """What is missing beside each schema: a command has the function of its name, an event one that reads it in its own
    context.
    """
    payload_classes = _classes(root, PAYLOADS)
    for schema in sorted(path.relative_to(root) for path in (root / SCHEMAS).glob("*/*.avsc")):
        context, name = schema.parent.name, schema.stem
        if camel_case(name) not in payload_classes:
            yield Violation(schema, 1, f"{context}/{name}: {PAYLOADS} has no class {camel_case(name)}")
        if name.startswith("comando-"):
            yield from _missing(root, schema, context, name.removeprefix("comando-"))
            continue
        readers = list(_readers(root, context, name))
        if not readers:
            yield Violation(schema, 1, f"{context}/{name}: no function of {CONFIGURATIONS} in {context} reads it")
        for reader in readers:
            yield from _missing(root, schema, context, reader)


def camel_case(name: str) -> str:
    """`comando-crear-orden` → `ComandoCrearOrden`."""
    return "".join(part.capitalize() for part in name.split("-"))


def _missing(root: Path, schema: Path, context: str, function: str) -> Iterator[Violation]:
    """The files and the class that a function should have and has not, as violations of the topic's schema."""
    module = function.replace("-", "_")
    code = Path("functions", context, f"{module}.py")
    test = Path("tests", "unit", "functions", context, f"test_{module}.py")
    for path in (CONFIGURATIONS / f"{function}.yaml", code, test):
        if not (root / path).is_file():
            yield Violation(schema, 1, f"{context}/{schema.stem}: there is no {path}")
    if (root / code).is_file() and camel_case(function) not in _classes(root, code):
        yield Violation(code, 1, f"there is no class {camel_case(function)} in it, as {schema} asks for")


def _readers(root: Path, context: str, name: str) -> Iterator[str]:
    """The functions of a context whose configuration says that they read the topic."""
    for path in sorted((root / CONFIGURATIONS).glob("*.yaml")):
        config: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
        if config["namespace"] == context and f"{PREFIX}{context}/{name}" in config["inputSpecs"]:
            yield path.stem


def _classes(root: Path, path: Path) -> set[str]:
    """The classes that a module defines; none if there is no such file."""
    body = parse(root, path).body if (root / path).is_file() else []
    return {node.name for node in body if isinstance(node, ast.ClassDef)}
