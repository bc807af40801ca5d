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

from functions.comun.cluster.admin_rest import Api, NoContesta
from tests.servidor import Peticion, sirviendo

PLUGIN = "org.apache.pulsar.client.impl.auth.AuthenticationTls"


class Broker(Peticion):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[1]")


def certificado(carpeta: Path, nombre: str) -> tuple[Path, Path]:
    """A self-signed certificate for a host name, and its key."""
    llave = ec.generate_private_key(ec.SECP256R1())
    sujeto = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, nombre)])
    ahora = datetime.now(UTC)
    hecho = (
        x509.CertificateBuilder()
        .subject_name(sujeto)
        .issuer_name(sujeto)
        .public_key(llave.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ahora - timedelta(hours=1))
        .not_valid_after(ahora + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(nombre)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(llave, hashes.SHA256())
    )
    archivos = carpeta / f"{nombre}.pem", carpeta / f"{nombre}.key"
    archivos[0].write_bytes(hecho.public_bytes(serialization.Encoding.PEM))
    sin_clave = serialization.NoEncryption()
    formato = serialization.PrivateFormat.PKCS8
    archivos[1].write_bytes(llave.private_bytes(serialization.Encoding.PEM, formato, sin_clave))
    return archivos


@contextmanager
def broker(propio: tuple[Path, Path], de_clientes: Path | None = None) -> Iterator[str]:
    """An HTTPS broker's port; `de_clientes`: whose certificates it asks for."""
    contexto = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    contexto.load_cert_chain(*propio)
    if de_clientes:
        contexto.verify_mode = ssl.CERT_REQUIRED
        contexto.load_verify_locations(de_clientes)
    with sirviendo(Broker, contexto) as puerto:
        yield str(puerto)


def leer(url: str, conf: Mapping[str, str]) -> object:
    return Api(url, conf).leer("/a")


def test_a_broker_whose_authority_is_trusted_is_believed_whatever_its_name_unless_that_is_asked_for(
    tmp_path: Path,
) -> None:
    propio, otra = certificado(tmp_path, "localhost"), certificado(tmp_path, "elsewhere")
    confianza = {"tlsTrustCertsFilePath": str(propio[0])}
    con_nombre = confianza | {"tlsEnableHostnameVerification": "true"}
    with broker(propio) as puerto:
        assert leer(f"https://localhost:{puerto}", con_nombre) == [1]
        assert leer(f"https://127.0.0.1:{puerto}", confianza) == [1]
        with pytest.raises(NoContesta, match=r"doesn't match|not valid for|mismatch"):
            leer(f"https://127.0.0.1:{puerto}", con_nombre)
        for desconfiada in ({}, {"tlsTrustCertsFilePath": str(otra[0])}):
            with pytest.raises(NoContesta, match="CERTIFICATE_VERIFY_FAILED"):
                leer(f"https://localhost:{puerto}", desconfiada)
        assert leer(f"https://localhost:{puerto}", {"tlsAllowInsecureConnection": "true"}) == [1]


def test_a_client_shows_its_own_certificate(tmp_path: Path) -> None:
    propio, cliente = certificado(tmp_path, "localhost"), certificado(tmp_path, "client")
    confianza = {"tlsTrustCertsFilePath": str(propio[0])}
    parametros = f"tlsCertFile:{cliente[0]},tlsKeyFile:{cliente[1]}"
    with broker(propio, cliente[0]) as puerto:
        assert leer(f"https://localhost:{puerto}", confianza | {"authPlugin": PLUGIN, "authParams": parametros}) == [1]
        with pytest.raises(NoContesta):
            leer(f"https://localhost:{puerto}", confianza)
