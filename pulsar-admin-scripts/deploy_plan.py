"""What there is to deploy: each function's configuration and package as the repository has them, and what differs."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import package
from admin import TENANT, Respuesta, cumple, ejecutar, url_functions
from function_config import defectos, rehusados


@dataclass(frozen=True, slots=True)
class Accion:
    """`verbo`: create or update, as pulsar-admin has them. `campos`: what differs."""

    verbo: str
    campos: tuple[str, ...] = ()

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
        config["userConfig"] |= {
            "DB_HOSTNAME": os.environ.get("DB_HOSTNAME", "127.0.0.1"),
            "DB_PORT": os.environ.get("DB_PORT", "5432"),
            "PACKAGE": f"sha256:{hashlib.sha256(contenido).hexdigest()}",
        }
    return configs


def por_desplegar(configs: dict[str, dict[str, Any]], carpeta: Path) -> dict[str, Accion]:
    """The functions to create or update: those whose configuration or package differs.

    The deployed packages are fetched and compared: a worker may have kept the old one and said nothing. Ends the
    program if Pulsar would refuse an update.
    """
    consultas = [["functions", "get", *quien(config)] for config in configs.values()]
    for nombre, config in configs.items():
        consultas.append(
            ["functions", "download", *quien(config), "--destination-file", f"{carpeta / nombre}.deployed"]
        )
    respuestas, acciones, rehusadas = ejecutar(consultas, url_functions()), dict[str, Accion](), list[str]()
    mitad = len(configs)
    for (nombre, config), actual, paquete in zip(configs.items(), respuestas[:mitad], respuestas[mitad:], strict=True):
        if actual.no_existe:
            acciones[nombre] = Accion("create")
            continue
        hay = json.loads(actual.exigir().texto)
        campos = [campo for campo, valor in _sin_paquete(config).items() if not cumple(hay.get(campo), valor)]
        declarado = hay.get("userConfig", {}).get("PACKAGE") == config["userConfig"]["PACKAGE"]
        if not _mismo_paquete(carpeta / nombre, paquete) or not declarado:
            campos.append("package")
        if campos:
            acciones[nombre] = Accion("update", tuple(campos))
        rehusadas += [f"  {nombre}: {falta}" for falta in rehusados(hay, config)]
    if rehusadas:
        sys.exit(
            "\n".join(["error: Pulsar does not alter this in a function that exists:", *rehusadas])
            + "\n  Nothing was changed. Delete these functions with pulsar-admin (cleanupSubscription: false keeps what"
            " waits for them), and run this again."
        )
    return acciones


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


def _sin_paquete(config: dict[str, Any]) -> dict[str, Any]:
    return config | {"userConfig": {clave: v for clave, v in config["userConfig"].items() if clave != "PACKAGE"}}


def _mismo_paquete(ruta: Path, descarga: Respuesta) -> bool:
    descarga.exigir()
    deseado, desplegado = (ruta.with_name(f"{ruta.name}.{fin}") for fin in ("zip", "deployed"))
    return desplegado.read_bytes() == deseado.read_bytes()
