"""What deployment/ says of containers, as the tests look at it: services, pods, stages of the Dockerfile."""

import ast
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.platform import ROOT

DEPLOYMENT: Final = ROOT / "deployment"
KUBERNETES: Final = DEPLOYMENT / "kubernetes"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((DEPLOYMENT / "compose.yaml").read_text("utf-8"))
VALUES: Final[dict[str, Any]] = yaml.safe_load((KUBERNETES / "pulsar.values.yaml").read_text("utf-8"))
KUSTOMIZATION: Final[dict[str, Any]] = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))
DOCKERFILE: Final = (DEPLOYMENT / "docker" / "Dockerfile").read_text("utf-8")
IMAGE_PREFIX: Final = "poc-monoliticas/"
"""How the names of our images begin."""
POSTGRES: Final = ("functions/postgres/servers.py", "functions/postgres/tls.py")
ENVIRONMENT_SOURCES: Final = {
    "bff": ("bff/settings.py", *POSTGRES),
    "deployment.databases": ("deployment/databases/__main__.py", "deployment/databases/admin.py", *POSTGRES),
    "deployment.databases.prune": ("deployment/databases/admin.py", *POSTGRES),
    "pulsar-admin-scripts/provision.py": (
        "pulsar-admin-scripts/tools/cluster/shell.py",
        "pulsar-admin-scripts/tools/provision/backlog.py",
    ),
    "pulsar-admin-scripts/grants.py": ("pulsar-admin-scripts/tools/cluster/shell.py",),
    "pulsar-admin-scripts/deploy.py": (
        "pulsar-admin-scripts/tools/cluster/shell.py",
        "pulsar-admin-scripts/tools/deploy/plan.py",
        *POSTGRES,
    ),
}
"""The programs that containers run, and where those read their environment."""


@dataclass(frozen=True)
class Container:
    """One container of ours, of compose or Kubernetes. `env`: names and values; None for a secret's."""

    location: str
    image: str
    command: list[str]
    env: dict[str, str | None]
    shared_variables: frozenset[str] = frozenset()
    """Those of the variables that all get."""

    @property
    def programs(self) -> list[str]:
        """A module's name, or a script's path."""
        return re.findall(r"python3 (?:-m )?(\S+)", " ".join(self.command))


def resources() -> list[dict[str, Any]]:
    """Every Kubernetes object that the kustomization names."""
    texts = [(KUBERNETES / name).read_text("utf-8") for name in KUSTOMIZATION["resources"]]
    return [manifest for text in texts for manifest in yaml.safe_load_all(text)]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind and name, and the specification of the pod."""
    for manifest in resources():
        spec = manifest["spec"].get("jobTemplate", manifest)["spec"]
        if "template" in spec:
            yield f"{manifest['kind']} {manifest['metadata']['name']}", spec["template"]["spec"]


def config_map() -> dict[str, str]:
    """The addresses, which every container gets as variables."""
    (literals,) = [g["literals"] for g in KUSTOMIZATION["configMapGenerator"] if g["name"] == "addresses"]
    return dict(line.split("=", 1) for line in literals)


def kubernetes_containers() -> Iterator[Container]:
    for location, pod in pods():
        for container in [*pod.get("initContainers", ()), *pod["containers"]]:
            assert container["envFrom"] == [{"configMapRef": {"name": "addresses"}}]
            own_env = {variable["name"]: variable.get("value") for variable in container.get("env", ())}
            shared = config_map()
            yield Container(location, container["image"], container["command"], shared | own_env, frozenset(shared))


def compose_containers() -> Iterator[Container]:
    for name, service in COMPOSE["services"].items():
        if service["image"].startswith(IMAGE_PREFIX):
            command = service.get("command") or stages()[service["build"]["target"]].command
            env = service["environment"] | dict.fromkeys(service_secrets(service))
            yield Container(f"compose {name}", service["image"], command, env)


def service_secrets(service: Mapping[str, Any]) -> dict[str, str]:
    """What a service of compose gets: the variable, and the secret's name."""
    mounts = [s if isinstance(s, dict) else {"source": s, "target": s} for s in service.get("secrets", ())]
    return {s["target"]: s["source"] for s in mounts}


def make_secrets(folder: Path) -> Path:
    """The folder, as make-secrets makes it."""
    subprocess.run(["sh", DEPLOYMENT / "make-secrets", folder], check=True, capture_output=True)
    return folder


@cache
def generated() -> dict[tuple[str, str], str]:
    """Kubernetes' secrets: name and key, and the file that it is made of."""
    with tempfile.TemporaryDirectory() as folder:
        text = (make_secrets(Path(folder)) / "kustomization.yaml").read_text("utf-8")
    pairs = [(s["name"], file.split("=", 1)) for s in yaml.safe_load(text)["secretGenerator"] for file in s["files"]]
    return {(name, key): file for name, (key, file) in pairs}


def variables_of(program: str) -> set[str]:
    """The variables of the environment that a program reads: what its sources have in quotes."""
    from deployment.databases.admin import ROLES

    trees = [ast.parse((ROOT / path).read_text("utf-8")) for path in ENVIRONMENT_SOURCES[program]]
    texts = {n.value for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    names = {text for text in texts if isinstance(text, str) and re.fullmatch(r"[A-Z]+(_[A-Z]+)+", text)}
    return names | ({f"DB_PASSWORD_{role.upper()}" for role in ROLES} if program == "deployment.databases" else set())


@dataclass(frozen=True)
class Stage:
    """A stage of the Dockerfile, with all that it inherits: what is copied, from where to where."""

    base: str
    copies: dict[str, str]
    env: dict[str, str]
    command: list[str]
    user: str


def stages() -> dict[str, Stage]:
    stages: dict[str, Stage] = {}
    for base, name, body in re.findall(r"^FROM (\S+) AS (\w+)\n((?:(?!FROM ).*\n?)*)", DOCKERFILE, re.MULTILINE):
        inherited = stages.get(base, Stage(base, {}, {}, [], "0"))
        copies = dict(inherited.copies)
        for line in re.findall(r"^COPY (?:--chmod=\d+ )?(.+)$", body, re.MULTILINE):
            *sources, target = line.split()
            suffix = "/" if target.endswith("/") else ""
            copies |= {o: target + Path(o).name if suffix else target for o in sources}
        env = dict(re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"^ENV (.+)$", body, re.MULTILINE))))
        command = re.findall(r"^CMD (\[.*\])$", body, re.MULTILINE)
        user = re.findall(r"^USER (\S+)$", body, re.MULTILINE)
        stages[name] = Stage(
            base,
            copies,
            inherited.env | env,
            ast.literal_eval(command[-1]) if command else inherited.command,
            user[-1] if user else inherited.user,
        )
    return stages
