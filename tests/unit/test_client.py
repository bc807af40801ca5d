"""The Pulsar client of the scripts, set up by a client.conf."""

from pathlib import Path

import pulsar
import pytest
from client import conectar

from functions.comun.cluster.client_conf import autenticacion, leer, opciones, token

PLUGIN = "org.apache.pulsar.client.impl.auth.Authentication"


def test_a_client_conf_is_read_as_java_reads_it() -> None:
    lineas = ("# comment", "! comment", "", "authPlugin=", " authParams = token:a=b ", "tlsTrustCertsFilePath=/old")
    assert leer("\n".join([*lineas, "tlsTrustCertsFilePath=/ca"])) == {
        "authParams": "token:a=b",
        "tlsTrustCertsFilePath": "/ca",
    }


def test_tls_settings_become_the_clients() -> None:
    conf = {
        "tlsTrustCertsFilePath": "/ca.pem",
        "tlsAllowInsecureConnection": "True",
        "tlsEnableHostnameVerification": "true",
        "tlsCertificateFilePath": "/cert.pem",
        "tlsKeyFilePath": "/key.pem",
    }
    assert opciones(conf) == {
        "tls_trust_certs_file_path": "/ca.pem",
        "tls_allow_insecure_connection": True,
        "tls_validate_hostname": True,
        "tls_certificate_file_path": "/cert.pem",
        "tls_private_key_file_path": "/key.pem",
    }
    assert opciones({}) == {"tls_allow_insecure_connection": False, "tls_validate_hostname": False}


@pytest.mark.parametrize("parametros", ["token:secreto", "secreto", '{"token": "secreto"}'])
def test_a_token_is_taken_as_pulsar_admin_takes_it(parametros: str) -> None:
    assert token(parametros) == "secreto"
    assert isinstance(autenticacion(f"{PLUGIN}Token", parametros), pulsar.AuthenticationToken)


@pytest.mark.parametrize("forma", ["file:{}", "file://{}"])
def test_a_token_in_a_file_is_read_at_each_connection(tmp_path: Path, forma: str) -> None:
    archivo = tmp_path / "a token"
    archivo.write_text("uno\n")
    leido = token(forma.format(str(archivo).replace(" ", "%20")))
    assert callable(leido)
    assert leido() == "uno"
    archivo.write_text("dos\n")
    assert leido() == "dos"


@pytest.mark.parametrize("parametros", ["tlsCertFile:/c,tlsKeyFile:/k", '{"tlsCertFile": "/c", "tlsKeyFile": "/k"}'])
def test_client_certificates_are_taken_as_pulsar_admin_takes_them(parametros: str) -> None:
    assert isinstance(autenticacion(f"{PLUGIN}Tls", parametros), pulsar.AuthenticationTLS)
    assert autenticacion("", "") is None


@pytest.mark.parametrize(
    ("conf", "error"),
    [
        (f"authPlugin={PLUGIN}Sasl", "is not supported: AuthenticationToken and AuthenticationTls are"),
        (f"authPlugin={PLUGIN}Token", "authParams is empty"),
        (f"authPlugin={PLUGIN}Token\nauthParams=file:///no/such/file", "No such file"),
        (f"authPlugin={PLUGIN}Tls\nauthParams=tlsCertFile:/c", "must say tlsKeyFile"),
        ("useKeyStoreTls=true", "is for Java only"),
    ],
)
def test_what_the_client_can_not_do_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conf: str, error: str
) -> None:
    (tmp_path / "client.conf").write_text(conf)
    monkeypatch.setenv("PULSAR_CLIENT_CONF", str(tmp_path / "client.conf"))
    with pytest.raises(SystemExit, match=error):
        conectar()


def test_a_missing_client_conf_and_a_wrong_url_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSAR_CLIENT_CONF", "/no/such/client.conf")
    with pytest.raises(SystemExit, match=r"PULSAR_CLIENT_CONF=/no/such/client.conf: .*No such file"):
        conectar()
    monkeypatch.delenv("PULSAR_CLIENT_CONF")
    monkeypatch.setenv("PULSAR_SERVICE_URL", "broker")
    with pytest.raises(SystemExit, match="PULSAR_SERVICE_URL=broker"):
        conectar()
