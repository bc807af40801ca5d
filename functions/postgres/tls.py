"""TLS to PostgreSQL, as DB_SSLMODE and DB_SSLROOTCERT ask for it: of functions, BFF and scripts alike.

DB_SSLMODE, with libpq's meaning:
  disable        no TLS
  require        TLS; the server's certificate is not verified, unless DB_SSLROOTCERT is set: then like verify-ca
  verify-ca      the certificate must be of an authority in DB_SSLROOTCERT
  verify-full    and must be for the name, or the address, that the server is reached by
Unset: verify-full, but disable for a server on a loopback address without DB_SSLROOTCERT.
DB_SSLROOTCERT: the authorities' certificates in PEM, or the path of a file with them; `system` for those that the
operating system trusts.
"""

import ipaddress
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

MODES: Final = ("disable", "require", "verify-ca", "verify-full")
SYSTEM: Final = "system"
Tls = ssl.SSLContext | Literal[False]
"""How to open connections, as pg8000 takes it: False for no TLS."""
_CERTIFICATE: Final = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class InvalidTls(ValueError):
    """DB_SSLMODE or DB_SSLROOTCERT can't be used. The text says which, and why."""


def context(config: Mapping[str, Any], *hostnames: str) -> Tls:
    """What connections to `hostnames` are opened with. `config`: userConfig, or the environment. Raises InvalidTls."""
    values = settings(config, *hostnames)
    mode, authorities = values["DB_SSLMODE"], values["DB_SSLROOTCERT"]
    if mode == "disable":
        return False
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.check_hostname = mode == "verify-full"
    if not authorities:
        found.verify_mode = ssl.CERT_NONE
    elif authorities == SYSTEM:
        found.load_default_certs()
    else:
        try:
            found.load_verify_locations(cadata=authorities)
        except ssl.SSLError as error:
            raise InvalidTls(f"DB_SSLROOTCERT has a certificate that can't be read: {error}") from error
    return found


def settings(config: Mapping[str, Any], *hostnames: str) -> dict[str, str]:
    """DB_SSLMODE and DB_SSLROOTCERT as they hold, the latter with the certificates themselves or empty: what a program
    on another machine needs to open the same connections. Raises InvalidTls.
    """
    root = str(config.get("DB_SSLROOTCERT") or "")
    default = "disable" if not root and all(map(_is_loopback, hostnames)) else "verify-full"
    mode = str(config.get("DB_SSLMODE") or default)
    if mode not in MODES:
        raise InvalidTls(f"DB_SSLMODE is {mode!r}: it must be one of {', '.join(MODES)}")
    if mode == "disable" or (mode == "require" and not root):
        return {"DB_SSLMODE": mode, "DB_SSLROOTCERT": ""}
    if not root:
        raise InvalidTls(
            f"DB_SSLROOTCERT is not set, and PostgreSQL at {', '.join(hostnames)} is to be verified ({mode}):"
            f" name a file with the certificate of its authority, or {SYSTEM}; DB_SSLMODE=disable goes without TLS"
        )
    if root == SYSTEM and mode != "verify-full":  # anybody can get a certificate of theirs, for another name
        raise InvalidTls(f"DB_SSLMODE is {mode!r}: with DB_SSLROOTCERT={SYSTEM} it must be verify-full")
    return {"DB_SSLMODE": mode, "DB_SSLROOTCERT": root if root == SYSTEM else _certificates(root)}


def _certificates(root: str) -> str:
    """The certificates in a text or in a file, without what stands between them."""
    text, source = root, "DB_SSLROOTCERT"
    if "-----BEGIN" not in root:
        source = f"the file {root!r}, which DB_SSLROOTCERT names,"
        try:
            text = Path(root).read_text("latin-1")
        except (OSError, ValueError) as error:
            raise InvalidTls(f"{source} can't be read: {getattr(error, 'strerror', None) or error}") from error
    if not (found := _CERTIFICATE.findall(text)):
        raise InvalidTls(f"{source} has no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    return "\n".join(found) + "\n"


def _is_loopback(hostname: str) -> bool:
    try:
        return hostname == "localhost" or ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return False
