"""The k6 scripts ask for what the OpenAPI document has, and for all of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.platform import ROOT

FOLDER: Final = ROOT / "tests" / "load" / "k6"
SCRIPTS: Final = sorted(path for path in FOLDER.glob("*.js"))
REQUEST: Final = re.compile(r'\b(?:send|twice)\(\s*"([A-Z]+)",\s*"(/[^"]*)"')
THRESHOLD: Final = re.compile(r'"([A-Z]+) (/[^"]*)": \d')


def operations() -> set[tuple[str, str]]:
    """Method and path of all that the document has."""
    document = json.loads((ROOT / "bff" / "api" / "openapi.json").read_text("utf-8"))
    methods = ("get", "post", "put", "patch", "delete")
    return {(m.upper(), path) for path, operations in document["paths"].items() for m in operations if m in methods}


def requested_operations(path: Path) -> Iterator[tuple[str, str]]:
    for found in REQUEST.finditer(path.read_text("utf-8")):
        yield found[1], found[2]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_asks_only_for_what_the_api_has(path: Path) -> None:
    text = path.read_text("utf-8")
    assert set(requested_operations(path)) <= operations()
    assert {(threshold[1], threshold[2]) for threshold in THRESHOLD.finditer(text)} <= operations()
    calls = len(re.findall(r"\b(?:send|twice)\(", text))
    indirect_calls = len(re.findall(r"\b(?:send|twice)\(method, template", text))
    assert len(list(requested_operations(path))) == calls - indirect_calls, "a path is not written out"


def test_every_operation_is_asked_for() -> None:
    assert operations() == {request for path in SCRIPTS for request in requested_operations(path)}


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path.name != "common.js"], ids=lambda path: path.name)
def test_a_script_has_thresholds(path: Path) -> None:
    assert re.search(r"^  thresholds: ", path.read_text("utf-8"), re.MULTILINE)


def test_the_readme_names_every_script() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    assert all(f"`{path.name}`" in text for path in SCRIPTS)
