"""Rule: technical names are English; Spanish is for what a domain expert says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.house.sources import Violation, files, parse
from tests.house.words import GLOSSARY, domain_words, is_domain, is_spanish, split

JS_FOLDERS: Final = (Path("bff", "static"), Path("tests", "load", "k6"))
MIGRATIONS: Final = Path("deployment", "databases", "versions")
"""Named after databases; what was applied once keeps its name."""

_JS_TEXT: Final = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_JS_DECLARATION: Final = re.compile(r"\b(?:const|let|var|function|class)\s+(\{[^}]*\}|\[[^\]]*\]|\w+)")
_JS_PARAMETERS: Final = re.compile(r"\bfunction\b[^(]*\(([^)]*)\)|\(([^()]*)\)\s*=>|\b(\w+)\s*=>")
_JS_NAME: Final = re.compile(r"(?<![\w.])([A-Za-z_$][\w$]*)(?!\s*:)(?!\w)")
_JS_DEFAULT: Final = re.compile(r"=[^,}\]]*")


def violations(root: Path) -> Iterator[Violation]:
    """Each Spanish word in a name that the repository defines and that is not of the domain."""
    domain = domain_words(root)
    for path, line, name in definitions(root):
        for word in split(name):
            if is_spanish(word) and not is_domain(word, domain):
                remedy = f"use English, or add it to {GLOSSARY} if a domain expert says it"
                yield Violation(path, line, f"{name}: word {word} is Spanish: {remedy}")


def definitions(root: Path) -> Iterator[tuple[Path, int, str]]:
    """Every name that the repository's Python and JavaScript define: file, line from 1, name."""
    for path in files(root, ".py"):
        yield from ((path, line, name) for line, name in python_names(parse(root, path)))
        if not path.is_relative_to(MIGRATIONS):
            yield from ((path, 1, part.removesuffix(".py")) for part in path.parts)
    for folder in JS_FOLDERS:
        for path in files(root / folder, ".js"):
            text = (root / folder / path).read_text("utf-8")
            yield from ((folder / path, line, name) for line, name in javascript_names(text))


def python_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Functions, classes, parameters, variables and attributes of `self` that a module defines."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case (
                ast.alias(asname=str(name))
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                yield node.lineno, name


def javascript_names(text: str) -> Iterator[tuple[int, str]]:
    """Variables, functions, classes and parameters that a script declares, as far as one sees without a parser."""
    code = _JS_TEXT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for pattern in (_JS_DECLARATION, _JS_PARAMETERS):
        for found in pattern.finditer(code):
            declared = next((group for group in found.groups() if group is not None), "")
            for name in _JS_NAME.findall(_JS_DEFAULT.sub("", declared)):
                yield code.count("\n", 0, found.start()) + 1, name
