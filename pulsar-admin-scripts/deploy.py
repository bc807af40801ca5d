"""Creates every function, or updates those whose package or configuration differs, and waits until all run.

Safe to run again. What is unchanged is left alone. Run provision.py before: functions whose schemas the cluster does
not have are not deployed.
Environment beside admin.py's: DB_HOSTNAME (127.0.0.1) and DB_PORT (5432), as the functions workers reach
PostgreSQL. Passwords are not deployed: functions ask their secrets provider for DB_PASSWORD_<DATABASE>.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import admin
import package
import yaml
from admin import Respuesta, ejecutar, url_functions
from deploy_plan import deseadas, exigir_sin_defectos, mostrar, por_desplegar, quien
from schemas_registry import sin_registrar
from topics import corto

PLAZO: Final = 90
"""Longest wait for the functions to run, in s."""


def desplegar(configs: dict[str, dict[str, Any]], carpeta: Path) -> list[str]:
    """Creates or updates what differs; returns those functions' names. Ends the program if they still differ then."""
    acciones = por_desplegar(configs, carpeta)
    if not acciones:
        return []
    _exigir_esquemas([configs[nombre] for nombre in acciones])
    print(f"deploying {len(acciones)} functions: {', '.join(acciones)} …", flush=True)
    ordenes = [_orden(accion.verbo, configs[nombre], carpeta) for nombre, accion in acciones.items()]
    for (nombre, accion), respuesta in zip(acciones.items(), ejecutar(ordenes, url_functions()), strict=True):
        respuesta.exigir()
        print(f"  {nombre}: {accion.verbo}d")
    if distintas := por_desplegar({nombre: configs[nombre] for nombre in acciones}, carpeta):
        sys.exit(
            f"error: the functions worker says that it deployed {', '.join(distintas)}, and has something else.\n"
            "  With functionsWorkerEnablePackageManagement=true Pulsar ignores the package of `functions update`:\n"
            "  set it to false, or delete these functions (subscriptions stay, nothing is lost) and run this again."
        )
    return list(acciones)


def _exigir_esquemas(configs: Sequence[dict[str, Any]]) -> None:
    """Ends the program if the broker would refuse these functions: those that run now are better than that."""
    usados = {corto(entrada) for config in configs for entrada in config["inputSpecs"]}
    usados |= {topic for config in configs for topic in config["userConfig"].get("PUBLICA", ())}
    if faltan := sin_registrar(sorted(usados)):
        sys.exit(
            f"error: the cluster does not have these schemas as the functions use them: {', '.join(faltan)}\n"
            "  Nothing was deployed. Run provision.py; if the broker refuses them, `schemas.py check` says why."
        )


def esperar(configs: dict[str, dict[str, Any]]) -> None:
    """Returns when every instance of every function runs; else ends the program, saying what ails them."""
    limite, pendientes = time.monotonic() + PLAZO, dict(configs)
    while True:
        respuestas = ejecutar([["functions", "status", *quien(c)] for c in pendientes.values()], url_functions())
        males = {nombre: _mal(respuesta) for nombre, respuesta in zip(pendientes, respuestas, strict=True)}
        pendientes = {nombre: config for nombre, config in pendientes.items() if males[nombre]}
        if not pendientes:
            return
        if time.monotonic() > limite:
            quienes = [f"  {nombre}: {males[nombre]}" for nombre in pendientes]
            sys.exit("\n".join(["error: not running; their logs say why (here: make logs NAME=…):", *quienes]))
        print(f"  waiting for {', '.join(pendientes)} …", flush=True)


def _orden(accion: str, config: dict[str, Any], carpeta: Path) -> list[str]:
    archivo = carpeta / f"{config['name']}.yaml"
    archivo.write_text(yaml.safe_dump(config), "utf-8")
    paquete = carpeta / f"{config['name']}.zip"
    return ["functions", accion, "--function-config-file", str(archivo), "--py", str(paquete)]


def _mal(respuesta: Respuesta) -> str:
    """Why a function does not run; empty if it does."""
    if respuesta.fallo is not None:
        return respuesta.fallo
    estado = json.loads(respuesta.texto)
    instancias = [instancia["status"] for instancia in estado["instances"]]
    for instancia in instancias:
        if not instancia["running"]:
            return f"{instancia.get('error') or 'an instance is starting'} ({instancia.get('numRestarts', 0)} restarts)"
    faltan = estado["numInstances"] - len(instancias)
    return f"{faltan} instances are not assigned to a functions worker" if faltan else ""


def main() -> None:
    ayuda = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=admin.__doc__, formatter_class=ayuda)
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help="these only; all if none is named")
    parser.add_argument("--plan", action="store_true", help="say what would be created or updated, and change nothing")
    dicho = parser.parse_args()
    nombres = dicho.functions or list(package.configuraciones())
    if desconocidas := set(nombres) - set(package.configuraciones()):
        parser.error(f"no such function: {', '.join(sorted(desconocidas))}; see deployment/functions")
    with TemporaryDirectory() as carpeta:
        configs = deseadas(nombres, Path(carpeta))
        exigir_sin_defectos(configs)
        print(f"comparing {len(configs)} functions with {url_functions()} …", flush=True)
        if dicho.plan:
            mostrar(por_desplegar(configs, Path(carpeta)))
            return
        hechas = desplegar(configs, Path(carpeta))
    esperar(configs)
    print(f"deployed: {len(hechas)} changes" if hechas else "deployed: no changes")


if __name__ == "__main__":
    main()
