"""How a tool ends: its exit code, and what is printed for the errors that it raises."""

import sys
from types import ModuleType
from typing import Any

import pytest
from tools.errors import FailureReported, ToolError
from tools.launch import run


def ended(monkeypatch: pytest.MonkeyPatch, outcome: Any) -> Any:
    """What sys.exit is given after a tool whose `main` returns or raises `outcome`."""

    def main() -> Any:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    tool = ModuleType("a_tool")
    monkeypatch.setattr(tool, "main", main, raising=False)
    monkeypatch.setitem(sys.modules, "a_tool", tool)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as exit_info:
        run("a_tool")
    return exit_info.value.code


@pytest.mark.parametrize("code", [0, 1, 2, 3, 130, 141])
def test_the_exit_code_is_what_main_returns(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    assert ended(monkeypatch, code) == code


def test_an_error_is_said_and_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, ToolError("x is 3: say 4")) == "error: x is 3: say 4"  # Python prints a text, and exits 1


def test_what_was_reported_is_not_said_to_be_another_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, FailureReported("  it is back")) == "  it is back"


def test_an_interrupted_tool_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, KeyboardInterrupt()) == 130


def test_other_errors_are_bugs_and_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        ended(monkeypatch, ZeroDivisionError())
