"""Every pulsar-admin command that the documentation or a tool names exists, with its options, in the real program."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Final

import pytest
from tools.cluster.shell import execute
from tools.grants.model import Right, required
from tools.grants.plan import changes
from tools.provision.model import POLICIES, size_policies

from deployment.local import java, render
from deployment.local.settings import Settings
from tests.support.platform import ROOT

GROUPS: Final = frozenset(
    ("brokers", "functions", "functions-worker", "namespaces", "packages", "schemas", "tenants", "topics")
)
CODE: Final = re.compile(r"^```.*?\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
ADMIN: Final = re.compile(r"^.*(?:pulsar-admin|\$PULSAR_ADMIN\"?)(?: --admin-url \S+)? ")
"""What stands before a command's group."""
RIGHTS: Final = frozenset(
    {
        Right(("namespace", "monoliticas/saga"), "ana", "consume"),
        Right(("subscription", "monoliticas/saga/s"), "ana", "consume"),
        Right(("topic", "persistent://monoliticas/saga/t"), "ana", "consume"),
    }
)
"""One of each kind that can be taken away."""
DOCUMENTS: Final = (
    *(ROOT / name for name in ("README.md", "pulsar-admin-scripts/DEPLOYING.md")),
    *(ROOT / "deployment").rglob("*.md"),
    *(ROOT / "docs").glob("*.md"),
)


def commands(text: str) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Group, command and options of each pulsar-admin command in the code of a document."""
    code = [block or span for block, span in CODE.findall(text)]
    for line in (part for text in code for part in re.split(r"[\n;|]|&&", text)):
        words = ADMIN.sub("", line.partition(" #")[0].strip()).split()
        if len(words) > 1 and words[0] in GROUPS and re.fullmatch(r"[a-z]+(-[a-z]+)*", words[1]):
            yield words[0], words[1], frozenset(word for word in words[2:] if re.match(r"--?[a-z]", word))


def named() -> dict[tuple[str, str], dict[str, str]]:
    """All commands, with their options and where each option is named."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for path in DOCUMENTS:
        for group, command, options in commands(path.read_text("utf-8")):
            found.setdefault((group, command), {}).update(dict.fromkeys(options, str(path.relative_to(ROOT))))
    for _, text in (POLICIES | size_policies(1)).values():
        command, *words = shlex.split(text)
        given = {word: "provision.py" for word in words if word.startswith("-")}
        found.setdefault(("namespaces", command), {}).update(given)
    given_and_taken = [*changes(frozenset(), required(), False), *changes(RIGHTS, frozenset(), True)]
    for group, command, *words in (command for _, command in given_and_taken):
        given = {word: "grants.py" for word in words if word.startswith("-")}
        found.setdefault((group, command), {}).update(given)
    return found


@pytest.fixture(scope="module")
def usages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], str]:
    """What the real program says of each command, without any cluster."""
    data = tmp_path_factory.mktemp("admin")
    java.compile_worker()
    render.write_all(Settings.from_env({"PLATFORM_DATA": str(data)}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULSAR_SHELL", str(data / "bin" / "pulsar-shell"))
        responses = execute([[*command, "--help"] for command in named()], "http://127.0.0.1:1")
    return {command: response.text for command, response in zip(named(), responses, strict=True)}


@pytest.mark.parametrize("command", named(), ids=" ".join)
def test_the_command_exists_with_its_options(usages: Mapping[tuple[str, str], str], command: tuple[str, str]) -> None:
    usage = usages[command]
    assert f"{' '.join(command)} " in usage
    unknown = {
        option: place for option, place in named()[command].items() if option not in re.findall(r"--?[\w-]+", usage)
    }
    assert unknown == {}


def test_commands_are_found_however_they_are_written() -> None:
    text = "`topics skip -n 1 -s … …`; `$PULSAR_ADMIN functions status --tenant x` and `topics` `make logs`\n"
    assert list(commands(text)) == [
        ("topics", "skip", frozenset({"-n", "-s"})),
        ("functions", "status", frozenset({"--tenant"})),
    ]
