"""The certificate that the server shows to its clients."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_CERTIFICATE: Final = "BFF_TLS_CERTIFICATE"
_KEY: Final = "BFF_TLS_KEY"


class InvalidCertificate(Exception):
    """The certificate or its key can't be used. The text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Two files in PEM: the server's certificate, followed by those between it and its authority, and its key."""

    chain: Path
    key: Path

    def check(self) -> None:
        """Raises InvalidCertificate if a server could not be started with these files as they are now."""
        if b"-----BEGIN CERTIFICATE-----" not in _content(_CERTIFICATE, self.chain):
            raise InvalidCertificate(f"{_CERTIFICATE} is {str(self.chain)!r}: the file has no certificate in PEM form")
        self._check_key()
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.chain, self.key)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise InvalidCertificate(
                    f"{_KEY} is {str(self.key)!r}: that is not the key of the first certificate in {str(self.chain)!r},"
                    " which must be the server's own"
                ) from error
            raise InvalidCertificate(
                f"{_CERTIFICATE} is {str(self.chain)!r}, {_KEY} {str(self.key)!r}: they can't be used: "
                f"{error.reason or error}"
            ) from error

    def _check_key(self) -> None:
        """The server takes fewer kinds of keys than OpenSSL."""
        named = f"{_KEY} is {str(self.key)!r}"
        content = _content(_KEY, self.key)
        if b"PRIVATE KEY-----" not in content:
            raise InvalidCertificate(f"{named}: the file has no private key in PEM form")
        try:
            key = load_pem_private_key(content, None)
        except TypeError as error:
            raise InvalidCertificate(
                f"{named}: this key is encrypted, and nobody is there to type its password; write it without one "
                "(openssl pkey -in … -out …) to a file that only the BFF can read"
            ) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InvalidCertificate(f"{named}: the key can't be read: {error}") from error
        is_curve = isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1 | SECP384R1)
        is_rsa = isinstance(key, RSAPrivateKey) and key.key_size >= 2048
        if not (is_curve or is_rsa or isinstance(key, Ed25519PrivateKey)):
            raise InvalidCertificate(
                f"{named}: the server takes keys of RSA (2048 bits or more), ECDSA with P-256 or P-384, and Ed25519;"
                " have the certificate made for one of these"
            )


def _content(variable: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidCertificate(f"{variable} is {str(file)!r}: {error.strerror}") from error
