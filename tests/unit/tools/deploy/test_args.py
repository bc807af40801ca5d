"""The command line of deploy.py: what is asked for without a verb, and with each."""

from typing import Any

import pytest
from tools.deploy.args import parse


def parsed(*arguments: str) -> dict[str, Any]:
    return dict(vars(parse(arguments, "help")))


DEFAULTS = {"plan": False, "one_by_one": False, "no_rollback": False}


def test_without_a_verb_it_deploys() -> None:
    assert parsed("crear-orden", "--plan") == DEFAULTS | {
        "verb": "deploy",
        "functions": ["crear-orden"],
        "plan": True,
        "watch": 0,
    }


def test_each_verb_has_its_own_arguments() -> None:
    assert parsed("history", "--json") == DEFAULTS | {"verb": "history", "functions": [], "json": True}
    assert parsed("rollback", "gone", "--to", "3", "--watch", "5") == DEFAULTS | {
        "verb": "rollback",
        "functions": ["gone"],
        "to": 3,
        "watch": 5.0,
    }


@pytest.mark.parametrize("choice", ["status", "promote", "discard"])
def test_a_canary_is_started_unless_something_else_is_chosen(choice: str) -> None:
    canary = DEFAULTS | {"verb": "canary", "functions": ["crear-orden"], "watch": 0}
    assert parsed("canary", "crear-orden") == canary | {"choice": None}
    assert parsed("canary", "crear-orden", f"--{choice}") == canary | {"choice": choice}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nadie"], "no such function: nadie; see deployment/functions"),
        (["canary", "nadie"], "no such function: nadie"),
        (["canary"], "the following arguments are required: FUNCTION"),
        (["canary", "crear-orden", "--status", "--discard"], "not allowed with argument --status"),
        (["rollback", "--to", "0"], "'0': it must be at least 1"),
        (["history", "--plan"], "unrecognized arguments: --plan"),
    ],
)
def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str], arguments: list[str], error: str) -> None:
    with pytest.raises(SystemExit) as exit_info:
        parse(arguments, "help")
    assert exit_info.value.code == 2
    assert error in capsys.readouterr().err
