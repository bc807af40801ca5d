"""Schemas: is a change compatible, what was released, what does the cluster have.

  check    every schema against every version of it that was released; no cluster needed. The gate of CI.
  release  puts today's versions on record (schemas/releases), with samples that functions must read for ever
  list     every version of every schema in the cluster's registry
  diff     what is missing in the cluster, extra there, or changed
  upload   what is missing, after `check`; safe to run again (provision.py does it too)

A schema changes so: edit the .avsc, add what is new as optional, raise its `version`, `release`, then provision, and
only then deploy what uses it.
Exit codes: 0; 1 something failed, or `check` refuses; 2 wrong usage; 3 `diff` found differences.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import admin
import schemas_check
import schemas_files
import schemas_registry
import schemas_release

AYUDA: Final = argparse.RawDescriptionHelpFormatter


def revisar(_: Any) -> int:
    problemas = list(schemas_check.revisar())
    for ruta, que, remedio in problemas:
        print(f"{ruta}: {que}\n  instead: {remedio}", file=sys.stderr)
    if problemas:
        print(f"refused: {len(problemas)} problems", file=sys.stderr)
        return 1
    cuantas = sum(len(schemas_files.lanzadas(topic)) for topic in schemas_files.topics())
    print(f"{len(schemas_files.topics())} schemas, {cuantas} released versions: every one reads every other")
    return 0


def lanzar(_: Any) -> int:
    lanzadas = [ruta for topic in schemas_files.topics() for ruta in schemas_release.lanzar(topic)]
    for ruta in lanzadas:
        print(ruta.relative_to(admin.RAIZ))
    return revisar(_)


def listar(args: Any) -> int:
    filas = [
        {"topic": topic, "version": registrada.numero, "uploaded": registrada.hora.isoformat(timespec="seconds")}
        | ({"schema": registrada.definicion} if args.json else {})
        for topic, versiones in _leer().items()
        for registrada in versiones
    ]
    _mostrar(filas, args.json)
    return 0


def comparar(args: Any) -> int:
    diferencias = list(schemas_registry.diferencias(_leer()))
    _mostrar([{"topic": d.topic, "version": d.numero, "state": d.estado} for d in diferencias], args.json)
    if not diferencias and not args.json:
        print("no differences")
    return 3 if diferencias else 0


def subir(args: Any) -> int:
    if not args.force and revisar(args):
        return 1
    diferencias = list(schemas_registry.diferencias(_leer()))
    if error := schemas_registry.ajenas(diferencias):
        print(error, file=sys.stderr)
        return 1
    faltan = [d for d in diferencias if d.estado == "missing"]
    fallos = 0
    for diferencia, fallo in schemas_registry.cargar(faltan):
        if fallo is None:
            print(f"  version {diferencia.numero} of {diferencia.topic}")
        else:
            print(fallo, file=sys.stderr)
            fallos += 1
    print(f"uploaded: {len(faltan) - fallos} of {len(faltan)} schemas" if faltan else "uploaded: no changes")
    return int(fallos > 0)


def _leer() -> Any:
    print(f"reading the registry of {admin.url_admin()} …", file=sys.stderr, flush=True)
    return schemas_registry.leer()


def _mostrar(filas: Sequence[dict[str, Any]], en_json: bool) -> None:
    ancho = max((len(fila["topic"]) for fila in filas), default=0)
    for fila in filas:
        topic, numero, *resto = fila.values()
        print(json.dumps(fila) if en_json else f"{topic:<{ancho}}  {'version ' + str(numero):<12}{resto[0]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("schemas.py", description=__doc__, epilog=admin.__doc__, formatter_class=AYUDA)
    ordenes = parser.add_subparsers(required=True, metavar="COMMAND")
    acciones: dict[str, Callable[[Any], int]] = {
        "check": revisar,
        "release": lanzar,
        "list": listar,
        "diff": comparar,
        "upload": subir,
    }
    for nombre, accion in acciones.items():
        orden = ordenes.add_parser(nombre)
        orden.set_defaults(accion=accion)
        if nombre in ("list", "diff"):
            orden.add_argument("--json", action="store_true", help="one JSON object on each line")
        if nombre == "upload":
            orden.add_argument("--force", action="store_true", help="without `check`: the broker still has its say")
    return parser


def main() -> int:
    argumentos = _parser().parse_args()
    try:
        codigo: int = argumentos.accion(argumentos)
    except ValueError as error:
        sys.exit(f"error: {error}")
    return codigo
