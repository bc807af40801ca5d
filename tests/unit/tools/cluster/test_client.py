"""The Pulsar client of the scripts, set up by a client.conf."""

from pathlib import Path

import pulsar
import pytest
from tools.cluster.client import connect
from tools.errors import ToolError

from functions.cluster.client_conf import authentication, options, parse, token

PLUGIN = "org.apache.pulsar.client.impl.auth.Authentication"


def test_a_client_conf_is_read_as_java_reads_it() -> None:
    lines = ("# comment", "! comment", "", "authPlugin=", " authParams = token:a=b ", "tlsTrustCertsFilePath=/old")
    assert parse("\n".join([*lines, "tlsTrustCertsFilePath=/ca"])) == {
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
    assert options(conf) == {
        "tls_trust_certs_file_path": "/ca.pem",
        "tls_allow_insecure_connection": True,
        "tls_validate_hostname": True,
        "tls_certificate_file_path": "/cert.pem",
        "tls_private_key_file_path": "/key.pem",
    }
    assert options({}) == {"tls_allow_insecure_connection": False, "tls_validate_hostname": False}


@pytest.mark.parametrize("parameters", ["token:secreto", "secreto", '{"token": "secreto"}'])
def test_a_token_is_taken_as_pulsar_admin_takes_it(parameters: str) -> None:
    assert token(parameters) == "secreto"
    assert isinstance(authentication(f"{PLUGIN}Token", parameters), pulsar.AuthenticationToken)


@pytest.mark.parametrize("form", ["file:{}", "file://{}"])
def test_a_token_in_a_file_is_read_at_each_connection(tmp_path: Path, form: str) -> None:
    file = tmp_path / "a token"
    file.write_text("uno\n")
    parsed = token(form.format(str(file).replace(" ", "%20")))
    assert callable(parsed)
    assert parsed() == "uno"
    file.write_text("dos\n")
    assert parsed() == "dos"


@pytest.mark.parametrize("parameters", ["tlsCertFile:/c,tlsKeyFile:/k", '{"tlsCertFile": "/c", "tlsKeyFile": "/k"}'])
def test_client_certificates_are_taken_as_pulsar_admin_takes_them(parameters: str) -> None:
    assert isinstance(authentication(f"{PLUGIN}Tls", parameters), pulsar.AuthenticationTLS)
    assert authentication("", "") is None


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
    with pytest.raises(ToolError, match=error):
        connect()


def test_a_missing_client_conf_and_a_wrong_url_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSAR_CLIENT_CONF", "/no/such/client.conf")
    with pytest.raises(ToolError, match=r"PULSAR_CLIENT_CONF=/no/such/client.conf: .*No such file"):
        connect()
    monkeypatch.delenv("PULSAR_CLIENT_CONF")
    monkeypatch.setenv("PULSAR_SERVICE_URL", "broker")
    with pytest.raises(ToolError, match="PULSAR_SERVICE_URL=broker"):
        connect()
