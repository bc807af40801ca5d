"""Changes the cluster that is named below with real pulsar-admin commands, many in one start of pulsar-shell. What is
only read comes from the admin REST API, which those commands use too.

Environment:
  PULSAR_SHELL, PULSAR_ADMIN  the programs; else found on PATH, else those of the local platform
  PULSAR_ADMIN_URL            http://127.0.0.1:8080   the brokers' admin API
  PULSAR_FUNCTIONS_URL        PULSAR_ADMIN_URL        the functions workers, where they are apart from the brokers
  PULSAR_SERVICE_URL          pulsar://127.0.0.1:6650
  PULSAR_CLIENT_CONF          a client.conf with what else the cluster wants: authentication, TLS
"""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.cluster.repository import ROOT
from tools.errors import ToolError

TIMEOUT: Final = 300
"""Seconds that one run of pulsar-shell may take."""

_START: Final = re.compile(r"^\[(\d+)/\d+\] Executing .*$", re.MULTILINE)
_NOISE: Final = re.compile(r"^(WARNING: .*|\d{4}-\d\d-\d\dT.* - (WARN|INFO|ERROR) .*|Goodbye!)\n?", re.MULTILINE)
_FAILURE: Final = re.compile(
    r"^(Reason: .*|Failed to execute.*|Error connecting to:.*|[\w.$]+Exception\b.*|Unmatched argument.*"
    r"|Missing required .*|Unknown option.*|Invalid .*| --- An unexpected error.*)$",
    re.MULTILINE,
)
ENDED_BEFORE: Final = "Reason: pulsar-shell ended before this command"
_TRANSIENT: Final = re.compile(
    r"HTTP 5\d\d|\w*(Timeout|Retry|Connect|ServiceUnavailable)Exception|Error connecting|Failed to execute|timed? ?out"
    r"|please retry again|try again|not done initializing|not ready|did not answer|ended before",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Response:
    """What one pulsar-admin command printed. `failure`: the line that says why it failed, None if it did not fail."""

    command: str
    text: str
    failure: str | None

    @property
    def is_transient(self) -> bool:
        """True if the command failed, and may succeed later: the cluster is slow, starts, or changes its leader."""
        return self.failure is not None and _TRANSIENT.search(self.failure) is not None

    @property
    def error(self) -> str:
        """For people: the command and all that it printed."""
        return f"pulsar-admin {self.command}\n    {self.text.strip()}"

    def require(self) -> "Response":
        """The response itself; ToolError, with the command and all that it printed, if it failed."""
        if self.failure is not None:
            raise ToolError(self.error)
        return self


def admin_url() -> str:
    """The brokers' admin API."""
    return os.environ.get("PULSAR_ADMIN_URL", "http://127.0.0.1:8080")


def functions_url() -> str:
    """The functions workers' admin API."""
    return os.environ.get("PULSAR_FUNCTIONS_URL", admin_url())


def matches(actual: Any, expected: Any) -> bool:
    """True if `actual` has every value that `expected` has; dicts in `actual`, at any depth, may have more keys."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(matches(actual.get(k), value) for k, value in expected.items())
    return bool(actual == expected)


def execute(commands: Sequence[Sequence[str]], url: str) -> list[Response]:
    """Runs pulsar-admin commands, each without the leading "pulsar-admin", in order; the response to each.

    A command that fails does not stop those after it: see `Response.failure`. It may have been carried out all the
    same: its answer can be lost, and pulsar-admin itself repeats a request whose connection ends. So has one that
    failed as the cluster did not answer all commands within TIMEOUT. Raises ToolError if pulsar-shell does not work.
    """
    if not commands:
        return []
    names = [shlex.join(command) for command in commands]
    try:
        outputs = _run_from_file([f"admin {name}" for name in names], url)
    except subprocess.TimeoutExpired:
        late = f"{url} did not answer {len(commands)} commands in {TIMEOUT} s"
        return [Response(name, late, late) for name in names]
    return [_response(name, output) for name, output in zip(names, outputs, strict=True)]


def _response(command: str, output: str) -> Response:
    text = _NOISE.sub("", output)
    failure = _FAILURE.search(text)
    return Response(command, text, failure.group(0) if failure else None)


def _run_from_file(lines: Sequence[str], url: str) -> list[str]:
    """What each of the shell's lines printed; of those that a shell that died did not get to: that it died."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "commands")
        file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        program = [*_command(url, Path(folder)), "-np", "-f", str(file)]
        process = subprocess.run(
            program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT, check=False
        )
    parts = _START.split(process.stdout)
    texts = dict(zip(map(int, parts[1::2]), parts[2::2], strict=True))
    if not texts:
        raise ToolError(f"pulsar-shell ran none of {len(lines)} commands:\n{process.stdout}")
    return [texts.get(number, ENDED_BEFORE) for number in range(1, len(lines) + 1)]


def _client_conf(url: str) -> str:
    file = os.environ.get("PULSAR_CLIENT_CONF")
    base = Path(file).read_text("utf-8") if file else ""
    service = os.environ.get("PULSAR_SERVICE_URL", "pulsar://127.0.0.1:6650")
    return f"{base}\nwebServiceUrl={url}\nbrokerServiceUrl={service}\n"


def _command(url: str, folder: Path) -> list[str]:
    """pulsar-shell with its configuration file, which is written to `folder`."""
    conf = folder / "client.conf"
    conf.write_text(_client_conf(url), "utf-8")
    return [_shell(), "-c", str(conf)]


def _shell() -> str:
    if shell := os.environ.get("PULSAR_SHELL"):
        return shell
    if admin := os.environ.get("PULSAR_ADMIN"):
        return str(Path(admin).with_name("pulsar-shell"))
    local = Path(os.environ.get("PLATFORM_DATA", ROOT / ".data"), "bin", "pulsar-shell")
    if program := shutil.which("pulsar-shell") or (str(local) if local.exists() else None):
        return program
    raise ToolError("no pulsar-shell: set PULSAR_SHELL or PULSAR_ADMIN, or run `make up` for the local platform")
