"""The embedded platform's command line: python -m deployment.local COMMAND."""

from __future__ import annotations

from functions.program.run import run

if __name__ == "__main__":
    run("deployment.local.__main__")  # loads it under its own name, and never returns

import argparse
import os
import shlex
import sys

from deployment.local import credentials, lifecycle, report, services, settings, setup, training
from deployment.local.errors import PlatformError
from deployment.local.settings import Settings
from functions.program.run import saying_if_interrupted

EPILOG = """settings (environment): PLATFORM_DATA (default .data), PULSAR_PORT 6650, PULSAR_HTTP_PORT 8080,
BOOKIE_PORT (PULSAR_PORT + 1), FUNCTIONS_PORT 6750, POSTGRES_PORT 15432, BFF_PORT 3000, PULSAR_MEMORY,
FUNCTIONS_MEMORY, JAVA_HOME. A data folder remembers its own."""

QUESTIONS = ("status", "logs", "env", "run")


def parser() -> argparse.ArgumentParser:
    plain = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser("python -m deployment.local", description=__doc__, epilog=EPILOG)
    top.formatter_class = plain
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("setup", help="download and build what is missing; offline once it is there")
    up = commands.add_parser("up", help="start what does not run, and wait until it is ready")
    up.add_argument(
        "names", nargs="*", metavar="SERVICE", type=service, help=f"these only: {', '.join(services.NAMES)}"
    )
    commands.add_parser("down", help="stop everything; the data stays")
    for verb in ("start", "stop", "restart"):
        one = commands.add_parser(verb, help=f"{verb} one service")
        one.add_argument("name", choices=services.NAMES)
    status = commands.add_parser("status", help="what runs; exit code 0 only when all is ready")
    status.add_argument("--json", action="store_true")
    logs = commands.add_parser("logs", help="logs of a service, of a function, or of all")
    logs.add_argument("name", nargs="?", help="a service or a function")
    logs.add_argument("-f", "--follow", action="store_true")
    logs.add_argument("-n", "--lines", type=int, default=20, help="how many of each log (default 20)")
    commands.add_parser("clean", help="stop everything and remove the data folder")
    commands.add_parser("env", help='print the environment: eval "$(python -m deployment.local env)"')
    run = commands.add_parser("run", help="run a command with that environment: run -- CMD ...")
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- CMD ...")
    return top


def service(name: str) -> str:
    """argparse's `choices` does not go with an argument that may be left out."""
    if name not in services.NAMES:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(services.NAMES)}")
    return name


def main() -> int:
    arguments = parser().parse_args()
    advice = "interrupted: `status` says what runs; the same command goes on from there"
    try:
        with saying_if_interrupted("interrupted" if arguments.command in QUESTIONS else advice):
            return execute(arguments, Settings.from_env(os.environ))
    except PlatformError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1


def execute(arguments: argparse.Namespace, chosen: Settings) -> int:
    match arguments.command:
        case "setup":
            setup.ensure()
            training.ensure()
            print("  everything is there")
        case "up":
            lifecycle.up(chosen, arguments.names)
        case "clean":
            lifecycle.clean(chosen)
        case command:
            return on_existing(command, arguments, chosen)
    return 0


def on_existing(command: str, arguments: argparse.Namespace, chosen: Settings) -> int:
    """Commands that need a data folder that `up` made."""
    if not settings.remembered(chosen.data):
        raise PlatformError(f"there is no platform in {chosen.data}; run `up` first")
    match command:
        case "down":
            with lifecycle.locked(chosen.data):
                lifecycle.stop(chosen, services.NAMES)
        case "start" | "stop" | "restart":
            one_service(command, arguments.name, chosen)
        case "logs":
            report.logs(chosen, arguments.name, arguments.follow, arguments.lines)
        case _:
            lifecycle.refuse_changes(chosen)
            return show(command, arguments, chosen)
    return 0


def one_service(command: str, name: str, chosen: Settings) -> None:
    with lifecycle.locked(chosen.data):
        lifecycle.refuse_changes(chosen)
        if command != "start":
            lifecycle.stop(chosen, [name])
        if command != "stop":
            lifecycle.start(chosen, [name])


def show(command: str, arguments: argparse.Namespace, chosen: Settings) -> int:
    if command == "status":
        return report.print_status(chosen, arguments.json)
    environment = credentials.for_people(chosen)
    if command == "env":
        for name, value in environment.items():
            print(f"export {name}={shlex.quote(value)}")
        return 0
    argv = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
    if not argv:
        raise PlatformError("run needs a command: run -- CMD ...")
    try:
        os.execvpe(argv[0], argv, os.environ | environment)
    except OSError as problem:
        raise PlatformError(f"cannot run {argv[0]}: {problem.strerror}") from problem
