"""Rule: what is public in the functions and in the BFF has a docstring."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.house.sources import Violation, files, parse

ROOMS: Final = ("functions", "bff")
OVERRIDES: Final = frozenset({"handle", "handle_new", "process"})
"""Methods whose docstring is the one of `Function`, `Handler`: in a subclass they need none of their own."""


def violations(root: Path) -> Iterator[Violation]:
    """Each public module-level function, class and method without a docstring."""
    for path in files(root, ".py"):
        if path.parts[0] in ROOMS:
            for line, name in undocumented(parse(root, path)):
                yield Violation(path, line, f"{name}: has no docstring: say what it does, with units and errors")


def undocumented(parent: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[int, str]]:
    """Line and name of all that is public in a module or a class and has no docstring; dunder methods are not."""
    for node in parent.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        overrides = isinstance(parent, ast.ClassDef) and parent.bases and node.name in OVERRIDES
        if not ast.get_docstring(node) and not overrides:
            yield node.lineno, prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node, f"{prefix}{node.name}.")
