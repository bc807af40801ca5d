"""Passwords of the containers: who gets which, that nobody sees them, and the two shell scripts."""

import os
import re
import shutil
import ssl
import stat
import subprocess
import sys
from ast import literal_eval
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from tools.cluster.repository import function_configs

from functions.postgres import tls
from tests.support.manifests import (
    COMPOSE,
    DEPLOYMENT,
    KUBERNETES,
    Container,
    compose_containers,
    generated,
    kubernetes_containers,
    make_secrets,
    pods,
    service_secrets,
    variables_of,
)
from tests.support.platform import ROOT
from tests.support.postgres_servers import tls_of

CONTAINERS: Final = [*compose_containers(), *kubernetes_containers()]
SECRET_NAME: Final = re.compile("PASSWORD|SECRET|TOKEN")


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder as make-secrets makes it."""
    return make_secrets(tmp_path / "secrets")


def run_with_secrets(folder: Path, names: Mapping[str, str], *command: str) -> str:
    """What a command prints that `with-secrets` runs; `names`: variable and file."""
    mounted = folder.with_name("run")
    mounted.mkdir()
    for variable, file in names.items():
        shutil.copy(folder / file, mounted / variable)
    env = {"PATH": os.environ["PATH"], "SECRETS_FOLDER": str(mounted)}
    command = ("sh", str(DEPLOYMENT / "docker" / "with-secrets"), *command)
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda c: c.location)
def test_whoever_needs_passwords_gets_all_of_them_and_no_others(container: Container) -> None:
    secrets = {name for name in container.env if SECRET_NAME.search(name)}
    assert all(container.env[key] is None for key in secrets)
    for program in container.programs:
        requested = {v for v in variables_of(program) if SECRET_NAME.search(v)}
        if program == "deployment.databases.prune":
            requested = {"DB_ADMIN_PASSWORD"}
        assert secrets == requested


def test_every_secret_of_a_function_is_in_the_worker_and_in_kubernetes_made_of_the_same_file() -> None:
    secret_refs = {name: s for config in function_configs().values() for name, s in config["secrets"].items()}
    assert service_secrets(COMPOSE["services"]["pulsar"]) == {name: name for name in secret_refs}
    for name, request in secret_refs.items():
        assert generated()[(request["path"], request["key"])] == name


def test_a_role_has_the_same_password_in_the_database_and_in_the_program_that_uses_it() -> None:
    env = {location: c.get("env", []) for location, pod in pods() for c in pod["containers"]}
    refs = {d: {v["name"]: v["valueFrom"]["secretKeyRef"] for v in vs if "valueFrom" in v} for d, vs in env.items()}
    files = {d: {n: generated()[(r["name"], r["key"])] for n, r in rs.items()} for d, rs in refs.items()}
    assert files["Job databases"] == {n: n for n in files["Job databases"]}
    assert files["CronJob prune"] == {n: n for n in ("DB_ADMIN_PASSWORD", "DB_SSLROOTCERT")}
    bff_secrets = {name: name for name in ("BFF_JWT_SECRET", "DB_SSLROOTCERT")} | {"DB_PASSWORD": "DB_PASSWORD_BFF"}
    assert files["Deployment bff"] == bff_secrets
    assert service_secrets(COMPOSE["services"]["bff"]) == bff_secrets


def exposed_passwords(node: Any, name: str = "") -> list[str]:
    """The names of passwords whose values a document says."""
    if isinstance(node, dict):
        own_name = node.get("name", "")
        is_secret = node.get("kind") == "Secret"
        children = [exposed_passwords(v, own_name if k == "value" else k) for k, v in node.items()]
        return [n for visible in children for n in visible] + (
            [f"Secret {node['metadata']['name']}"] if is_secret else []
        )
    if isinstance(node, list):
        return [n for member in node for n in exposed_passwords(member, name)]
    if isinstance(node, bool) or node is None:
        return []
    assigned, separator, text = str(node).rpartition("=")
    found = re.search(r"(password|secret|token)$", assigned if separator else name, re.IGNORECASE)
    is_file_reference = re.fullmatch(r"secrets/\w+", text)
    return [name] if (found and not is_file_reference) or re.search(r"://[^/\s]*:[^/\s]*@", str(node)) else []


def test_no_file_has_a_password_in_it() -> None:
    paths = [DEPLOYMENT / "compose.yaml", *KUBERNETES.glob("*.yaml"), *(DEPLOYMENT / "functions").glob("*.yaml")]
    documents = [(r.name, d) for r in paths for d in yaml.safe_load_all(r.read_text("utf-8"))]
    assert [(name, seen) for name, document in documents for seen in exposed_passwords(document)] == []


@pytest.mark.parametrize(
    "planted",
    [
        "services: {postgres: {environment: {POSTGRES_PASSWORD: hunter2}}}",
        "services: {postgres: {environment: [POSTGRES_PASSWORD=hunter2]}}",
        "containers: [{env: [{name: DB_PASSWORD, value: hunter2}]}]",
        "secretGenerator: [{name: saga, literals: [password=hunter2]}]",
        "{kind: Secret, metadata: {name: saga}, stringData: {x: hunter2}}",
        "args: [--url, 'postgresql://saga:hunter2@postgres/saga']",
    ],
)
def test_a_password_that_is_planted_is_seen(planted: str) -> None:
    assert len(exposed_passwords(yaml.safe_load(planted))) == 1


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git repository")
def test_git_does_not_see_the_files_with_passwords() -> None:
    folders = {Path(s["file"]).parent for s in COMPOSE["secrets"].values()}
    paths = [DEPLOYMENT / folder / "x" for folder in folders] + [KUBERNETES / "secrets" / "x"]
    for path in paths:
        assert subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False).returncode == 0


def test_make_secrets_makes_what_compose_and_kubernetes_want_once(secrets: Path) -> None:
    before = files_in(secrets)
    assert {s["file"].removeprefix("secrets/") for s in COMPOSE["secrets"].values()} <= before.keys()
    outside = {"POSTGRES_KEY", "token-keys/private.pem", "kustomization.yaml"}  # what Kubernetes never sees
    assert before.keys() == {*generated().values(), *outside}
    assert len(set(before.values())) == len(before)
    passwords = [value.decode() for name, value in before.items() if SECRET_NAME.search(name)]
    assert len(passwords) == 10
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in passwords)
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    (secrets / "DB_PASSWORD_SAGA").unlink()
    after = files_in(make_secrets(secrets))
    assert after.keys() == before.keys()
    assert [name for name in before if before[name] != after[name]] == ["DB_PASSWORD_SAGA"]


def files_in(folder: Path) -> dict[str, bytes]:
    """The files of a folder, and of those in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everybody_verifies_postgresql_with_the_certificate_that_it_shows(secrets: Path) -> None:
    users = [c for c in CONTAINERS if set(c.programs) & {"bff", "deployment.databases", "deployment.databases.prune"}]
    users += [c for c in CONTAINERS if "pulsar-admin-scripts/deploy.py" in c.programs]
    assert len(users) >= 7
    for container in users:
        assert container.env["DB_SSLMODE"] == "verify-full", container.location
        assert container.env["DB_SSLROOTCERT"] is None, container.location
    assert generated()[("postgres-authority", "ca.crt")] == "DB_SSLROOTCERT"
    command = " ".join(COMPOSE["services"]["postgres"]["command"])
    assert "-c ssl=on -c ssl_cert_file=/run/secrets/DB_SSLROOTCERT" in command
    assert set(re.findall(r"/run/secrets/(\w+)", command)) <= service_secrets(COMPOSE["services"]["postgres"]).keys()
    files = secrets / "DB_SSLROOTCERT", secrets / "POSTGRES_KEY"
    server, client = tls_of(files), tls.context({"DB_SSLROOTCERT": files[0].read_text()}, "postgres")
    assert isinstance(client, ssl.SSLContext)
    assert shakes_hands(server, client, "postgres")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shakes_hands(server, client, "impostor")


