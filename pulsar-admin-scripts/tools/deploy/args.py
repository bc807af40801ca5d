"""The command line of deploy.py."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tools.cluster import shell
from tools.cluster.repository import function_configs
from tools.terminal import argument_type, count


def parse(arguments: Sequence[str], description: str | None) -> Any:
    """The arguments, with the verb in `verb`; argparse ends the program if they make no sense.

    Without a verb it is `deploy`, whose help says `description`: argparse has no verb that may be left out.
    """
    if arguments and arguments[0] in VERBS:
        verb, *arguments = arguments
        description, options = VERBS[verb]
        parser = _parser(f"deploy.py {verb}", description, None)
    else:
        verb, options = "deploy", (_add_functions, _add_change_options, _add_watch)
        parser = _parser("deploy.py", description, shell.__doc__)
    parser.set_defaults(verb=verb, plan=False, one_by_one=False, no_rollback=False)
    for add_option in options:
        add_option(parser)
    args = parser.parse_args(arguments)
    unknown = set(args.functions) - set(function_configs())
    if unknown and verb in ("deploy", "canary"):  # the others go by the record
        parser.error(f"no such function: {', '.join(sorted(unknown))}; see deployment/functions")
    return args


def _parser(program: str, description: str | None, epilog: str | None) -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(program, description=description, epilog=epilog, formatter_class=formatter)


def _add_functions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help="these only")


def _add_change_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plan", action="store_true", help="say what would be created or updated, and change nothing")
    parser.add_argument("--one-by-one", action="store_true", help="each when the one before runs; in the order named")
    parser.add_argument("--no-rollback", action="store_true", help="leave versions that do not run, to look at them")


def _add_watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--watch", type=float, default=0, metavar="S", help="watch new versions for S seconds at least")


def _add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to", type=argument_type(count), metavar="VERSION", help="to what was deployed after this version"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="an object a line, with the configurations")


def _add_canary(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("functions", nargs=1, metavar="FUNCTION")
    group = parser.add_mutually_exclusive_group()
    for choice, help_text in (
        ("status", "compare it with the function"),
        ("promote", "deploy it to the function, then remove it"),
        ("discard", "remove it"),
    ):
        group.add_argument(f"--{choice}", dest="choice", action="store_const", const=choice, help=help_text)


Option = Callable[[argparse.ArgumentParser], None]
VERBS: Final[Mapping[str, tuple[str, tuple[Option, ...]]]] = {
    "history": ("What was deployed, oldest first; the last ten of each function.", (_add_functions, _add_json)),
    "rollback": (
        "Deploys what was deployed before, packages and configurations; where the database is stays as it is now.\n"
        "With FUNCTION: these; else those of the last deployment; with --to and no FUNCTION: all.",
        (_add_functions, _add_to, _add_change_options, _add_watch),
    ),
    "canary": (
        "Without --status, --promote or --discard: starts one instance of the new version beside the present ones, on\n"
        "the same subscription, or replaces it by what the sources are now. If it breaks, it is removed.",
        (_add_canary, _add_watch),
    ),
}
"""Each verb's description, and what adds its arguments."""
