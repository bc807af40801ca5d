"""Two runs of provision.py at once: what the other one has made is made."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tools.cluster.shell import Response
from tools.errors import ToolError
from tools.provision import cli
from tools.provision.model import Change

PLAN: list[Change] = [(name, ["topics", "create", name]) for name in ("uno", "dos", "tres")]
Run = Callable[[Sequence[set[str]], Sequence[set[str]]], tuple[int, int]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Applies PLAN: what fails in each round, and what is missing after each round; exit code, number of rounds."""

    def _run(failing: Sequence[set[str]], missing: Sequence[set[str]]) -> tuple[int, int]:
        rounds = iter(zip(failing, missing, strict=True))
        now: list[set[str]] = []

        def execute(commands: Sequence[Sequence[str]], _: str) -> list[Response]:
            now[:] = next(rounds)
            done.append(len(commands))
            return [_response(command, command[-1] in now[0]) for command in commands]

        done: list[int] = []
        monkeypatch.setattr(cli, "execute", execute)
        code = cli._apply(PLAN, lambda: [change for change in PLAN if change[0] in now[1]])
        return code, len(done)

    return _run


def _response(command: Sequence[str], fails: bool) -> Response:
    text = "Reason: it exists already" if fails else ""
    return Response(" ".join(command), text, text or None)


def test_what_is_there_already_is_done(run: Run, capsys: Any) -> None:
    assert run([{"dos"}], [set()]) == (0, 1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == ["  uno", "  tres", "  dos: another run made it", "provisioned: 2 changes"]


def test_what_another_run_got_in_the_way_of_is_tried_again(run: Run) -> None:
    assert run([{"dos", "tres"}, set()], [{"tres"}, set()]) == (0, 2)


def test_what_fails_though_nobody_is_in_the_way_is_an_error(run: Run) -> None:
    with pytest.raises(ToolError, match="pulsar-admin topics create dos\nReason: it exists already"):
        run([{"dos"}, {"dos"}], [{"dos"}, {"dos"}])
