"""What there is to deploy: each function's configuration and package as the repository has them, and what differs."""

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import package
import yaml
from admin import TENANT, cumple
from function_config import CAMPOS, defectos, rehusados
from questions import de_funciones, paquetes
from schemas_registry import sin_registrar
from topics import corto

AMBIENTE: Final = {"DB_HOSTNAME": "127.0.0.1", "DB_PORT": "5432"}
"""Environment variables that become a part of the functions' userConfig, and their defaults."""


@dataclass(frozen=True, slots=True)
class Accion:
    """`verbo`: create or update, as pulsar-admin has them. `campos`: what differs. `anterior`: the configuration that
    is deployed, if any; its package is `<name>.deployed`.
    """

    verbo: str
    campos: tuple[str, ...] = ()
    anterior: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.verbo} ({', '.join(self.campos)})" if self.campos else self.verbo


def deseadas(nombres: Sequence[str], carpeta: Path) -> dict[str, dict[str, Any]]:
    """The configurations to deploy: with where the database is, and the content hash of the package.

    The packages are written to `carpeta`.
    """
    todas = package.configuraciones()
    configs = {nombre: todas[nombre] for nombre in nombres}
    for nombre, config in configs.items():
        contenido = package.construir(nombre, todas, carpeta).read_bytes()
        ambiente = {clave: os.environ.get(clave, valor) for clave, valor in AMBIENTE.items()}
        config["userConfig"] |= {**ambiente, "PACKAGE": f"sha256:{hashlib.sha256(contenido).hexdigest()}"}
    return configs


def por_desplegar(configs: Mapping[str, dict[str, Any]], carpeta: Path) -> dict[str, Accion]:
    """The functions to create or update: those whose configuration or package differs.

    The deployed packages are fetched and compared: a worker may have kept the old one and said nothing. Ends the
    program if Pulsar would refuse an update.
    """
    todas, acciones, rehusadas = list(configs.values()), dict[str, Accion](), list[str]()
    for config, hay, contenido in zip(todas, de_funciones(todas), paquetes(todas), strict=True):
        nombre = config["name"]
        if hay is None:
            acciones[nombre] = Accion("create")
            continue
        if contenido is None:
            sys.exit(
                f"error: the functions worker has lost the package of {nombre}: delete the function, run this again"
            )
        (carpeta / f"{nombre}.deployed").write_bytes(contenido)
        campos = [campo for campo, valor in _sin_paquete(config).items() if not cumple(hay.get(campo), valor)]
        declarado = hay.get("userConfig", {}).get("PACKAGE") == config["userConfig"]["PACKAGE"]
        if contenido != paquete(config, carpeta).read_bytes() or not declarado:
            campos.append("package")
        if campos:
            acciones[nombre] = Accion("update", tuple(campos), _desplegada(hay))
        rehusadas += [f"  {nombre}: {falta}" for falta in rehusados(hay, config)]
    if rehusadas:
        sys.exit(
            "\n".join(["error: Pulsar does not alter this in a function that exists:", *rehusadas])
            + "\n  Nothing was changed. Delete these functions with pulsar-admin (cleanupSubscription: false keeps what"
            " waits for them), and run this again."
        )
    return acciones


def exigir_esquemas(configs: Iterable[Mapping[str, Any]], carpeta: Path) -> None:
    """Ends the program if the broker would refuse these functions: those that run now are better than that.

    What they use is in their packages, in `carpeta`.
    """
    usados: dict[str, list[Any]] = {}
    for config in configs:
        topics = {corto(entrada) for entrada in config["inputSpecs"]} | set(config["userConfig"].get("PUBLICA", ()))
        for topic, definicion in package.esquemas(paquete(config, carpeta), topics).items():
            usados.setdefault(topic, []).append(definicion)
    if faltan := sin_registrar(usados):
        sys.exit(
            f"error: the cluster does not have these schemas as the functions use them: {', '.join(faltan)}\n"
            "  Nothing was deployed. Run provision.py; if the broker refuses them, `schemas.py check` says why."
        )


def paquete(config: Mapping[str, Any], carpeta: Path) -> Path:
    """A canary has the package of the function it is a canary of."""
    return carpeta / f"{config['userConfig'].get('FUNCION', config['name'])}.zip"


def orden(verbo: str, config: dict[str, Any], carpeta: Path) -> list[str]:
    """The pulsar-admin command that creates or updates a function; writes the file that it takes into `carpeta`."""
    archivo = carpeta / f"{config['name']}.yaml"
    archivo.write_text(yaml.safe_dump(config), "utf-8")
    return ["functions", verbo, "--function-config-file", str(archivo), "--py", str(paquete(config, carpeta))]


def quien(config: Mapping[str, Any]) -> list[str]:
    """How pulsar-admin names a function."""
    return ["--tenant", TENANT, "--namespace", config["namespace"], "--name", config["name"]]


def exigir_sin_defectos(configs: dict[str, dict[str, Any]]) -> None:
    """Ends the program if a configuration says what Pulsar would refuse or ignore."""
    if mal := [f"  {nombre}: {defecto}" for nombre, config in configs.items() for defecto in defectos(config)]:
        sys.exit("\n".join(["error: deployment/functions, nothing was changed:", *mal]))


def mostrar(acciones: Mapping[str, Accion]) -> None:
    """The plan, for people."""
    for nombre, accion in acciones.items():
        print(f"  {nombre}: {accion}")
    print(f"plan: {len(acciones)} changes of functions" if acciones else "plan: no changes of functions")


def _desplegada(hay: Mapping[str, Any]) -> dict[str, Any]:
    """What `functions get` says, as `functions update` takes it: without what it fills in by itself."""
    return {
        campo: valor
        for campo, valor in hay.items()
        if campo in CAMPOS and campo != "inputs" and valor not in (None, {})
    }


def _sin_paquete(config: dict[str, Any]) -> dict[str, Any]:
    return config | {"userConfig": {clave: v for clave, v in config["userConfig"].items() if clave != "PACKAGE"}}
