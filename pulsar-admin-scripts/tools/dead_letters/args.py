"""The command line of dlq.py, and which dead letters it means."""

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from functions.messages.ids import parse
from functions.messages.topics import full_name, short_name, without_partition
from tools.cluster import client, shell
from tools.dead_letters.model import Filter, Position, parse_id
from tools.terminal import argument_type, moment

Selection = tuple[list[str], Filter]
"""The functions whose dead letters are read, and which of those are meant."""
_FILTERS = ("function", "reason_matches", "topic", "order", "transaction", "since", "until")


def parser(description: str | None) -> argparse.ArgumentParser:
    """The command line; `choose` makes sense of what it read."""
    formatter, environment_help = argparse.RawDescriptionHelpFormatter, f"{shell.__doc__}{client.ENVIRONMENT_HELP}"
    command_line = argparse.ArgumentParser(
        "dlq.py", description=description, epilog=environment_help, formatter_class=formatter
    )
    commands = command_line.add_subparsers(dest="command", required=True, metavar="COMMAND")
    list_parser = commands.add_parser("list", help="a line for each dead letter, and how many have each reason")
    list_parser.add_argument("--exit-code", action="store_true", help="exit with 3 if there are dead letters")
    show = commands.add_parser("show", help="everything about some dead letters")
    show.add_argument("ids", nargs="+", type=argument_type(parse_id), metavar="ID", help="as `list` shows them")
    for command in (list_parser, show):
        command.add_argument("--json", action="store_true", help="one JSON object on each line")
    redrive = commands.add_parser("redrive", help="publish messages again, on the topics they came from")
    redrive.add_argument("--reason", default="redriven", metavar="TEXT", help="why, for the audit")
    discard = commands.add_parser("discard", help="take dead letters out of their topics, and do nothing else")
    discard.add_argument("--reason", required=True, metavar="TEXT", help="why, for the audit")
    for command in (redrive, discard):
        _add_choice(command)
    for command in (list_parser, redrive, discard):
        _add_filters(command)
    return command_line


def _add_choice(command: argparse.ArgumentParser) -> None:
    """What the commands that change something have in common."""
    command.add_argument("ids", nargs="*", type=argument_type(parse_id), metavar="ID", help="as `list` shows them")
    command.add_argument("--all", action="store_true", help="all dead letters of all functions")
    command.add_argument("--yes", action="store_true", help="do it; without it this only says what it would do")
    command.add_argument("--operator", metavar="NAME", help="who does it, for the audit; default: the system's user")


def _add_filters(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("filters", "a dead letter must match all of them")
    group.add_argument("--function", action="append", metavar="NAME", help="<namespace>/<name> or <name>; repeatable")
    group.add_argument(
        "--reason-matches", type=argument_type(re.compile), metavar="REGEX", help="somewhere in its reason"
    )
    group.add_argument("--topic", metavar="TOPIC", help="that the message was on: <namespace>/<topic> or the full name")
    group.add_argument(
        "--order", type=argument_type(parse), metavar="UUID", help="the message's id_orden, if it can be read"
    )
    group.add_argument("--transaction", type=argument_type(parse), metavar="UUID", help="likewise its transaction_id")
    group.add_argument(
        "--since", type=argument_type(moment), metavar="TIME", help="quarantined since 2026-11-24T07:00Z"
    )
    group.add_argument(
        "--until", type=argument_type(moment), metavar="TIME", help="and before; local time, if it names no zone"
    )


def choose(command_line: argparse.ArgumentParser, args: Any, inputs: Mapping[str, Sequence[str]]) -> Selection:
    """What the arguments mean; ends the program with exit code 2 if they make no sense.

    `inputs`: the full names of the topics that each function, <namespace>/<name>, reads.
    """
    functions = {function.partition("/")[2]: function for function in inputs}
    if args.command == "show":
        return _by_id(command_line, args.ids, functions)
    given_filters = [name for name in _FILTERS if getattr(args, name) is not None]
    if args.command != "list" and sum(map(bool, (args.ids, given_filters, args.all))) != 1:
        command_line.error(f"{args.command} wants ids of letters, or filters, or --all: one of these three")
    if args.command != "list" and args.ids:
        return _by_id(command_line, args.ids, functions)
    topic = args.topic and without_partition(full_name(short_name(args.topic)))
    if topic and not any(topic in topics for topics in inputs.values()):
        command_line.error(f"no function reads {args.topic}; see schemas/")
    meant = Filter(None, args.reason_matches, topic, args.since, args.until, args.order, args.transaction)
    return [_function(command_line, name, functions) for name in args.function or functions], meant


def _by_id(
    command_line: argparse.ArgumentParser, ids: Iterable[tuple[str, Position]], functions: Mapping[str, str]
) -> Selection:
    names = sorted({name for name, _ in ids})
    return [_function(command_line, name, functions) for name in names], Filter(frozenset(ids))


def _function(command_line: argparse.ArgumentParser, name: str, functions: Mapping[str, str]) -> str:
    """<namespace>/<name> of a function that a user named, with namespace or without."""
    full_name = functions.get(name.rpartition("/")[2])
    if full_name is None or ("/" in name and name != full_name):
        command_line.error(f"no such function: {name}; see deployment/functions")
    return full_name
