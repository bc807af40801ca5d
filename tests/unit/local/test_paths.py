"""A platform in a folder of any name: what is handed to programs that read paths in their own way."""

import shlex
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from deployment.local import credentials, jars, java, lifecycle, render, setup
from deployment.local.errors import PlatformError
from deployment.local.settings import Settings
from deployment.local.single import Single

NAMES = ["a shop", "shop_feature%2Fcarts", "shop:main", "shop #1: new", "año&'q'\"$x`y`{2},3]", "🚚"]


@pytest.mark.parametrize("name", NAMES)
def test_the_functions_worker_gets_the_folders_as_they_are(name: str, tmp_path: Path) -> None:
    chosen = replace(Settings.from_env({"PLATFORM_DATA": str(tmp_path)}), data=tmp_path / name)
    conf = yaml.safe_load(render.fill("functions_worker.yml", render.settings_values(chosen)))
    assert conf["downloadDirectory"] == f"{tmp_path}/{name}/functions-worker/download"
    assert conf["functionRuntimeFactoryConfigs"]["logDirectory"] == f"{tmp_path}/{name}/logs"


@pytest.mark.parametrize("name", NAMES)
def test_log4j_gets_a_uri_that_is_the_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_known", lambda _: [])
    monkeypatch.setattr(java, "class_path", lambda: tmp_path / "jars.args")
    option = next(word for word in java.tool(tmp_path / name) if "log4j2" in word).partition("=")[2]
    assert unquote(urlsplit(option).path) == f"{tmp_path}/{name}/log4j2-tools.xml"
    assert not urlsplit(option).query
    assert not urlsplit(option).fragment


def test_the_class_path_is_quoted_as_java_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / 'a "cache" \\ #'
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    java.class_path().parent.mkdir(parents=True)
    java.worker_jar().touch()
    java.compile_worker()
    assert shlex.split(java.class_path().read_text("utf-8")) == ["-cp", str(java.worker_jar())]


def test_a_cache_that_java_can_not_have_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shop:main"))
    with pytest.raises(PlatformError, match=r"shop:main/poc-monoliticas .*: set XDG_CACHE_HOME"):
        jars.cache()


@pytest.mark.parametrize("name", ["two\nlines", "bad\udcff", "shop[1]", "shop*", "shop\\1", *NAMES])
def test_a_folder_that_pulsar_or_prometheus_can_not_have_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="choose another PLATFORM_DATA"):
        Settings.from_env({"PLATFORM_DATA": str(tmp_path / name)})


def test_a_folder_with_too_long_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match=r"has \d+ bytes, at most 600 are possible"):
        Settings.from_env({"PLATFORM_DATA": f"{tmp_path}/{'ñ' * 300}"})


def test_a_folder_that_can_not_be_made_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "ensure", lambda: None)
    with pytest.raises(PlatformError, match="can't make /dev/null/shop: Not a directory; choose another"):
        lifecycle.up(Single(Settings.from_env({"PLATFORM_DATA": "/dev/null/shop"})), [])


def test_services_write_utf_8_whatever_the_terminal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LANG": "C", "LC_CTYPE": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}.items():
        monkeypatch.setenv(name, value)
    env = credentials.inherited()
    assert env["LC_ALL"] == "C.UTF-8"
    assert not {"LANG", "LC_CTYPE", "PYTHONUTF8", "PYTHONIOENCODING"} & env.keys()
