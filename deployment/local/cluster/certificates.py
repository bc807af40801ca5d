"""The authority of a cluster, and a certificate of it for each node: all of its connections are verified TLS."""

from __future__ import annotations

from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

from deployment.local import private
from deployment.local.cluster import nodes
from deployment.local.cluster.settings import Settings


def authority(data: Path) -> Path:
    """Its certificate."""
    return data / "tls" / "authority.pem"


def certificate(data: Path, name: str) -> Path:
    return data / "tls" / f"{name}.pem"


def key(data: Path, name: str) -> Path:
    return data / "tls" / f"{name}.key"


def both(data: Path, name: str) -> Path:
    """Key and certificate in one file, as ZooKeeper wants them."""
    return data / "tls" / f"{name}.both.pem"


def make(settings: Settings) -> None:
    """What is missing of them; kept for the life of the data folder."""
    folder = settings.data / "tls"
    folder.mkdir(exist_ok=True)
    if authority(settings.data).exists():
        return
    made = trustme.CA(organization_name="poc-monoliticas, a cluster for tests")
    for name in nodes.HOSTS:
        issued = made.issue_cert(settings.address(name), common_name=name)
        secret = _as_pkcs8(issued.private_key_pem.bytes())
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        certificate(settings.data, name).write_bytes(chain)
        for file, content in ((key, secret), (both, secret + chain)):
            private.write(file(settings.data, name), content)
    # The last one: where it is, all are.
    made.cert_pem.write_to_path(str(authority(settings.data)))


def _as_pkcs8(pem: bytes) -> bytes:
    """The key in the one form that Java reads."""
    key = serialization.load_pem_private_key(pem, None)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
