"""The local platform's pure parts: settings, processes, downloads.

Longer than 200 lines: its tests share the fake downloads and the settings that are kept out.
"""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from deployment.local import credentials, jars, java, lifecycle, processes, report, services, setup, training
from deployment.local.errors import PlatformError
from deployment.local.jars import Jar
from deployment.local.settings import Settings, remembered
from deployment.local.single import Single

CONTENT = b"the jar"
SHA = hashlib.sha256(CONTENT).hexdigest()
LIST = f"# a comment\ncom.example:one:1.0  {SHA}\ncom.example:two:2.0:linux  {SHA}\n"
Fetcher = Callable[[Jar], Path]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in fields(Settings):
        monkeypatch.delenv(field.name.upper(), raising=False)


def fetcher(tmp_path: Path, *contents: bytes) -> tuple[Fetcher, list[str]]:
    """A registry that gives these contents in turn, then the right one; and what was asked of it."""
    asked: list[str] = []
    answers: Iterator[bytes] = iter(contents)

    def fetch(jar: Jar) -> Path:
        asked.append(jar.artifact)
        file = tmp_path / f"{jar.artifact}-{len(asked)}"
        file.write_bytes(next(answers, CONTENT))
        return file

    return fetch, asked


def offline(jar: Jar) -> Path:
    raise OSError("network is unreachable")


def test_settings_are_the_environments_then_the_data_folders_then_the_defaults(tmp_path: Path) -> None:
    environment = {"PLATFORM_DATA": str(tmp_path), "PULSAR_PORT": "7000", "BFF_PORT": "7005"}
    chosen = Settings.from_env(environment)
    assert (chosen.pulsar_port, chosen.bookie_port, chosen.bff_port, chosen.postgres_port) == (7000, 7001, 7005, 15432)


def test_a_data_folder_remembers_its_settings(tmp_path: Path) -> None:
    Settings.from_env({"PLATFORM_DATA": str(tmp_path), "PULSAR_PORT": "7000"}).remember(["postgres"])
    assert Settings.from_env({"PLATFORM_DATA": str(tmp_path)}).pulsar_port == 7000
    assert Settings.from_env({"PLATFORM_DATA": str(tmp_path), "PULSAR_PORT": "7100"}).pulsar_port == 7100


def test_a_data_folder_keeps_its_bookies_port(tmp_path: Path) -> None:
    Settings.from_env({"PLATFORM_DATA": str(tmp_path), "BOOKIE_PORT": "7009"}).remember(["pulsar"])
    assert Settings.from_env({"PLATFORM_DATA": str(tmp_path), "PULSAR_PORT": "7100"}).bookie_port == 7009
    with pytest.raises(PlatformError, match="BOOKIE_PORT stays 7009"):
        Settings.from_env({"PLATFORM_DATA": str(tmp_path), "BOOKIE_PORT": "7010"})


def test_a_data_folder_remembers_every_service_that_it_ever_had(tmp_path: Path) -> None:
    chosen = Settings.from_env({"PLATFORM_DATA": str(tmp_path)})
    chosen.remember(["postgres", "pulsar"])
    chosen.remember(["postgres"])
    assert remembered(tmp_path)["services"] == ["postgres", "pulsar"]


def test_a_running_platform_keeps_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Single(Settings.from_env({"PLATFORM_DATA": str(tmp_path)}))
    chosen.settings.remember(["bff"])
    monkeypatch.setenv("BFF_PORT", "7005")
    lifecycle.refuse_changes(chosen)
    processes.remember(services.pid_file(tmp_path, "bff"), os.getpid())
    with pytest.raises(PlatformError, match=r"BFF_PORT=7005 \(was 3000\); run `down` first"):
        lifecycle.refuse_changes(chosen)


def test_a_damaged_platform_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "platform.json").write_text("{")
    with pytest.raises(PlatformError, match=r"platform\.json is damaged"):
        Settings.from_env({"PLATFORM_DATA": str(tmp_path)})


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80.5"])
def test_what_is_no_port_is_refused_with_its_variable(tmp_path: Path, port: str) -> None:
    with pytest.raises(PlatformError, match=f"PULSAR_PORT='{port}'"):
        Settings.from_env({"PLATFORM_DATA": str(tmp_path), "PULSAR_PORT": port})


