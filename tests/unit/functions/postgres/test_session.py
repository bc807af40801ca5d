"""Logging in: what an impostor gets, and what it is called."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bff.backends.read_models import DatabaseUnavailable, ReadModels
from bff.settings import Settings
from deployment.databases import admin
from functions.postgres.connection import connect
from functions.postgres.errors import is_transient
from functions.postgres.session import passwords
from tests.support.certificates import Authority
from tests.support.postgres_servers import Impostor, authentication, listening, tls_of

PASSWORD = "correct horse"
Client = Callable[[Mapping[str, str]], None]


def function(config: Mapping[str, str]) -> None:
    connect({"DB_NAME": "ordenes", **config}, PASSWORD, "test").connect().close()


def bff(config: Mapping[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"DB_PASSWORD": PASSWORD, **config}.items():
            patch.setenv(name, value)
        settings = Settings.from_env()
    ReadModels(
        saga=settings.saga,
        ordenes=settings.ordenes,
        productos=settings.productos,
        conductores=settings.conductores,
        threads=1,
        tls=settings.tls,
    ).check("saga")


def script(config: Mapping[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"DB_ADMIN_PASSWORD": PASSWORD, **config}.items():
            patch.setenv(name, value)
        engine = admin.connect("ordenes")
    engine.connect().close()


CLIENTS = pytest.mark.parametrize("client", [function, bff, script])
GOODBYE = b"X\0\0\0\4"
FAILURES = (sa.exc.DBAPIError, DatabaseUnavailable)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("DB_", "BFF_"))]:
        monkeypatch.delenv(name)


def at(port: int, **config: str) -> dict[str, Any]:
    return {"DB_HOSTNAME": "127.0.0.1", "DB_PORT": str(port), **config}


@CLIENTS
@pytest.mark.parametrize("request_", [authentication(3), authentication(5, b"salt")], ids=["cleartext", "MD5"])
@pytest.mark.parametrize("mode", ["disable", "require"])
def test_who_is_not_verified_gets_no_password(client: Client, request_: bytes, mode: str, tmp_path: Path) -> None:
    impostor = Impostor(request_)
    tls = tls_of(Authority(tmp_path, "impostor").issue("127.0.0.1")) if mode == "require" else None
    with listening(impostor.talk, tls) as port:
        with pytest.raises(FAILURES, match="not verified by TLS"):
            client(at(port, DB_SSLMODE=mode))
        assert impostor.ended.wait(30)
    assert impostor.heard.replace(GOODBYE, b"") == b""


def test_who_is_verified_may_ask_for_the_password_itself(tmp_path: Path) -> None:
    """As servers do that look passwords up in a directory."""
    authority = Authority(tmp_path, "authority")
    server = Impostor(authentication(3) + b"E\0\0\0\x1eSFATAL\0VFATAL\0C28000\0Mno\0\0")
    with listening(server.talk, tls_of(authority.issue("127.0.0.1"))) as port:
        with pytest.raises(sa.exc.DBAPIError):
            function(at(port, DB_SSLROOTCERT=str(authority.root)))
        assert server.ended.wait(30)
    assert PASSWORD.encode() in server.heard


@CLIENTS
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_a_server_that_refuses_tls_is_not_spoken_to(client: Client, mode: str, tmp_path: Path) -> None:
    impostor = Impostor(authentication(3))
    root = str(Authority(tmp_path, "authority").root)
    with listening(impostor.talk) as port:
        with pytest.raises(FAILURES, match="Server refuses SSL"):
            client(at(port, DB_SSLMODE=mode, DB_SSLROOTCERT=root))
        assert impostor.ended.wait(30)
    assert impostor.heard == b""


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff" * 40,
        authentication(10, b"SCRAM-SHA-256\0\0") + authentication(11, b"r=x,s=eA==,i=4096"),
        authentication(10, b"PLAIN\0\0"),
        authentication(99),
        b"",
    ],
    ids=["HTTP", "noise", "a false SCRAM", "another SASL", "unknown", "nothing"],
)
@pytest.mark.parametrize("mode", ["disable", "require"])
def test_what_is_no_postgresql_is_waited_for_and_no_fault_of_a_message(said: bytes, mode: str) -> None:
    impostor = Impostor(said)

    def talk(client: Any) -> None:
        if said:
            client.settimeout(0.2)
            impostor.talk(client)

    with listening(talk) as port, pytest.raises(sa.exc.DBAPIError) as raised:
        function(at(port, DB_SSLMODE=mode))
    assert is_transient(raised.value)
    assert PASSWORD.encode() not in impostor.heard


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("new\nold", ["new", "old"]),
        ("with space\n\nold\n", ["with space", "old"]),
        ("", [""]),
    ],
)
def test_a_secret_holds_one_password_a_line(secret: str, expected: list[str]) -> None:
    assert passwords(secret) == expected
