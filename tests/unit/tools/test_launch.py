"""How a tool ends: what is printed for the errors that it raises. The rest: tests/unit/functions/program."""

import sys
from types import ModuleType
from typing import Any

import pytest
from tools.errors import FailureReported, ToolError
from tools.launch import outcome


def ended(monkeypatch: pytest.MonkeyPatch, error: Exception) -> Any:
    """What sys.exit is given after a tool whose `main` raises `error`."""

    def main() -> int:
        raise error

    tool = ModuleType("a_tool")
    monkeypatch.setattr(tool, "main", main, raising=False)
    monkeypatch.setitem(sys.modules, "a_tool", tool)
    with pytest.raises(SystemExit) as exit_info:
        outcome("a_tool")
    return exit_info.value.code


def test_an_error_is_said_and_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, ToolError("x is 3: say 4")) == "error: x is 3: say 4"  # a text is printed, and means 1


def test_what_was_reported_is_not_said_to_be_another_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, FailureReported("  it is back")) == "  it is back"


def test_other_errors_are_bugs_and_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        ended(monkeypatch, ZeroDivisionError())