def test_two_services_on_one_port_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="PULSAR_PORT and BFF_PORT are both 7000"):
        Settings.from_env({"PLATFORM_DATA": str(tmp_path), "PULSAR_PORT": "7000", "BFF_PORT": "7000"})


def test_a_process_is_known_by_its_pid_and_its_start(tmp_path: Path) -> None:
    pid_file = tmp_path / "run" / "me.json"
    processes.remember(pid_file, os.getpid())
    assert processes.running(pid_file) == os.getpid()


def test_a_pid_that_was_given_to_another_process_is_not_ours(tmp_path: Path) -> None:
    pid_file = tmp_path / "run" / "other.json"
    processes.remember(pid_file, os.getpid())
    record = json.loads(pid_file.read_text())
    pid_file.write_text(json.dumps(record | {"identity": "an earlier process"}))
    assert processes.running(pid_file) is None


def test_a_process_that_has_ended_does_not_run(tmp_path: Path) -> None:
    pid_file = tmp_path / "run" / "gone.json"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        processes.remember(pid_file, process.pid)
        assert processes.running(pid_file) == process.pid
    assert processes.running(pid_file) is None


def test_stop_kills_what_does_not_heed_its_signal() -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); input()"
    command = [sys.executable, "-c", deaf]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        processes.stop([process.pid], signal.SIGTERM, 0.2)
        assert process.wait(5) == -signal.SIGKILL


def test_only_processes_with_the_option_and_its_value_are_found() -> None:
    wait = [sys.executable, "-c", "input()"]
    with (
        subprocess.Popen([*wait, "--py", "/data/of/a/test/a.zip"], stdin=subprocess.PIPE) as instance,
        subprocess.Popen([*wait, "--edit", "/data/of/a/test/a.zip"], stdin=subprocess.PIPE),
    ):
        assert processes.with_option("--py", "/data/of/a/test/") == [instance.pid]


@pytest.mark.parametrize("text", ["", "garbage", "{}", '{"pid": "x", "identity": "y"}'])
def test_a_broken_pid_file_names_no_process(tmp_path: Path, text: str) -> None:
    pid_file = tmp_path / "broken.json"
    pid_file.write_text(text)
    assert processes.running(pid_file) is None


def test_the_jar_list_is_read() -> None:
    one, two = jars.read_list(LIST)
    assert (one.file, two.file, two.classifier) == ("one-1.0.jar", "two-2.0-linux.jar", "linux")


@pytest.mark.parametrize("line", ["com.example:one:1.0", f"one:1.0  {SHA}", "com.example:one:1.0  abc"])
def test_a_bad_line_of_the_jar_list_is_named(line: str) -> None:
    with pytest.raises(PlatformError, match="line 2"):
        jars.read_list(f"# a comment\n{line}\n")


def test_jars_are_fetched_once_and_then_need_no_network(tmp_path: Path) -> None:
    fetch, asked = fetcher(tmp_path)
    target = jars.ensure(fetch, LIST, tmp_path / "jars")
    assert sorted(path.name for path in target.glob("*.jar")) == ["one-1.0.jar", "two-2.0-linux.jar"]
    assert sorted(asked) == ["one", "two"]
    assert jars.ensure(offline, LIST, tmp_path / "jars") == target


def test_an_interrupted_download_goes_on_where_it_stopped(tmp_path: Path) -> None:
    target = tmp_path / "jars"
    target.mkdir()
    (target / "one-1.0.jar").write_bytes(CONTENT)
    with pytest.raises(PlatformError, match=r"com\.example:two:2\.0: OSError.*\n1 of 2 jars are already in"):
        jars.ensure(offline, LIST, target)
    fetch, asked = fetcher(tmp_path)
    jars.ensure(fetch, LIST, target)
    assert asked == ["two"]


def test_a_jar_with_a_wrong_sha256_is_fetched_again(tmp_path: Path) -> None:
    fetch, asked = fetcher(tmp_path, b"tampered")
    [one, _] = jars.read_list(LIST)
    jars.obtain(one, tmp_path, fetch)
    assert asked == ["one", "one"]
    assert (tmp_path / one.file).read_bytes() == CONTENT


def test_a_jar_that_stays_wrong_is_an_error_and_is_not_kept(tmp_path: Path) -> None:
    fetch, _ = fetcher(tmp_path, *[b"tampered"] * jars.ATTEMPTS)
    [one, _] = jars.read_list(LIST)
    with pytest.raises(PlatformError, match="its sha256 is"):
        jars.obtain(one, tmp_path, fetch)
    assert not (tmp_path / one.file).exists()


