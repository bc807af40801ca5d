"""BFF_TLS_CERTIFICATE and BFF_TLS_KEY: which files a server can be started with, and what is said of others."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from bff.access.certificate import Certificate, InvalidCertificate
from bff.settings import Settings
from tests.support.certificates import Authority

NOT_ENCRYPTED = serialization.NoEncryption()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return Authority(tmp_path, "authority").issue("127.0.0.1")


def refusal(chain: Path, key: Path) -> str:
    with pytest.raises(InvalidCertificate) as raised:
        Certificate(chain, key).check()
    return str(raised.value)


def test_a_certificate_with_its_key_can_be_used_in_any_form_of_the_key(files: tuple[Path, Path]) -> None:
    certificate, key_file = files
    Certificate(certificate, key_file).check()
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NOT_ENCRYPTED))
    Certificate(certificate, key_file).check()


def test_the_servers_own_certificate_comes_first(files: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = files
    own, authority = certificate.read_text(), (tmp_path / "authority.pem").read_text()
    certificate.write_text(own + authority)
    Certificate(certificate, key).check()
    certificate.write_text(authority + own)
    assert refusal(certificate, key) == (
        f"BFF_TLS_KEY is {str(key)!r}: that is not the key of the first certificate in {str(certificate)!r},"
        " which must be the server's own"
    )


@pytest.mark.parametrize("format_", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key_is_refused_with_what_to_do(files: tuple[Path, Path], format_: PrivateFormat) -> None:
    certificate, key_file = files
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, format_, BestAvailableEncryption(b"secret")))
    said = refusal(certificate, key_file)
    assert said.startswith(f"BFF_TLS_KEY is {str(key_file)!r}: this key is encrypted")
    assert "openssl pkey" in said


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP521R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed448.Ed448PrivateKey.generate(),
        rsa.generate_private_key(65537, 1024),
    ],
    ids=["P-521", "secp256k1", "Ed448", "RSA 1024"],
)
def test_keys_that_the_server_does_not_know_are_refused(
    files: tuple[Path, Path], key: ec.EllipticCurvePrivateKey
) -> None:
    certificate, key_file = files
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NOT_ENCRYPTED))
    assert "the server takes keys of RSA (2048 bits or more), ECDSA with P-256 or P-384" in refusal(
        certificate, key_file
    )


@pytest.mark.parametrize(
    "key", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())], ids=["Ed25519", "P-384"]
)
def test_another_key_than_the_certificates_is_refused(
    files: tuple[Path, Path], key: ec.EllipticCurvePrivateKey
) -> None:
    certificate, key_file = files
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NOT_ENCRYPTED))
    assert str(key_file) in refusal(certificate, key_file)


@pytest.mark.parametrize("content", [b"", b"no PEM", b"\xff\x00"])
def test_what_is_no_pem_is_refused(files: tuple[Path, Path], tmp_path: Path, content: bytes) -> None:
    certificate, key = files
    other = tmp_path / "other.pem"
    other.write_bytes(content)
    assert refusal(other, key) == f"BFF_TLS_CERTIFICATE is {str(other)!r}: the file has no certificate in PEM form"
    assert refusal(certificate, other) == f"BFF_TLS_KEY is {str(other)!r}: the file has no private key in PEM form"
    assert refusal(certificate, certificate).startswith("BFF_TLS_KEY")


@pytest.mark.parametrize("kind", ["CERTIFICATE", "PRIVATE KEY"])
def test_what_is_broken_is_refused(files: tuple[Path, Path], kind: str) -> None:
    broken, files_with_it = f"-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----\n", list(files)
    file = files[kind == "PRIVATE KEY"]
    file.write_text(broken)
    assert str(file) in refusal(*files_with_it)


def test_what_can_not_be_read_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = files
    nowhere = tmp_path / "nowhere.pem"
    assert refusal(nowhere, key) == f"BFF_TLS_CERTIFICATE is {str(nowhere)!r}: No such file or directory"
    assert refusal(certificate, tmp_path) == f"BFF_TLS_KEY is {str(tmp_path)!r}: Is a directory"


def test_both_are_set_or_neither(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("BFF_", "DB_"))]:
        monkeypatch.delenv(name)
    certificate, key = map(str, files)
    for values in ((certificate, ""), ("", key)):
        for name, value in zip(("BFF_TLS_CERTIFICATE", "BFF_TLS_KEY"), values, strict=True):
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit, match="error: set BFF_TLS_CERTIFICATE and BFF_TLS_KEY, for https, or neither"):
            Settings.from_env()
    monkeypatch.setenv("BFF_TLS_CERTIFICATE", certificate)
    assert Settings.from_env().certificate == Certificate(*files)
    monkeypatch.setenv("BFF_TLS_KEY", certificate)
    with pytest.raises(SystemExit, match=r"error: BFF_TLS_KEY is .*no private key"):
        Settings.from_env()
    for name in ("BFF_TLS_CERTIFICATE", "BFF_TLS_KEY"):
        monkeypatch.setenv(name, "")
    assert Settings.from_env().certificate is None
