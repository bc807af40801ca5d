"""DB_SSLMODE and DB_SSLROOTCERT: what they mean, and what is wrong with them."""

import ssl
from pathlib import Path

import pytest

from functions.postgres.tls import InvalidTls, context, settings
from tests.support.certificates import Authority


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Authority(tmp_path_factory.mktemp("authority"), "authority").root


@pytest.mark.parametrize(
    ("mode", "verified", "name_checked"),
    [("require", True, False), ("verify-ca", True, False), ("verify-full", True, True), ("", True, True)],
)
def test_with_a_root_certificate_the_server_is_verified(
    root: Path, mode: str, verified: bool, name_checked: bool
) -> None:
    for value in (str(root), root.read_text()):
        tls = context({"DB_SSLMODE": mode, "DB_SSLROOTCERT": value}, "127.0.0.1")
        assert isinstance(tls, ssl.SSLContext)
        assert (tls.verify_mode == ssl.CERT_REQUIRED, tls.check_hostname) == (verified, name_checked)


def test_without_one_it_is_not() -> None:
    tls = context({"DB_SSLMODE": "require"}, "db.example")
    assert isinstance(tls, ssl.SSLContext)
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_NONE, False)
    assert context({"DB_SSLMODE": "disable"}, "db.example") is False


@pytest.mark.parametrize("hostname", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_on_the_loopback_interface_there_is_no_tls_unless_it_is_asked_for(hostname: str) -> None:
    assert context({}, hostname) is False


@pytest.mark.parametrize("hostnames", [("db.example",), ("10.0.0.7",), ("127.0.0.1", "replica.example")])
def test_another_machine_is_verified_or_the_contrary_said(hostnames: tuple[str, ...]) -> None:
    with pytest.raises(InvalidTls, match=rf"DB_SSLROOTCERT is not set.* {hostnames[-1]} .*DB_SSLMODE=disable"):
        context({}, *hostnames)
    assert context({"DB_SSLMODE": "disable"}, *hostnames) is False


@pytest.mark.parametrize("mode", ["prefer", "allow", "VERIFY-FULL", "true", "verify_full", "1"])
def test_another_mode_is_refused(mode: str) -> None:
    with pytest.raises(InvalidTls, match=f"DB_SSLMODE is '{mode}': it must be one of disable, require, verify-ca, ver"):
        context({"DB_SSLMODE": mode}, "127.0.0.1")


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_what_is_to_be_verified_needs_a_root_certificate(mode: str) -> None:
    with pytest.raises(InvalidTls, match="DB_SSLROOTCERT is not set"):
        context({"DB_SSLMODE": mode}, "127.0.0.1")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "can't be read: No such file"),
        (b"", "has no certificate in PEM form"),
        (b"\x30\x82\x01\xff DER", "has no certificate in PEM form"),
        (b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", "has no certificate in PEM form"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "has a certificate that can't be read"),
    ],
    ids=["no file", "empty", "DER", "a key", "cut off"],
)
def test_a_file_that_is_no_root_certificate_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "root.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidTls, match=f"DB_SSLROOTCERT.*{reason}") as raised:
        context({"DB_SSLROOTCERT": str(file)}, "db.example")
    assert str(file) in str(raised.value) or "cut" in str(raised.value) or content


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidTls, match=f"'{tmp_path}'.*Is a directory"):
        context({"DB_SSLROOTCERT": str(tmp_path)}, "db.example")


def test_the_authorities_of_the_system_want_the_name_verified() -> None:
    tls = context({"DB_SSLROOTCERT": "system"}, "db.example")
    assert isinstance(tls, ssl.SSLContext)
    assert tls.check_hostname
    for mode in ("verify-ca", "require"):
        with pytest.raises(InvalidTls, match="must be verify-full"):
            context({"DB_SSLMODE": mode, "DB_SSLROOTCERT": "system"}, "db.example")


def test_what_is_deployed_holds_all_certificates_of_the_file_and_nothing_else(root: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(f"# Autoridad: Peña\n{root.read_text()}\n# y otra\n{root.read_text()}", "utf-8")
    deployed = settings({"DB_SSLROOTCERT": str(bundle)}, "db.example")
    assert deployed == {"DB_SSLMODE": "verify-full", "DB_SSLROOTCERT": 2 * root.read_text()}
    bundle.unlink()
    assert isinstance(context(deployed, "db.example"), ssl.SSLContext)
    assert settings({}, "127.0.0.1") == {"DB_SSLMODE": "disable", "DB_SSLROOTCERT": ""}