def test_clean_leaves_a_folder_alone_that_is_no_platforms(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(PlatformError, match="nothing was removed"):
        lifecycle.clean(Single(Settings.from_env({"PLATFORM_DATA": str(tmp_path)})))
    assert (tmp_path / "thesis.txt").exists()


def test_up_leaves_a_folder_alone_that_is_no_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "ensure", lambda: None)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(PlatformError, match="neither empty nor a platform's folder"):
        lifecycle.up(Single(Settings.from_env({"PLATFORM_DATA": str(tmp_path)})), [])
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_port_in_use_is_named_with_its_variable_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "ensure", lambda: None)
    monkeypatch.setattr(lifecycle, "PORT_TIMEOUT", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        chosen = Single(Settings.from_env({"PLATFORM_DATA": str(tmp_path / "data"), "POSTGRES_PORT": str(port)}))
        for _ in range(2):
            with pytest.raises(PlatformError, match=rf"port {port} for postgres is in use.*POSTGRES_PORT.*Nothing was"):
                lifecycle.up(chosen, ["postgres"])
    assert [path.name for path in (tmp_path / "data").iterdir()] == [lifecycle.LOCK], "the port was not remembered"


def test_a_second_command_is_refused_while_one_changes_the_platform(tmp_path: Path) -> None:
    with lifecycle.locked(tmp_path), pytest.raises(PlatformError, match="another command"), lifecycle.locked(tmp_path):
        pass


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3600, "1 h 0 min"), (90_061, "1 d 1 h")]
)
def test_an_uptime_is_given_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert report.duration(seconds) == text


def test_logs_of_a_function_are_found_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "logs/functions/t/n/crear-orden/crear-orden-0.log"
    log.parent.mkdir(parents=True)
    log.write_text("one\ntwo\nthree\n")
    report.logs(tmp_path, "crear-orden", follow=False, lines=2)
    assert capsys.readouterr().out == "two\nthree\n"
    with pytest.raises(PlatformError, match=r"no log of a service or function 'crear'.*there are crear-orden"):
        report.logs(tmp_path, "crear", follow=False, lines=2)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Without jars, of a machine with Java 25."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(java, "version", lambda: "25.0.2")
    jars.cache().mkdir()
    java.class_path().write_text("-cp one.jar")
    return jars.cache()


def test_java_uses_what_it_noted_only_where_there_is_such_a_file(cache: Path, tmp_path: Path) -> None:
    chosen = Settings.from_env({"PLATFORM_DATA": str(tmp_path / "data")})
    chosen.data.mkdir()
    credentials.generate(chosen.data)
    commands: dict[str, Callable[[], list[str]]] = {
        "tools": lambda: java.tool(tmp_path),
        "pulsar": lambda: services.make("pulsar", chosen).command,
        "functions-worker": lambda: services.make("functions-worker", chosen).command,
    }
    for name, command in commands.items():
        assert not any("AOT" in option for option in command())
        (tmp_path / "made").touch()
        java.keep(tmp_path / "made", name)
        assert f"-XX:AOTCache={java.classes(name)}" in command()
    old = set(cache.glob("*.aot"))
    java.class_path().write_text("-cp one.jar:two.jar")
    for name, command in commands.items():
        assert not any("AOT" in option for option in command())
        (tmp_path / "made").touch()
        java.keep(tmp_path / "made", name)
    assert len(set(cache.glob("*.aot")) - old) == len(commands)
    assert not set(cache.glob("*.aot")) & old, "of what was made for other jars nothing stays"


@pytest.mark.usefixtures("cache")
def test_a_training_that_fails_costs_no_more_than_its_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[Single] = []

    def fail(chosen: Single, *_: object) -> None:
        started.append(chosen)
        raise PlatformError("pulsar ended while starting")

    monkeypatch.setattr(lifecycle, "start", fail)
    training.ensure()
    assert "a little later: pulsar ended while starting" in capsys.readouterr().out
    [chosen] = started
    assert not chosen.data.exists()
    assert len(set(chosen.settings.ports().values())) == len(chosen.settings.ports())
    for name in training.SERVICES:
        java.classes(name).touch()
    training.ensure()
    monkeypatch.setattr(java, "version", lambda: "21.0.1")
    training.ensure()
    assert len(started) == 1, "what is there, and what can't be, is not made"
