"""pulsar-shell in memory, on a cluster that lacks what commands of one word make."""

from collections.abc import Sequence
from typing import Self

import pytest
from tools.cluster import changes, patience
from tools.cluster.changes import Change
from tools.cluster.shell import Response


class FakeShell:
    """`missing`: what the cluster lacks. `answers`: what is printed for a command instead of nothing, once, as its
    failure; `lost`: those of them that are carried out all the same. `commands`: what was run, in order.
    """

    def __init__(self, *names: str) -> None:
        self.missing = {name: [name] for name in names}
        self.answers: dict[str, str] = {}
        self.lost: set[str] = set()
        self.commands: list[str] = []

    @classmethod
    def replacing(cls, monkeypatch: pytest.MonkeyPatch, *names: str) -> Self:
        """One that runs what changes are made with, by whoever is patient for some milliseconds only."""
        shell = cls(*names)
        monkeypatch.setattr(changes, "execute", shell.execute)
        monkeypatch.setattr(patience, "PAUSES", (0.01, 0.01))
        return shell

    def plan(self) -> list[Change]:
        return list(self.missing.items())

    def execute(self, commands: Sequence[Sequence[str]], _: str) -> list[Response]:
        return [self._execute(name) for (name,) in commands]

    def _execute(self, name: str) -> Response:
        self.commands.append(name)
        failure = self.answers.pop(name, None)
        if failure is None or name in self.lost:
            del self.missing[name]
        return Response(name, failure or "", failure)
