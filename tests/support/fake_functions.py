"""A cluster with functions workers, in memory: its admin API over HTTP, and pulsar-admin's commands."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
import yaml
from tools.cluster import patience, rest, shell
from tools.deploy import apply, cli, package, send, watch, watched
from tools.deploy.args import parse

from tests.support.fake_admin import Response, fake_admin
from tests.support.fake_record import FakeRecord

NAME: Final = "crear-orden"
"""The function that the tests deploy."""
FUNCTIONS: Final = "/admin/v3/functions/monoliticas/"
TOPICS: Final = "/admin/v2/persistent/monoliticas/"
TIMED_OUT: Final = "Reason: java.util.concurrent.TimeoutException: Read timed out"
NO_LEADER: Final = "Reason: javax.ws.rs.ServiceUnavailableException: HTTP 503 Leader not yet ready. Please retry again"


@dataclass
class Deployed:
    """One function as the cluster has it. `consumer`: its instance's, another one after each update."""

    config: dict[str, Any]
    package: bytes
    consumer: str
    runs: bool = True
    restarts: int = 0


@dataclass
class FakeFunctions:
    """`functions`: what is deployed, by names. `commands`: what pulsar-admin was told, in order, as "update name".

    A command is carried out if `carries_out` says so; then pulsar-admin prints what `answer` returns, if it is a text.
    `look` is called at each request for a function's status: what it returns is the answer, if it is one. A package
    that is in `broken` does not run. `sources`: what is built from them, for each function.
    """

    functions: dict[str, Deployed] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    carries_out: Callable[[str], bool] = lambda _: True
    answer: Callable[[str], str | None] = lambda _: None
    look: Callable[[str], Response | None] = lambda _: None
    sources: bytes = b"new"
    broken: set[bytes] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=count)

    def get(self, path: str, default: Response) -> Response:
        """What the admin API answers."""
        if path.startswith(TOPICS):
            return 200, self._stats(path.removeprefix(TOPICS).removesuffix("/stats"))
        _, name, *detail = path.removeprefix(FUNCTIONS).split("/")
        if path.startswith(FUNCTIONS) and detail == ["status"] and (response := self.look(name)):
            return response
        if not path.startswith(FUNCTIONS) or name not in self.functions:
            return default
        function = self.functions[name]
        match detail:
            case []:
                return 200, function.config
            case ["download"]:
                return 200, function.package
        status = {"running": function.runs, "numRestarts": function.restarts, "error": ""}
        return 200, {"numInstances": 1, "numRunning": 1, "instances": [{"instanceId": 0, "status": status}]}

    def _stats(self, topic: str) -> dict[str, Any]:
        subscriptions: dict[str, Any] = {}
        for name, function in self.functions.items():
            if f"persistent://monoliticas/{topic}" in function.config["inputSpecs"] and function.runs:
                who = {"id": f"monoliticas/{function.config['namespace']}/{name}", "instance_id": "0"}
                since = datetime.now(UTC).isoformat()
                consumer = {"consumerName": function.consumer, "connectedSince": since, "metadata": who}
                subscriptions[function.config["subName"]] = {"consumers": [consumer]}
        return {"subscriptions": subscriptions}

    def put(self, config: dict[str, Any], package: bytes) -> None:
        """Deploys a function, by whatever means."""
        consumer = f"consumer-{next(self._numbers)}"
        self.functions[config["name"]] = Deployed(config, package, consumer, package not in self.broken)

    def execute(self, commands: Sequence[Sequence[str]], _: str) -> list[shell.Response]:
        """In the place of shell.execute: `functions create`, `update` and `delete`."""
        return [self._execute(list(command)) for command in commands]

    def _execute(self, command: list[str]) -> shell.Response:
        _, verb, *options = command
        given = dict(zip(options[::2], options[1::2], strict=True))
        if verb == "delete":
            name = given["--name"]
        else:
            config = yaml.safe_load(Path(given["--function-config-file"]).read_text())
            name = config["name"]
        said = f"{verb} {name}"
        self.commands.append(said)
        text = None
        if self.carries_out(said):
            if verb == "delete":
                del self.functions[name]
            elif verb == "create" and name in self.functions:
                text = f"Reason: Function {name} already exists"
            else:
                self.put(config, Path(given["--py"]).read_bytes())
        text = self.answer(said) or text
        return shell.Response(" ".join(command), text or "done", text)


@contextmanager
def fake_functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFunctions]:
    """A cluster that the tools reach, and their waits as short as can be."""
    with fake_admin(cluster := FakeFunctions()) as admin:
        monkeypatch.setenv("PULSAR_ADMIN_URL", admin.url)
        monkeypatch.delenv("PULSAR_FUNCTIONS_URL", raising=False)
        monkeypatch.delenv("PULSAR_CLIENT_CONF", raising=False)
        monkeypatch.delenv("FUNCTIONS_LOGS", raising=False)

        def build(name: str, _: Any, folder: Path) -> Path:
            target = folder / f"{name}.zip"
            target.write_bytes(cluster.sources)
            return target

        monkeypatch.setattr(package, "build", build)
        monkeypatch.setattr(apply, "require_schemas", lambda *_: None)
        monkeypatch.setattr(send, "execute", cluster.execute)
        monkeypatch.setattr(patience, "PAUSES", (0.01, 0.01))
        monkeypatch.setattr(watch, "PAUSE", 0.01)
        monkeypatch.setattr(watch, "TIMEOUT", 1)
        monkeypatch.setattr(watched, "MIN_STABLE", 0.02)
        yield cluster
    rest.api.cache_clear()


def deploy(record: FakeRecord, *arguments: str) -> None:
    """What deploy.py does with these arguments; without any it deploys NAME."""
    args = parse(arguments or (NAME,), "")
    with TemporaryDirectory() as folder:
        client: Any = record
        cli.COMMANDS[args.verb](client, args, Path(folder))


def deployed(cluster: FakeFunctions, record: FakeRecord, sources: bytes) -> None:
    """Deploys these sources of NAME, and forgets that anything was told."""
    cluster.sources = sources
    deploy(record)
    cluster.commands.clear()
