"""Where PostgreSQL is and how it is verified goes into every function's configuration."""

from pathlib import Path

import pytest
from tools.deploy.plan import ENVIRONMENT, desired
from tools.errors import ToolError

from tests.support.certificates import Authority


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


def deployed(folder: Path) -> dict[str, str]:
    """What comes from the environment into userConfig."""
    config = desired(["crear-orden"], folder)["crear-orden"]["userConfig"]
    return {name: config[name] for name in ENVIRONMENT}


def test_on_this_machine_nothing_needs_to_be_said(tmp_path: Path) -> None:
    assert deployed(tmp_path) == {
        "DB_HOSTNAME": "127.0.0.1",
        "DB_PORT": "5432",
        "DB_SSLMODE": "disable",
        "DB_SSLROOTCERT": "",
    }


def test_functions_get_the_certificate_itself_for_the_file_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Authority(tmp_path, "authority").root
    monkeypatch.setenv("DB_HOSTNAME", "db.example")
    monkeypatch.setenv("DB_SSLROOTCERT", str(root))
    config = deployed(tmp_path)
    assert (config["DB_SSLMODE"], config["DB_SSLROOTCERT"]) == ("verify-full", root.read_text())


def test_functions_get_all_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    several = {"DB_HOSTNAME": "10.0.0.31,10.0.0.32", "DB_PORT": "5432,5433"}
    for name, value in {**several, "DB_SSLMODE": "disable"}.items():
        monkeypatch.setenv(name, value)
    assert deployed(tmp_path) == {**several, "DB_SSLMODE": "disable", "DB_SSLROOTCERT": ""}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("DB_HOSTNAME", "a,,b", "DB_HOSTNAME is 'a,,b'"),
        ("DB_HOSTNAME", "127.0.0.1,db.example", "DB_SSLROOTCERT is not set.*127.0.0.1, db.example"),
        ("DB_PORT", "1,2", "these are 2 ports"),
        ("DB_HOSTNAME", "db.example", "DB_SSLROOTCERT is not set"),
        ("DB_SSLMODE", "prefer", "DB_SSLMODE is 'prefer'"),
        ("DB_SSLROOTCERT", "/nowhere.pem", "'/nowhere.pem'"),
    ],
)
def test_what_functions_could_not_use_is_refused_before_anything_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ToolError, match=f"{text}.*nothing was changed"):
        deployed(tmp_path)
