"""Creates every function, or updates those whose package or configuration differs, and waits until all really run.

    deploy.py [FUNCTION…]            deploy; --plan only says what would be done
    deploy.py history [FUNCTION…]    what was deployed, by whom, when, from which commit
    deploy.py rollback [FUNCTION…]   back to what was deployed before, or --to a version that history lists
    deploy.py canary FUNCTION        the new version beside the present one; --status, --promote, --discard

Safe to run again. What is unchanged is left alone. Run provision.py before: functions whose schemas the cluster does
not have are not deployed. If a new version does not run (it dies, or throws an exception at its first messages), all
that this run changed is put back; messages wait meanwhile.
Environment beside admin.py's: DB_HOSTNAME (127.0.0.1) and DB_PORT (5432), as the functions workers reach
PostgreSQL. Passwords are not deployed: functions ask their secrets provider for DB_PASSWORD_<DATABASE>.
FUNCTIONS_LOGS: the folder `functions` in the workers' log folder, if it can be read from here: for tracebacks.
Exit codes: 0; 1 something does not run, or was refused; 2 wrong usage; 130 interrupted.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import client
import deploy_canary as canary
import package
import pulsar
from admin import url_functions
from deploy_apply import Aplicacion, Modo
from deploy_args import leidos
from deploy_history import commit
from deploy_plan import deseadas, exigir_sin_defectos, mostrar, por_desplegar
from deploy_rollback import desplegadas, destinos, elegidas, exigir_que_corra, mostrar_historia, preparar, registradas

INTERRUMPIDO: Final = "interrupted: what was changed until now stays; deploy.py --plan says what is left to do"


def desplegar(cliente: pulsar.Client, args: Any, carpeta: Path) -> None:
    configs = deseadas(args.functions or list(package.configuraciones()), carpeta)
    aplicar(cliente, args, Modo("deploy"), configs, dict.fromkeys(configs, commit()), carpeta)


def historia(cliente: pulsar.Client, args: Any, _: Path) -> None:
    mostrar_historia(registradas(cliente, args.functions), args.json)


def volver(cliente: pulsar.Client, args: Any, carpeta: Path) -> None:
    versiones = registradas(cliente, args.functions)
    hay = desplegadas(versiones, elegidas(versiones, args.functions, args.to))
    if not args.functions and args.to is None:
        exigir_que_corra(versiones, hay)
    destino = destinos(versiones, hay, args.to, bool(args.functions))
    for nombre, version in destino.items():
        print(f"  {nombre}: back to version {version.numero}, {version.hora}, {version.commit or 'commit unknown'}")
    configs = preparar(destino, hay, carpeta)
    usados = {version.numero for version in destino.values()} if args.to is None else {args.to}
    numeros = ", ".join(str(numero) for numero in sorted(usados))
    commits = {nombre: version.commit for nombre, version in destino.items()}
    aplicar(cliente, args, Modo(f"rollback to {numeros}"), configs, commits, carpeta)


def probar(cliente: pulsar.Client, args: Any, carpeta: Path) -> None:
    (nombre,) = args.functions
    configs = deseadas([nombre], carpeta)
    exigir_sin_defectos(configs)
    config = configs[nombre]
    match args.que:
        case "status":
            canary.comparar(config)
        case "discard":
            canary.quitar(canary.canario(config))
        case "promote":
            canary.exigir_igual(config, carpeta)
            aplicar(cliente, args, Modo("promote"), configs, {nombre: commit()}, carpeta)
            canary.quitar(canary.canario(config))
        case _:
            print(f"comparing {nombre} and its canary with {url_functions()} …", flush=True)
            canary.empezar(cliente, config, carpeta, args.watch)


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


TRABAJOS: Final = {"deploy": desplegar, "history": historia, "rollback": volver, "canary": probar}


def main() -> int:
    args = leidos(sys.argv[1:], __doc__)

    def todo(cliente: pulsar.Client) -> int:
        with TemporaryDirectory() as carpeta:
            TRABAJOS[args.verbo](cliente, args, Path(carpeta))
        return 0

    return client.con_cliente(todo, INTERRUMPIDO)
