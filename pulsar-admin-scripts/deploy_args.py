"""What deploy.py can be asked for."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import admin
import package
from terminal import cuantas, tipo


def leidos(argumentos: Sequence[str], ayuda: str | None) -> Any:
    """Without a verb it is `deploy`, with the help `ayuda`: argparse has no verb that may be left out."""
    verbo = argumentos[0] if argumentos and argumentos[0] in VERBOS else "deploy"
    con_verbo = verbo in VERBOS
    ayuda, opciones = VERBOS.get(verbo, (ayuda, (_varias, _cambia, _mira)))
    clase = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(f"deploy.py {verbo}" if con_verbo else "deploy.py", formatter_class=clase)
    parser.description, parser.epilog = ayuda, None if con_verbo else admin.__doc__
    parser.set_defaults(verbo=verbo, plan=False, one_by_one=False, no_rollback=False)
    for opcion in opciones:
        opcion(parser)
    args = parser.parse_args(argumentos[1:] if con_verbo else argumentos)
    desconocidas = set(args.functions) - set(package.configuraciones())
    if desconocidas and verbo in ("deploy", "canary"):  # others go by the record
        parser.error(f"no such function: {', '.join(sorted(desconocidas))}; see deployment/functions")
    return args


def _varias(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help="these only")


def _cambia(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plan", action="store_true", help="say what would be created or updated, and change nothing")
    parser.add_argument("--one-by-one", action="store_true", help="each when the one before runs; in the order named")
    parser.add_argument("--no-rollback", action="store_true", help="leave versions that do not run, to look at them")


def _mira(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--watch", type=float, default=0, metavar="S", help="watch new versions for S seconds at least")


def _hasta(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=tipo(cuantas), metavar="VERSION", help="to what was deployed after this version")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="an object a line, with the configurations")


def _canario(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("functions", nargs=1, metavar="FUNCTION")
    que = parser.add_mutually_exclusive_group()
    for opcion, ayuda in (
        ("status", "compare it with the function"),
        ("promote", "deploy it to the function, then remove it"),
        ("discard", "remove it"),
    ):
        que.add_argument(f"--{opcion}", dest="que", action="store_const", const=opcion, help=ayuda)


Opcion = Callable[[argparse.ArgumentParser], None]
VERBOS: Final[Mapping[str, tuple[str, tuple[Opcion, ...]]]] = {
    "history": ("What was deployed, oldest first; the last ten of each function.", (_varias, _json)),
    "rollback": (
        "Deploys what was deployed before, packages and configurations; where the database is stays as it is now.\n"
        "With FUNCTION: these; else those of the last deployment; with --to and no FUNCTION: all.",
        (_varias, _hasta, _cambia, _mira),
    ),
    "canary": (
        "Without --status, --promote or --discard: starts one instance of the new version beside the present ones, on\n"
        "the same subscription, or replaces it by what the sources are now. If it breaks, it is removed.",
        (_canario, _mira),
    ),
}
