"""Creates every function, or updates those whose package or configuration differs, and waits until all really run.

    deploy.py [FUNCTION…]            deploy; --plan only says what would be done
    deploy.py history [FUNCTION…]    what was deployed, by whom, when, from which commit
    deploy.py rollback [FUNCTION…]   back to what was deployed before, or --to a version that history lists

Safe to run again. What is unchanged is left alone. Run provision.py before: functions whose schemas the cluster does
not have are not deployed. If a new version does not run (it dies, or throws an exception at its first messages), all
that this run changed is put back; messages wait meanwhile.
Environment beside admin.py's: DB_HOSTNAME (127.0.0.1) and DB_PORT (5432), as the functions workers reach
PostgreSQL. Passwords are not deployed: functions ask their secrets provider for DB_PASSWORD_<DATABASE>.
FUNCTIONS_LOGS: the folder `functions` in the workers' log folder, if it can be read from here: for tracebacks.
Exit codes: 0; 1 something does not run, or was refused; 2 wrong usage; 130 interrupted.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import admin
import client
import package
import pulsar
from admin import url_functions
from deploy_apply import Aplicacion, Modo
from deploy_history import commit
from deploy_plan import deseadas, exigir_sin_defectos, mostrar, por_desplegar
from deploy_rollback import desplegadas, destinos, elegidas, mostrar_historia, preparar, registradas
from terminal import cuantas, tipo

INTERRUMPIDO: Final = "interrupted: what was changed until now stays; deploy.py --plan says what is left to do"


def desplegar(cliente: pulsar.Client, args: Any, carpeta: Path) -> None:
    configs = deseadas(args.functions or list(package.configuraciones()), carpeta)
    aplicar(cliente, args, Modo("deploy"), configs, dict.fromkeys(configs, commit()), carpeta)


def historia(cliente: pulsar.Client, args: Any, _: Path) -> None:
    mostrar_historia(registradas(cliente, args.functions), args.json)


def volver(cliente: pulsar.Client, args: Any, carpeta: Path) -> None:
    versiones = registradas(cliente, args.functions)
    hay = desplegadas(versiones, elegidas(versiones, args.functions, args.to))
    destino = destinos(versiones, hay, args.to, bool(args.functions))
    for nombre, version in destino.items():
        print(f"  {nombre}: back to version {version.numero}, {version.hora}, {version.commit or 'commit unknown'}")
    configs = preparar(destino, hay, carpeta)
    numeros = ", ".join(str(numero) for numero in sorted({version.numero for version in destino.values()}))
    commits = {nombre: version.commit for nombre, version in destino.items()}
    aplicar(cliente, args, Modo(f"rollback to {numeros}"), configs, commits, carpeta)


def aplicar(
    cliente: pulsar.Client,
    args: Any,
    modo: Modo,
    configs: dict[str, dict[str, Any]],
    commits: dict[str, str],
    carpeta: Path,
) -> None:
    exigir_sin_defectos(configs)
    print(f"comparing {len(configs)} functions with {url_functions()} …", flush=True)
    if args.plan:
        mostrar(por_desplegar(configs, carpeta))
        return
    dicho = Modo(modo.accion, args.watch, args.one_by_one, not args.no_rollback)
    Aplicacion(cliente, configs, commits, carpeta, dicho).aplicar()


def leidos(argumentos: list[str]) -> Any:
    """What was asked for: without a verb, to deploy; argparse has no verb that may be left out."""
    verbo = argumentos[0] if argumentos and argumentos[0] in VERBOS else ""
    trabajo, opciones, ayuda = VERBOS[verbo]
    epilogo = None if verbo else admin.__doc__
    clase = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(f"deploy.py {verbo}", description=ayuda, epilog=epilogo, formatter_class=clase)
    for opcion in opciones:
        opcion(parser)
    args = parser.parse_args(argumentos[1:] if verbo else argumentos)
    args.trabajo = trabajo
    desconocidas = set(args.functions) - set(package.configuraciones())
    if desconocidas and not verbo:
        parser.error(f"no such function: {', '.join(sorted(desconocidas))}; see deployment/functions")
    return args


def _cambia(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plan", action="store_true", help="say what would be created or updated, and change nothing")
    parser.add_argument("--one-by-one", action="store_true", help="each when the one before runs; in the order named")
    parser.add_argument("--no-rollback", action="store_true", help="leave versions that do not run, to look at them")
    parser.add_argument("--watch", type=float, default=0, metavar="S", help="watch new versions for S seconds at least")


def _varias(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help="these only")


def _hasta(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=tipo(cuantas), metavar="VERSION", help="to what was deployed after this version")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="an object a line, with the configurations")


VERBOS: Final = {
    "": (desplegar, (_varias, _cambia), __doc__),
    "history": (historia, (_varias, _json), "What was deployed, oldest first; the last ten of each function."),
    "rollback": (
        volver,
        (_varias, _hasta, _cambia),
        "Deploys what was deployed before, packages and configurations; where the database is stays as it is now.\n"
        "With FUNCTION: these; else those of the last deployment; with --to and no FUNCTION: all.",
    ),
}


def main() -> int:
    args = leidos(sys.argv[1:])

    def todo(cliente: pulsar.Client) -> int:
        with TemporaryDirectory() as carpeta:
            args.trabajo(cliente, args, Path(carpeta))
        return 0

    return client.con_cliente(todo, INTERRUMPIDO)
