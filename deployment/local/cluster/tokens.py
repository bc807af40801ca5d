"""The tokens that programs show to brokers and functions workers: a file for each role, which is read for each
connection anew.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deployment.local import private
from deployment.local.settings import REPOSITORY

SUPERUSERS: Final = ("administrator", "broker", "worker")
"""Roles that may do everything. Brokers and functions workers need it."""
ROLES: Final = (*SUPERUSERS, "deployer", "operator", "bff")
HOURS: Final = 24.0 * 365
"""So long a token lasts, unless `rotate` is told otherwise."""


def roles() -> list[str]:
    """All roles: those of people and services, and one for each function."""
    functions = sorted(path.stem for path in (REPOSITORY / "deployment" / "functions").glob("*.yaml"))
    return [*ROLES, *(f"function-{name}" for name in functions)]


def folder(data: Path) -> Path:
    """Where the files are, ROLE.jwt."""
    return data / "tokens"


def public_key(data: Path) -> Path:
    """What brokers and workers verify tokens with."""
    return folder(data) / "public.der"


def file(data: Path, role: str) -> Path:
    return folder(data) / f"{role}.jwt"


def _signing_key(data: Path) -> Path:
    return folder(data) / "private.pem"


def make(data: Path) -> None:
    """The keys, and the tokens that are missing, say of a function that is new."""
    folder(data).mkdir(mode=0o700, exist_ok=True)
    signing = _signing_key(data)
    if not signing.exists():
        key = rsa.generate_private_key(65537, 2048)
        der, subject = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        public_key(data).write_bytes(key.public_key().public_bytes(der, subject))
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        private.write(signing, key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    if not all(file(data, role).exists() for role in roles()):
        write(data, HOURS)


def write(data: Path, hours: float) -> int:
    """A new token for every role, each file replaced at once; how many there are."""
    signing = _signing_key(data).read_bytes()
    now = int(time.time())
    for role in roles():
        claims = {"sub": role, "iat": now, "exp": now + int(3600 * hours)}
        private.write(file(data, role), jwt.encode(claims, signing, "RS256"))
    return len(roles())
