"""What `make containers` decides before anything is started: whether it can be, in which order, with which settings."""

import os
import platform
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.containers import machine, pip_settings, run
from tests.containers.errors import ContainersError, Unsuitable
from tests.containers.stack import SERVICES, in_order
from tests.support.platform import ROOT


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who is not root."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.fixture
def root_without_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Root, on a machine that has no programs but those in the folder."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(machine, "_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("somebody")
def test_nobody_but_root_starts_containers() -> None:
    with pytest.raises(Unsuitable, match="root"):
        machine.prepare(install=True)


@pytest.mark.usefixtures("root_without_programs")
def test_nothing_is_installed_where_there_is_no_apt_get() -> None:
    with pytest.raises(Unsuitable, match=r"no podman, .*no apt-get"):
        machine.prepare(install=True)


def test_what_is_missing_is_named_with_the_command_that_installs_it(root_without_programs: Path) -> None:
    for name in ("apt-get", *machine.PACKAGES.keys() - {"runc", "netavark"}):
        (root_without_programs / name).touch(0o755)
    with pytest.raises(ContainersError, match=r"^there is no runc, no netavark: apt-get install .* runc netavark$"):
        machine.prepare(install=False)


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize(("arguments", "printed"), [(["--ci"], "SKIPPED: no container was started"), ([], "")])
def test_a_machine_that_can_not_is_an_error_except_for_ci(
    arguments: list[str], printed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["run", *arguments])
    if arguments:
        run.main()
    else:
        with pytest.raises(SystemExit, match=r"error: .*root"):
            run.main()
    assert capsys.readouterr().out.startswith(printed)


def test_pips_settings_are_those_of_files_and_environment() -> None:
    text = (
        "global.cert='/a'\nglobal.timeout='5'\ninstall.cert='/b'\nfreeze.timeout='9'\n:env:.index-url='https://x/y'\n"
    )
    assert pip_settings.parse(text) == {"cert": "/b", "timeout": "5", "index-url": "https://x/y"}


def test_a_build_gets_pips_settings_and_the_files_that_they_name(tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    authority.touch()
    settings = {"cert": str(authority), "find-links": "https://x/y\n/nowhere", "timeout": "5"}
    options = pip_settings.mounts(settings, tmp_path)
    assert options == [f"--volume={tmp_path}/pip.conf:/etc/pip.conf:ro", f"--volume={authority}:{authority}:ro"]
    written = ConfigParser()
    written.read(tmp_path / "pip.conf")
    assert dict(written["global"]) == settings


def test_services_come_after_those_that_they_depend_on() -> None:
    ordered = in_order(tuple(reversed(SERVICES)))
    assert sorted(ordered) == sorted(SERVICES)
    for name in SERVICES:
        for other in SERVICES[name].get("depends_on", ()):
            assert ordered.index(other) < ordered.index(name)


def test_the_change_of_the_code_can_be_made() -> None:
    assert run.BEFORE in (ROOT / run.CHANGED).read_text("utf-8")


def test_a_change_that_is_not_there_any_more_is_noticed(tmp_path: Path) -> None:
    (tmp_path / run.CHANGED).parent.mkdir(parents=True)
    (tmp_path / run.CHANGED).write_text("nothing")
    with pytest.raises(ContainersError, match="choose another change"):
        run.change(tmp_path)
