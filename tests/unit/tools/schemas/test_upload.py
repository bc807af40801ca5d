"""Uploading schemas: what gets no answer is uploaded again, in order; what is refused is not."""

from collections.abc import Callable, Sequence

import pytest
from tools.cluster import patience
from tools.cluster.shell import Response
from tools.errors import ToolError
from tools.schemas import registry
from tools.schemas.model import Difference

MISSING = [Difference("ordenes/comando-crear-orden", number, "missing") for number in (1, 2)]
TIMED_OUT = "Reason: java.util.concurrent.TimeoutException: Read timed out"
INCOMPATIBLE = "Reason: HTTP 409 Schema is incompatible"
FORBIDDEN = "Reason: HTTP 403 Forbidden"


class Cluster:
    """Says what `answer` returns for the number of a command, in the order in which they come; None: it is done."""

    def __init__(self, answer: Callable[[int], str | None]) -> None:
        self.versions: list[str] = []
        self._answer = answer

    def execute(self, commands: Sequence[Sequence[str]], _: str) -> list[Response]:
        responses = []
        for command in commands:
            failure = self._answer(len(self.versions))
            self.versions.append(command[3].rpartition("-")[2].removesuffix(".json"))
            responses.append(Response(" ".join(command), failure or "done", failure))
        return responses


@pytest.fixture
def uploaded(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], str | None]], tuple[list[str], list[bool]]]:
    """The versions that were uploaded, in order, and whether each of MISSING was accepted in the end."""
    monkeypatch.setattr(patience, "PAUSES", (0.001, 0.001))
    monkeypatch.setattr(patience, "SECONDS", 1.0)

    def upload(answer: Callable[[int], str | None]) -> tuple[list[str], list[bool]]:
        cluster = Cluster(answer)
        monkeypatch.setattr(registry, "execute", cluster.execute)
        return cluster.versions, [reason is None for _, reason in registry.upload(MISSING)]

    return upload


def test_what_gets_no_answer_is_uploaded_again_and_nothing_else(
    uploaded: Callable[[Callable[[int], str | None]], tuple[list[str], list[bool]]],
) -> None:
    assert uploaded(lambda n: TIMED_OUT if n in (0, 2) else None) == (["1", "2", "1", "1"], [True, True])
    assert uploaded(lambda n: TIMED_OUT if n < 2 else None) == (["1", "2", "1", "2"], [True, True])


def test_what_is_refused_is_told_and_not_uploaded_again(
    uploaded: Callable[[Callable[[int], str | None]], tuple[list[str], list[bool]]],
) -> None:
    assert uploaded(lambda n: INCOMPATIBLE if n == 1 else None) == (["1", "2"], [True, False])


@pytest.mark.parametrize(("failure", "at_least"), [(TIMED_OUT, 3), (FORBIDDEN, 2)])
def test_patience_ends_and_other_failures_are_errors(
    uploaded: Callable[[Callable[[int], str | None]], tuple[list[str], list[bool]]], failure: str, at_least: int
) -> None:
    asked: list[int] = []

    def answer(number: int) -> str:
        asked.append(number)
        return failure

    with pytest.raises(ToolError, match=failure.removeprefix("Reason: ")):
        uploaded(answer)
    assert len(asked) >= at_least