def shakes_hands(server: ssl.SSLContext, client: ssl.SSLContext, hostname: str) -> bool:
    """A TLS handshake in memory; the client's refusal is raised."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(down, up, server_hostname=hostname)
    answering = server.wrap_bio(up, down, server_side=True)
    for side in (asking, answering, asking, answering):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return asking.version() == answering.version() == "TLSv1.3"


def test_what_an_authority_of_ones_own_has_signed_stays(tmp_path: Path) -> None:
    (tmp_path / "DB_SSLROOTCERT").write_text("mine")
    make_secrets(tmp_path)
    assert (tmp_path / "DB_SSLROOTCERT").read_text() == "mine"
    assert not (tmp_path / "POSTGRES_KEY").exists()


def test_with_secrets_gives_a_program_its_passwords_and_becomes_it(secrets: Path) -> None:
    code = "import os; print({n: v for n, v in os.environ.items() if 'PASSWORD' in n}, os.getppid())"
    printed = run_with_secrets(secrets, {"DB_PASSWORD": "DB_PASSWORD_BFF"}, sys.executable, "-c", code)
    found, _, parent = printed.strip().rpartition(" ")
    assert literal_eval(found) == {"DB_PASSWORD": (secrets / "DB_PASSWORD_BFF").read_text()}
    assert int(parent) == os.getpid()
