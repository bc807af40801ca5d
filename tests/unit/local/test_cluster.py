"""The profile `cluster`: its settings, addresses, certificates, tokens and commands; nothing is started."""

import os
import shutil
import ssl
import stat
from pathlib import Path

import jwt
import pytest
import yaml
from cryptography.hazmat.primitives.serialization import load_der_public_key
from tools.grants import model

from deployment.local import __main__ as program
from deployment.local import credentials, java, profiles
from deployment.local.cluster import certificates, configuration, environment, nodes, replicas, tokens
from deployment.local.cluster.platform import Cluster
from deployment.local.cluster.settings import Settings
from deployment.local.errors import PlatformError
from deployment.local.settings import Settings as SingleSettings
from deployment.local.single import Single


def env(data: Path, **more: str) -> dict[str, str]:
    return {"PLATFORM_DATA": str(data), "PLATFORM_PROFILE": "cluster", "PLATFORM_NETWORK": "127.81.7", **more}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster's data folder with all that is made before anything is started."""
    data = tmp_path_factory.mktemp("made")
    found = Settings.from_env(env(data))
    credentials.generate(data, (replicas.REPLICATOR, "jwt"))
    certificates.make(found)
    tokens.make(data)
    return data


@pytest.fixture
def settings(made: Path, tmp_path: Path) -> Settings:
    """Of such a cluster, which was started once."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    found = Settings.from_env(env(tmp_path))
    found.remember(["zookeeper"])
    return found


def test_a_data_folder_remembers_its_profile(settings: Settings) -> None:
    assert isinstance(profiles.from_env({"PLATFORM_DATA": str(settings.data)}), Cluster)
    with pytest.raises(PlatformError, match="is a platform of the profile cluster: unset PLATFORM_PROFILE=single"):
        profiles.from_env({"PLATFORM_DATA": str(settings.data), "PLATFORM_PROFILE": "single"})


def test_without_a_word_a_platform_is_single(tmp_path: Path) -> None:
    assert isinstance(profiles.from_env({"PLATFORM_DATA": str(tmp_path)}), Single)


def test_a_profile_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="PLATFORM_PROFILE is 'clustre': it must be one of single, cluster"):
        profiles.from_env(env(tmp_path, PLATFORM_PROFILE="clustre"))


@pytest.mark.parametrize("network", ["10.81", "10.81.7.1", "10.256.7", "192.168.7", "ten"])
def test_what_is_no_network_is_refused(tmp_path: Path, network: str) -> None:
    with pytest.raises(PlatformError, match=f"PLATFORM_NETWORK is '{network}'"):
        Settings.from_env(env(tmp_path, PLATFORM_NETWORK=network))


def test_a_cluster_keeps_its_network(settings: Settings) -> None:
    assert Settings.from_env({"PLATFORM_DATA": str(settings.data)}).network == "127.81.7"
    with pytest.raises(PlatformError, match=r"PLATFORM_NETWORK stays 127\.81\.7"):
        Settings.from_env(env(settings.data, PLATFORM_NETWORK="127.81.8"))


def test_a_network_of_its_own_is_chosen_for_each_data_folder(tmp_path: Path) -> None:
    networks = {
        Settings.from_env({"PLATFORM_DATA": str(tmp_path / name), "PLATFORM_PROFILE": "cluster"}).network
        for name in "abcdefgh"
    }
    assert len(networks) > 1
    assert "127.0.0" not in networks


def test_each_node_has_an_address_of_its_own(settings: Settings) -> None:
    assert len({settings.address(name) for name in nodes.HOSTS}) == len(nodes.HOSTS)
    assert settings.namespace("broker-1") is None, "these are the loopback interface's"
    assert Settings(settings.data, "10.81.7").namespace("broker-1") == "pm-81-7-broker-1"
    longest = f"{Settings(settings.data, '10.255.255').prefix}-{max(nodes.HOSTS.values())}"
    assert len(longest) <= 15, "Linux takes no longer name of an interface"


def test_each_node_has_a_certificate_for_its_address(settings: Settings) -> None:
    for name in nodes.HOSTS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate(settings.data, name), certificates.key(settings.data, name))
        assert stat.S_IMODE(certificates.key(settings.data, name).stat().st_mode) == 0o600
    before = certificates.certificate(settings.data, "bff-1").read_bytes()
    certificates.make(settings)
    assert certificates.certificate(settings.data, "bff-1").read_bytes() == before


def test_every_role_has_a_token_and_every_function_a_role(settings: Settings) -> None:
    public = load_der_public_key(tokens.public_key(settings.data).read_bytes())
    for role in tokens.roles():
        claims = jwt.decode(tokens.file(settings.data, role).read_text(), public, ["RS256"])  # type: ignore[arg-type]
        assert claims["sub"] == role
    assert {"deployer", "bff", "function-crear-orden", "function-registrar-saga"} <= set(tokens.roles())
    assert (sorted(tokens.roles()), tokens.SUPERUSERS) == (sorted(model.roles()), model.SUPERUSERS)
    assert stat.S_IMODE(tokens.folder(settings.data).stat().st_mode) == 0o700


def test_tokens_are_replaced_by_others_that_the_same_key_verifies(settings: Settings) -> None:
    file = tokens.file(settings.data, "bff")
    public = load_der_public_key(tokens.public_key(settings.data).read_bytes())
    old = jwt.decode(file.read_text(), public, ["RS256"])  # type: ignore[arg-type]
    assert tokens.write(settings.data, 1) == len(tokens.roles())
    new = jwt.decode(file.read_text(), public, ["RS256"])  # type: ignore[arg-type]
    assert new["exp"] < old["exp"]


def test_a_new_function_gets_its_token_at_the_next_start(settings: Settings) -> None:
    kept, lost = tokens.file(settings.data, "bff"), tokens.file(settings.data, "function-crear-orden")
    lost.unlink()
    tokens.make(settings.data)
    assert lost.exists()
    assert kept.exists()


def test_no_service_gets_more_secrets_than_it_needs(settings: Settings) -> None:
    worker, bff = environment.for_functions(settings), environment.for_bff(settings, "bff-1")
    assert not {"DB_ADMIN_PASSWORD", "BFF_JWT_SECRET", "PULSAR_CLIENT_CONF"} & set(worker)
    assert not any(name.startswith("DB_PASSWORD_") for name in bff)
    assert bff["PULSAR_CLIENT_CONF"].endswith("/bff.conf")


def test_people_have_the_deployers_token_unless_they_name_another_role(settings: Settings) -> None:
    cluster = Cluster(settings)
    assert cluster.environment(None)["PULSAR_CLIENT_CONF"].endswith("/deployer.conf")
    assert cluster.environment("operator")["PULSAR_CLIENT_CONF"].endswith("/operator.conf")
    with pytest.raises(PlatformError, match="there is no role 'root'; there are administrator, broker, "):
        cluster.environment("root")


def test_a_single_platform_has_no_roles(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="--as operator: this platform has no authentication"):
        Single(SingleSettings.from_env({"PLATFORM_DATA": str(tmp_path)})).environment("operator")


@pytest.mark.parametrize("command", ["promote", "rotate"])
def test_commands_of_a_cluster_are_refused_elsewhere(tmp_path: Path, command: str) -> None:
    single = Single(SingleSettings.from_env({"PLATFORM_DATA": str(tmp_path)}))
    with pytest.raises(PlatformError, match=f"{command} is for a cluster: PLATFORM_PROFILE=cluster"):
        program.on_cluster(command, program.parser(single.names).parse_args([command]), single)


def test_nothing_listens_without_tls(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "tool", lambda *_: ["java"])
    configuration.write_all(settings)
    for name in nodes.of_kind("broker"):
        lines = configuration.file(settings.data, name).read_text().splitlines()
        assert {"brokerServicePort=", "webServicePort=", "brokerServicePortTls=6651", "webServicePortTls=8443"} <= {
            *lines
        }
        assert {"authenticationEnabled=true", "authorizationEnabled=true", "tlsHostnameVerificationEnabled=true"} <= {
            *lines
        }
    for name in nodes.of_kind("functions-worker"):
        conf = yaml.safe_load(configuration.file(settings.data, name).read_text())
        assert (conf["workerPort"], conf["workerPortTls"]) == (None, 6751)
        assert conf["functionAuthProviderClassName"] == "TokenOfFunction"
        assert (
            conf["authenticationEnabled"]
            is conf["authorizationEnabled"]
            is conf["tlsEnableHostnameVerification"]
            is True
        )


def test_the_record_of_the_primary_outlives_an_interruption(settings: Settings) -> None:
    assert replicas.Record.read(settings.data) == replicas.Record("postgres-1", 1)
    assert replicas.needs(settings, "postgres-2") == ("postgres-1",)
    replicas.Record("postgres-2", 2).write(settings.data)
    assert replicas.needs(settings, "postgres-1") == ("postgres-2",)
    assert replicas.needs(settings, "postgres-2") == ()


def test_a_network_that_this_user_can_not_make_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user who is not root, or root in a container without that right."""
    (tmp_path / "unshare").write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    (tmp_path / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert Settings.from_env(env(tmp_path / "data", PLATFORM_NETWORK="")).network.startswith("127.")
    with pytest.raises(PlatformError, match="network namespaces, and the program `ip`"):
        Cluster(Settings.from_env(env(tmp_path, PLATFORM_NETWORK="10.81.7"))).connect()
