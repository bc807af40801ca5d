"""Dead letters: list and show them; redrive them once their cause is fixed, or discard them.

A function puts a message that it can't process into its dead-letter topic, <namespace>/<function>-dlq, as it came.
Redriving publishes it again, byte for byte, on the topic it came from: functions that have processed it before know
its id and change nothing. Redriving and discarding need --yes; without it they only say what they would do. With it
they are written to the saga log. While this reads a dead-letter topic, nobody else can.
Exit codes: 0; 1 something failed; 2 wrong usage; 3 for `list --exit-code`: there are dead letters; 130 interrupted.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulsar

from tools.cluster.client import run_with_client
from tools.cluster.repository import function_configs
from tools.dead_letters.actions import Action, Discard, Redrive
from tools.dead_letters.args import choose, parser
from tools.dead_letters.audit import Audit
from tools.dead_letters.mailbox import Mailbox
from tools.dead_letters.model import DeadLetter
from tools.dead_letters.print import Table, detail, format_count, to_dict, to_full_dict
from tools.dead_letters.process import DecodedDeadLetter, Processor, Scan
from tools.messages.writer_schemas import SchemaRegistry
from tools.terminal import current_user, json_line


def list_dead_letters(scan: Scan, args: Any) -> int:
    """Prints a line for each dead letter; the exit code."""
    table = Table(scan.functions)
    count = 0

    def visitor(_: Mailbox, pairs: Iterator[DecodedDeadLetter]) -> None:
        nonlocal count
        for dead_letter, decoded in pairs:
            count += 1
            print(json_line(to_dict(dead_letter, decoded)) if args.json else table.line(dead_letter, decoded))

    complete = scan.visit(visitor)
    if not args.json:
        print(table.summary())
    if not complete:
        return 1
    return 3 if args.exit_code and count else 0


def show(scan: Scan, args: Any) -> int:
    """Prints everything about each dead letter; the exit code."""
    seen: set[str] = set()

    def visitor(_: Mailbox, pairs: Iterator[DecodedDeadLetter]) -> None:
        for dead_letter, decoded in pairs:
            print(json_line(to_full_dict(dead_letter, decoded)) if args.json else detail(dead_letter, decoded) + "\n")
            seen.add(dead_letter.id)

    complete = scan.visit(visitor)
    return int(_report_missing(scan, seen) or not complete)


def process(scan: Scan, args: Any, action: Action) -> int:
    """Performs an action, or says what it would do; the exit code."""
    audit = Audit(action.action, args.reason, args.operator or current_user())
    processor = Processor(action, audit, scan.client, args.yes)
    complete = scan.visit(processor.visit)
    missing = _report_missing(scan, processor.seen)
    verb = action.past_tense if args.yes else f"would {action.verb}"
    print(f"{verb} {format_count(processor.done)}" + ("" if args.yes else ": nothing is changed without --yes"))
    return int(missing or processor.failed > 0 or not complete)


def _report_missing(scan: Scan, seen: set[str]) -> bool:
    """Says on stderr which ids that were asked for are those of no dead letter; True if there are such."""
    requested = {DeadLetter(f"/{name}", position, "", b"", {}, 0).id for name, position in scan.wanted.ids or ()}
    for dead_letter_id in sorted(requested - seen):
        missing = f"there is no letter {dead_letter_id}: redriven or discarded already? `list` shows all"
        print(f"error: {missing}", file=sys.stderr)
    return bool(requested - seen)


def _run(scan: Scan, args: Any, inputs: Mapping[str, Sequence[str]]) -> int:
    match args.command:
        case "list":
            return list_dead_letters(scan, args)
        case "show":
            return show(scan, args)
        case "redrive":
            return process(scan, args, Redrive(scan.client, scan.schemas, inputs))
    return process(scan, args, Discard())


def main() -> int:
    configs = function_configs().values()
    inputs = {f"{config['namespace']}/{config['name']}": list(config["inputSpecs"]) for config in configs}
    command_line = parser(__doc__)
    args = command_line.parse_args()
    functions, wanted = choose(command_line, args, inputs)

    def work(client: pulsar.Client) -> int:
        return _run(Scan(client, SchemaRegistry(client), functions, wanted), args, inputs)

    return run_with_client(work, "interrupted: what is done is done, every other letter is where it was")
