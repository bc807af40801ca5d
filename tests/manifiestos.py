"""What deployment/ says of containers, as the tests look at it: services, pods, stages of the Dockerfile."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.plataforma import RAIZ

DEPLOYMENT: Final = RAIZ / "deployment"
KUBERNETES: Final = DEPLOYMENT / "kubernetes"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((DEPLOYMENT / "compose.yaml").read_text("utf-8"))
VALUES: Final[dict[str, Any]] = yaml.safe_load((KUBERNETES / "pulsar.values.yaml").read_text("utf-8"))
KUSTOMIZATION: Final[dict[str, Any]] = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))
DOCKERFILE: Final = (DEPLOYMENT / "docker" / "Dockerfile").read_text("utf-8")
NUESTRAS: Final = "poc-monoliticas/"
"""How the names of our images begin."""
LEEN: Final = {
    "bff": ("bff/ajustes.py",),
    "deployment.databases": ("deployment/databases/__main__.py",),
    "deployment.databases.prune": ("deployment/databases/__main__.py",),
    "pulsar-admin-scripts/provision.py": ("pulsar-admin-scripts/admin.py",),
    "pulsar-admin-scripts/deploy.py": ("pulsar-admin-scripts/admin.py", "pulsar-admin-scripts/deploy_plan.py"),
}
"""The programs that containers run, and where those read their environment."""


@dataclass(frozen=True)
class Contenedor:
    """One container of ours, of compose or Kubernetes. `entorno`: names and values; None for a secret's."""

    donde: str
    imagen: str
    orden: list[str]
    entorno: dict[str, str | None]
    comun: frozenset[str] = frozenset()
    """Those of the variables that all get."""

    @property
    def programas(self) -> list[str]:
        """A module's name, or a script's path."""
        return re.findall(r"python3 (?:-m )?(\S+)", " ".join(self.orden))


def recursos() -> list[dict[str, Any]]:
    """Every Kubernetes object that the kustomization names."""
    textos = [(KUBERNETES / nombre).read_text("utf-8") for nombre in KUSTOMIZATION["resources"]]
    return [objeto for texto in textos for objeto in yaml.safe_load_all(texto)]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind and name, and the specification of the pod."""
    for objeto in recursos():
        spec = objeto["spec"].get("jobTemplate", objeto)["spec"]
        if "template" in spec:
            yield f"{objeto['kind']} {objeto['metadata']['name']}", spec["template"]["spec"]


def direcciones() -> dict[str, str]:
    """The configuration map."""
    (mapa,) = KUSTOMIZATION["configMapGenerator"]
    return dict(linea.split("=", 1) for linea in mapa["literals"])


def de_kubernetes() -> Iterator[Contenedor]:
    for donde, pod in pods():
        for dicho in [*pod.get("initContainers", ()), *pod["containers"]]:
            assert dicho["envFrom"] == [{"configMapRef": {"name": KUSTOMIZATION["configMapGenerator"][0]["name"]}}]
            propias = {variable["name"]: variable.get("value") for variable in dicho.get("env", ())}
            comunes = direcciones()
            yield Contenedor(donde, dicho["image"], dicho["command"], comunes | propias, frozenset(comunes))


def de_compose() -> Iterator[Contenedor]:
    for nombre, servicio in COMPOSE["services"].items():
        if servicio["image"].startswith(NUESTRAS):
            orden = servicio.get("command") or etapas()[servicio["build"]["target"]].orden
            entorno = servicio["environment"] | dict.fromkeys(secretos(servicio))
            yield Contenedor(f"compose {nombre}", servicio["image"], orden, entorno)


def secretos(servicio: Mapping[str, Any]) -> dict[str, str]:
    """What a service of compose gets: the variable, and the secret's name."""
    dichos = [s if isinstance(s, dict) else {"source": s, "target": s} for s in servicio.get("secrets", ())]
    return {s["target"]: s["source"] for s in dichos}


def generados() -> dict[tuple[str, str], str]:
    """Kubernetes' secrets: name and key, and the file that it is made of."""
    pares = [(s["name"], archivo.split("=", 1)) for s in KUSTOMIZATION["secretGenerator"] for archivo in s["files"]]
    return {(nombre, clave): archivo for nombre, (clave, archivo) in pares}


def leidas(programa: str) -> set[str]:
    """The variables of the environment that a program reads: what its sources have in quotes."""
    from deployment.databases.__main__ import ROLES

    arboles = [ast.parse((RAIZ / ruta).read_text("utf-8")) for ruta in LEEN[programa]]
    textos = {n.value for arbol in arboles for n in ast.walk(arbol) if isinstance(n, ast.Constant)}
    nombres = {texto for texto in textos if isinstance(texto, str) and re.fullmatch(r"[A-Z]+(_[A-Z]+)+", texto)}
    return nombres | ({f"DB_PASSWORD_{rol.upper()}" for rol in ROLES} if programa == "deployment.databases" else set())


@dataclass(frozen=True)
class Etapa:
    """A stage of the Dockerfile, with all that it inherits: what is copied, from where to where."""

    base: str
    copias: dict[str, str]
    entorno: dict[str, str]
    orden: list[str]
    usuario: str


def etapas() -> dict[str, Etapa]:
    todas: dict[str, Etapa] = {}
    for base, nombre, cuerpo in re.findall(r"^FROM (\S+) AS (\w+)\n((?:(?!FROM ).*\n?)*)", DOCKERFILE, re.MULTILINE):
        heredada = todas.get(base, Etapa(base, {}, {}, [], "0"))
        copias = dict(heredada.copias)
        for linea in re.findall(r"^COPY (?:--chmod=\d+ )?(.+)$", cuerpo, re.MULTILINE):
            *origenes, destino = linea.split()
            fin = "/" if destino.endswith("/") else ""
            copias |= {o: destino + Path(o).name if fin else destino for o in origenes}
        entorno = dict(re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"^ENV (.+)$", cuerpo, re.MULTILINE))))
        orden = re.findall(r"^CMD (\[.*\])$", cuerpo, re.MULTILINE)
        usuario = re.findall(r"^USER (\S+)$", cuerpo, re.MULTILINE)
        todas[nombre] = Etapa(
            base,
            copias,
            heredada.entorno | entorno,
            ast.literal_eval(orden[-1]) if orden else heredada.orden,
            usuario[-1] if usuario else heredada.usuario,
        )
    return todas
