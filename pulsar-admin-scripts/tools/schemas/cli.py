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
from typing import Any

from functions.program.run import uninterrupted
from tools.cluster import schema_files, shell
from tools.cluster.repository import ROOT
from tools.schemas import check, model, registry, release


def check_all(_: Any) -> int:
    problems = list(check.check_all())
    for path, finding, remedy in problems:
        print(f"{path}: {finding}\n  instead: {remedy}", file=sys.stderr)
    if problems:
        print(f"refused: {len(problems)} problems", file=sys.stderr)
        return 1
    topics = schema_files.topics()
    count = sum(len(schema_files.released(topic)) for topic in topics)
    print(f"{len(topics)} schemas, {count} released versions: every one reads every other")
    return 0


def record(_: Any) -> int:
    with uninterrupted():
        written = [path for topic in schema_files.topics() for path in release.record(topic)]
    for path in written:
        print(path.relative_to(ROOT))
    return check_all(_)


def list_versions(args: Any) -> int:
    rows = [_row(topic, registered, args.json) for topic, versions in _read().items() for registered in versions]
    _show(rows, args.json)
    return 0


def compare(args: Any) -> int:
    differences = list(model.differences(_read()))
    _show([{"topic": d.topic, "version": d.number, "state": d.status} for d in differences], args.json)
    if not differences and not args.json:
        print("no differences")
    return 3 if differences else 0


def upload(args: Any) -> int:
    if not args.force and check_all(args):
        return 1
    differences = list(model.differences(_read()))
    if error := model.conflicts(differences):
        print(error, file=sys.stderr)
        return 1
    missing = [d for d in differences if d.status == "missing"]
    failures = 0
    for difference, reason in registry.upload(missing):
        if reason is None:
            print(f"  version {difference.number} of {difference.topic}")
        else:
            print(reason, file=sys.stderr)
            failures += 1
    print(f"uploaded: {len(missing) - failures} of {len(missing)} schemas" if missing else "uploaded: no changes")
    return int(failures > 0)


def _read() -> dict[str, list[model.RegisteredVersion]]:
    print(f"reading the registry of {shell.admin_url()} …", file=sys.stderr, flush=True)
    return registry.read()


def _row(topic: str, registered: model.RegisteredVersion, with_schema: bool) -> dict[str, Any]:
    uploaded = registered.timestamp.isoformat(timespec="seconds")
    row = {"topic": topic, "version": registered.number, "uploaded": uploaded}
    return row | {"schema": registered.definition} if with_schema else row


def _show(rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    """A row on each line: its JSON, or its topic, its version, and what comes after these two."""
    width = max((len(row["topic"]) for row in rows), default=0)
    for row in rows:
        topic, number, *rest = row.values()
        print(json.dumps(row) if as_json else f"{topic:<{width}}  {'version ' + str(number):<12}{rest[0]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "schemas.py",
        description=__doc__,
        epilog=shell.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    actions: dict[str, Callable[[Any], int]] = {
        "check": check_all,
        "release": record,
        "list": list_versions,
        "diff": compare,
        "upload": upload,
    }
    for name, action in actions.items():
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        if name in ("list", "diff"):
            command.add_argument("--json", action="store_true", help="one JSON object on each line")
        if name == "upload":
            command.add_argument("--force", action="store_true", help="without `check`: the broker still has its say")
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    try:
        exit_code: int = arguments.action(arguments)
    except ValueError as error:  # a file in schemas/ that is no JSON
        print(f"error: {error}", file=sys.stderr)
        return 1
    return exit_code
