"""The admin REST API over TLS, as a client.conf asks for it: whom the monitor, the scripts and the BFF believe."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from functions.cluster.admin_rest import AdminUnavailable, Api
from tests.support.server import RequestHandler, serving

PLUGIN = "org.apache.pulsar.client.impl.auth.AuthenticationTls"


class Broker(RequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[1]")


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for a host name, and its key."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private_key, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    unencrypted = serialization.NoEncryption()
    key_format = serialization.PrivateFormat.PKCS8
    files[1].write_bytes(private_key.private_bytes(serialization.Encoding.PEM, key_format, unencrypted))
    return files


@contextmanager
def broker(server_cert: tuple[Path, Path], client_ca: Path | None = None) -> Iterator[str]:
    """An HTTPS broker's port; `client_ca`: whose certificates it asks for."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*server_cert)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    with serving(Broker, context) as port:
        yield str(port)


def read(url: str, conf: Mapping[str, str]) -> object:
    return Api(url, conf).read("/a")


def test_a_broker_whose_authority_is_trusted_is_believed_whatever_its_name_unless_that_is_asked_for(
    tmp_path: Path,
) -> None:
    server_cert, other_cert = certificate(tmp_path, "localhost"), certificate(tmp_path, "elsewhere")
    trust = {"tlsTrustCertsFilePath": str(server_cert[0])}
    checking_hostname = trust | {"tlsEnableHostnameVerification": "true"}
    with broker(server_cert) as port:
        assert read(f"https://localhost:{port}", checking_hostname) == [1]
        assert read(f"https://127.0.0.1:{port}", trust) == [1]
        with pytest.raises(AdminUnavailable, match=r"doesn't match|not valid for|mismatch"):
            read(f"https://127.0.0.1:{port}", checking_hostname)
        for distrusting in ({}, {"tlsTrustCertsFilePath": str(other_cert[0])}):
            with pytest.raises(AdminUnavailable, match="CERTIFICATE_VERIFY_FAILED") as error:
                read(f"https://localhost:{port}", distrusting)
            assert not error.value.is_transient
        assert read(f"https://localhost:{port}", {"tlsAllowInsecureConnection": "true"}) == [1]


def test_a_client_shows_its_own_certificate(tmp_path: Path) -> None:
    server_cert, client = certificate(tmp_path, "localhost"), certificate(tmp_path, "client")
    trust = {"tlsTrustCertsFilePath": str(server_cert[0])}
    parameters = f"tlsCertFile:{client[0]},tlsKeyFile:{client[1]}"
    with broker(server_cert, client[0]) as port:
        assert read(f"https://localhost:{port}", trust | {"authPlugin": PLUGIN, "authParams": parameters}) == [1]
        with pytest.raises(AdminUnavailable):
            read(f"https://localhost:{port}", trust)
