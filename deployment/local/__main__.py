"""The embedded platform's command line: python -m deployment.local COMMAND."""

from __future__ import annotations

from functions.program.run import run

if __name__ == "__main__":
    run("deployment.local.__main__")  # loads it under its own name, and never returns

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from math import inf

from deployment.local import lifecycle, profiles, report, settings, setup, training
from deployment.local.cluster import postgres_tls, replicas, tokens
from deployment.local.cluster.platform import Cluster
from deployment.local.errors import PlatformError
from deployment.local.profile import Profile, Remembered
from functions.program.run import saying_if_interrupted

EPILOG = """settings (environment): PLATFORM_PROFILE (single, or cluster: several nodes, with TLS and tokens),
PLATFORM_DATA (default .data, or .data-cluster), JAVA_HOME. Of single: PULSAR_PORT 6650, PULSAR_HTTP_PORT 8080,
BOOKIE_PORT (PULSAR_PORT + 1), FUNCTIONS_PORT 6750, POSTGRES_PORT 15432, BFF_PORT 3000, PULSAR_MEMORY,
FUNCTIONS_MEMORY. Of cluster: PLATFORM_NETWORK, the first three numbers of its addresses. A data folder remembers its
own."""

QUESTIONS = ("status", "logs", "env", "run")


def parser(services: Sequence[str]) -> argparse.ArgumentParser:
    """Of the commands of a platform that has these services."""

    def service(name: str) -> str:
        """argparse's `choices` does not go with an argument that may be left out."""
        if name not in services:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(services)}")
        return name

    plain = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser("python -m deployment.local", description=__doc__, epilog=EPILOG)
    top.formatter_class = plain
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("setup", help="download and build what is missing; offline once it is there")
    up = commands.add_parser("up", help="start what does not run, and wait until it is ready")
    up.add_argument("names", nargs="*", metavar="SERVICE", type=service, help=f"these only: {', '.join(services)}")
    commands.add_parser("down", help="stop everything; the data stays")
    for verb in ("start", "stop", "restart"):
        one = commands.add_parser(verb, help=f"{verb} one service")
        one.add_argument("name", choices=services)
    status = commands.add_parser("status", help="what runs; exit code 0 only when all is ready")
    status.add_argument("--json", action="store_true")
    logs = commands.add_parser("logs", help="logs of a service, of a function, or of all")
    logs.add_argument("name", nargs="?", help="a service or a function")
    logs.add_argument("-f", "--follow", action="store_true")
    logs.add_argument("-n", "--lines", type=int, default=20, help="how many of each log (default 20)")
    commands.add_parser("clean", help="stop everything and remove the data folder")
    env = commands.add_parser("env", help='print the environment: eval "$(python -m deployment.local env)"')
    run = commands.add_parser("run", help="run a command with that environment: run -- CMD ...")
    for asking in (env, run):
        asking.add_argument("--as", dest="role", metavar="ROLE", help="cluster: whose token it has (default deployer)")
    rotate = commands.add_parser("rotate", help="cluster: give every role a new token; nothing is restarted")
    rotate.add_argument(
        "--hours", type=hours, default=tokens.HOURS, help=f"how long they last (default {tokens.HOURS})"
    )
    commands.add_parser("promote", help="cluster: make the replica of PostgreSQL the primary, and end the other one")
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- CMD ...")
    return top


def hours(text: str) -> float:
    """How long tokens last: one that ends at once would shut everybody out."""
    number = float(text)
    if not 0 < number < inf:
        raise argparse.ArgumentTypeError(f"{text!r} must be more than 0")
    return number


def main() -> int:
    try:
        chosen = profiles.from_env(os.environ)
    except PlatformError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    arguments = parser(chosen.names).parse_args()
    advice = "interrupted: `status` says what runs; the same command goes on from there"
    try:
        with saying_if_interrupted("interrupted" if arguments.command in QUESTIONS else advice):
            return execute(arguments, chosen)
    except PlatformError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1


def execute(arguments: argparse.Namespace, chosen: Profile[Remembered]) -> int:
    match arguments.command:
        case "setup":
            setup.ensure()
            training.ensure()
            postgres_tls.ensure()
            print("  everything is there")
        case "up":
            lifecycle.up(chosen, arguments.names)
        case "clean":
            lifecycle.clean(chosen)
        case command:
            return on_existing(command, arguments, chosen)
    return 0


def on_existing(command: str, arguments: argparse.Namespace, chosen: Profile[Remembered]) -> int:
    """Commands that need a data folder that `up` made."""
    if not settings.remembered(chosen.data):
        raise PlatformError(f"there is no platform in {chosen.data}; run `up` first")
    match command:
        case "down":
            with lifecycle.locked(chosen.data):
                lifecycle.stop(chosen, chosen.names)
        case "start" | "stop" | "restart":
            one_service(command, arguments.name, chosen)
        case "rotate" | "promote":
            with lifecycle.locked(chosen.data):
                on_cluster(command, arguments, chosen)
        case "logs":
            report.logs(chosen.data, arguments.name, arguments.follow, arguments.lines)
        case _:
            lifecycle.refuse_changes(chosen)
            return show(command, arguments, chosen)
    return 0


def on_cluster(command: str, arguments: argparse.Namespace, chosen: Profile[Remembered]) -> None:
    """Commands that only a cluster has."""
    if not isinstance(chosen, Cluster):
        raise PlatformError(f"{command} is for a cluster: PLATFORM_PROFILE=cluster")
    if command == "promote":
        replicas.promote(chosen.settings)
    else:
        print(f"  {tokens.write(chosen.data, arguments.hours)} tokens, for {arguments.hours:g} hours")


def one_service(command: str, name: str, chosen: Profile[Remembered]) -> None:
    with lifecycle.locked(chosen.data):
        lifecycle.refuse_changes(chosen)
        if command != "start":
            lifecycle.stop(chosen, [name])
        if command != "stop":
            lifecycle.start(chosen, [name])


def show(command: str, arguments: argparse.Namespace, chosen: Profile[Remembered]) -> int:
    if command == "status":
        return report.print_status(chosen, arguments.json)
    environment = chosen.environment(arguments.role)
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
