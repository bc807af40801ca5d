"""make-secrets: each role's token is signed by the one key, in the secret that its program or function mounts."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_pem_x509_certificate
from tools.cluster.repository import function_configs

from deployment.local.cluster.tokens import ROLES, SUPERUSERS
from functions.cluster import client_conf
from tests.support.manifests import DEPLOYMENT, KUBERNETES, VALUES, generated, make_secrets, pods

PEOPLE_AND_PROGRAMS: Final = set(ROLES)
FUNCTIONS: Final = {f"function-{name}" for name in function_configs()}
DAY: Final = 86400


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as make-secrets makes it; nothing changes it."""
    return make_secrets(tmp_path_factory.mktemp("secrets"))


def tokens(folder: Path) -> dict[str, str]:
    """Each role's token."""
    return {path.stem: path.read_text() for path in (folder / "tokens").iterdir()}


def claims(token: str, folder: Path) -> dict[str, Any]:
    """What a token says, if the folder's key has signed it; else an error of PyJWT."""
    key = load_der_public_key((folder / "token-keys" / "public.der").read_bytes())
    found: dict[str, Any] = jwt.decode(token, key, ["RS256"])  # type: ignore[arg-type]
    return found


def test_each_role_has_a_token_for_a_year_that_is_signed_with_the_key(made: Path) -> None:
    found = {role: claims(token, made) for role, token in tokens(made).items()}
    assert found.keys() == PEOPLE_AND_PROGRAMS | FUNCTIONS
    assert len(FUNCTIONS) == 26
    for role, said in found.items():
        assert said.keys() == {"sub", "iat", "exp"}
        assert said["sub"] == role
        assert said["exp"] - said["iat"] == 365 * DAY
        assert abs(time.time() - said["iat"]) < DAY


def test_each_role_has_a_secret_and_the_keys_that_sign_stay_outside() -> None:
    files = generated()
    for role in PEOPLE_AND_PROGRAMS:
        assert files[(f"pulsar-token-{role}", "TOKEN")] == f"tokens/{role}.jwt"
    for role in FUNCTIONS:
        assert {key: file for (name, key), file in files.items() if name == role} == {
            "token": f"tokens/{role}.jwt",
            "ca.crt": "PULSAR_AUTHORITY",
        }
    assert files[("pulsar-token-asymmetric-key", "PUBLICKEY")] == "token-keys/public.der"
    assert "token-keys/private.pem" not in files.values()
    assert set(VALUES["auth"]["superUsers"].values()) - {""} == set(SUPERUSERS)


def test_programs_have_the_token_of_their_role_the_authority_and_the_client_conf() -> None:
    roles = {}
    for location, pod in pods():
        volumes = {volume["name"]: volume for volume in pod.get("volumes", ())}
        for container in [*pod.get("initContainers", ()), *pod["containers"]]:
            for mount in container.get("volumeMounts", ()):
                sources = volumes[mount["name"]].get("projected", {}).get("sources", ())
                if not sources:
                    continue
                assert mount == {"name": mount["name"], "mountPath": "/etc/pulsar", "readOnly": True}
                config_maps = [s["configMap"] for s in sources if "configMap" in s]
                assert config_maps == [{"name": "pulsar-client"}]
                secrets = {i["path"]: (s["secret"]["name"], i["key"])
                           for s in sources if "secret" in s for i in s["secret"]["items"]}  # fmt: skip
                assert secrets.keys() == {"token", "ca.crt"}
                assert secrets["ca.crt"] == ("pulsar-ca-tls", "ca.crt")
                assert set(secrets.values()) <= generated().keys()
                roles[location, container["name"]] = secrets["token"][0].removeprefix("pulsar-token-")
    assert roles == {
        ("Job deploy", "provision"): "administrator",
        ("Job deploy", "grants"): "administrator",
        ("Job deploy", "deploy"): "deployer",
        ("Deployment bff", "bff"): "bff",
        ("Deployment operator", "operator"): "operator",
    }


def test_the_client_conf_names_what_is_mounted_and_is_read_anew(made: Path, tmp_path: Path) -> None:
    text = (KUBERNETES / "client.conf").read_text("utf-8")
    conf = client_conf.parse(text.replace("/etc/pulsar", str(tmp_path)))
    (tmp_path / "token").write_text("first")
    options = client_conf.options(conf)
    assert options["tls_trust_certs_file_path"] == f"{tmp_path}/ca.crt"
    assert options["tls_validate_hostname"]
    assert not options["tls_allow_insecure_connection"]
    read = client_conf.token(conf["authParams"])
    assert callable(read)
    (tmp_path / "token").write_text(tokens(made)["bff"])
    assert claims(read(), made)["sub"] == "bff"


def test_the_authority_may_sign_certificates_for_ten_years(made: Path) -> None:
    certificate = load_pem_x509_certificate((made / "PULSAR_AUTHORITY").read_bytes())
    usages = {extension.oid._name: extension.value for extension in certificate.extensions}
    assert usages["basicConstraints"].ca
    assert usages["keyUsage"].key_cert_sign
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 3650


def test_tokens_of_the_last_month_are_made_anew_and_no_others(tmp_path: Path) -> None:
    environment = os.environ | {"TOKEN_DAYS": "29"}
    command = ["sh", str(DEPLOYMENT / "make-secrets"), str(tmp_path)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    short = tokens(tmp_path)
    make_secrets(tmp_path)
    renewed = tokens(tmp_path)
    assert all(renewed[role] != short[role] for role in short)
    assert all(claims(token, tmp_path)["exp"] > time.time() + 364 * DAY for token in renewed.values())
    (tmp_path / "tokens" / "bff.jwt").unlink()
    make_secrets(tmp_path)
    assert {role for role, token in tokens(tmp_path).items() if token != renewed[role]} <= {"bff"}
    (tmp_path / "token-keys" / "private.pem").unlink()
    make_secrets(tmp_path)
    after = tokens(tmp_path)
    assert after.keys() == renewed.keys()
    assert all(claims(token, tmp_path)["sub"] == role for role, token in after.items())
    with pytest.raises(jwt.InvalidSignatureError):
        claims(renewed["bff"], tmp_path)


def test_nothing_is_signed_without_openssl_and_it_says_so(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "openssl").write_text("#!/bin/sh\necho no openssl today >&2\nexit 1\n")
    (programs / "openssl").chmod(0o755)
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    command = ["sh", str(DEPLOYMENT / "make-secrets"), str(tmp_path / "secrets")]
    ended = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "no openssl today" in ended.stderr
    assert not list((tmp_path / "secrets" / "tokens").iterdir())
