"""Publishes messages to any topic of ours: <namespace>/<topic>, `--topics` lists them.

A FILE ("-": the standard input) holds JSON or YAML: one message, a list of them, or several after another. A message is
a payload, an envelope with its `data`, or a CloudEvent. What an envelope or event leaves out is made up. All are
checked first: if one is wrong, each problem is named and none is published.
Exit codes: 0; 1 something failed; 2 wrong usage, or a wrong message; 130 interrupted.
"""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

import pulsar
from yaml import YAMLError

from functions.messages.outgoing import Outgoing
from functions.messages.payloads import PAYLOADS
from functions.pulsar_io.errors import NotPublished, SchemaRefused
from functions.pulsar_io.publisher import Publisher
from tools.cluster import client, shell
from tools.cluster.topics import require_topic
from tools.messages.avro_json import to_json
from tools.messages.samples import sample
from tools.publish.input import Message, from_yaml, prepare, read
from tools.publish.print import print_prepared, print_problems, print_stored, print_topics
from tools.terminal import argument_type, count


def _assignment(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator:
        raise ValueError("it must be FIELD=VALUE")
    try:
        return name, from_yaml(value)
    except YAMLError as error:
        raise ValueError(f"the value is no YAML: put it in quotes: {error}") from error


def _parser() -> argparse.ArgumentParser:
    formatter, environment_help = argparse.RawDescriptionHelpFormatter, f"{shell.__doc__}{client.ENVIRONMENT_HELP}"
    parser = argparse.ArgumentParser(
        "publish.py", description=__doc__, epilog=environment_help, formatter_class=formatter
    )
    topic = argument_type(lambda text: require_topic(text, sorted(PAYLOADS)))
    parser.add_argument("topic", nargs="?", type=topic, metavar="TOPIC", help="<namespace>/<topic> or the full name")
    parser.add_argument("files", nargs="*", metavar="FILE", help="JSON or YAML; - for the standard input")
    parser.add_argument(
        "--sample", nargs="?", const=1, type=argument_type(count), metavar="N", help="N generated messages"
    )
    help_text = "a payload field of every message; VALUE as in YAML; repeatable"
    parser.add_argument(
        "--set", action="append", default=[], type=argument_type(_assignment), metavar="FIELD=VALUE", help=help_text
    )
    parser.add_argument("--dry-run", action="store_true", help="check, and show what would be published")
    parser.add_argument("--json", action="store_true", help="one JSON object on each line")
    parser.add_argument("--topics", action="store_true", help="list the topics")
    return parser


def _values(args: Any, problems: list[str]) -> Iterator[tuple[str, Any]]:
    """Each message as it was given, with the name that problems call it by. Files that can't be read are problems."""
    for number in range(args.sample or 0):
        yield f"sample {number + 1}", to_json(sample(args.topic))
    for file in args.files:
        try:
            values = read(file)
        except (OSError, ValueError) as error:
            problems.append(f"{file}: {error}: fix the file")
            continue
        if not values:
            problems.append(f"{file}: there is no message in it")
        yield from ((f"{file}: message {number}", value) for number, value in enumerate(values, 1))


def _prepared(args: Any, problems: list[str]) -> Iterator[Message]:
    """Each message that can be sent; what is wrong with the others is added to `problems`."""
    for name, value in _values(args, problems):
        try:
            yield prepare(value, args.topic, dict(args.set))
        except ValueError as error:
            problems.extend(f"{name}: {line}" for line in str(error).splitlines())


def _publish(pulsar_client: pulsar.Client, messages: Sequence[Message], as_json: bool) -> int:
    """Publishes the messages, then shows those that are stored in the order given, also after an error."""
    stored: dict[int, str] = {}  # by identity, for two messages may be equal

    def on_stored(outgoing: Outgoing, message_id: Any) -> None:
        stored[id(outgoing)] = str(message_id)

    publisher = Publisher(pulsar_client, timeout_ms=1000 * client.TIMEOUT, on_stored=on_stored)
    try:
        with client.notice_if_slow():
            publisher.publish([outgoing for _, outgoing in messages])
    except SchemaRefused:
        raise  # nothing was sent
    except NotPublished as error:
        counted = f"{len(stored)} of {len(messages)} are stored, the others may be, too"
        raise NotPublished(f"{error}: {counted}") from error
    finally:
        for message in messages:
            if message_id := stored.get(id(message[1])):
                print_stored(message, message_id, as_json)
    return 0


def main() -> int:
    parser = _parser()
    args = parser.parse_intermixed_args()
    if args.topics:
        print_topics()
        return 0
    if not args.topic or not (args.files or args.sample):
        parser.error("it wants a TOPIC, and FILEs or --sample; --topics lists the topics")
    problems: list[str] = []
    messages = list(_prepared(args, problems))
    if problems:
        print_problems(problems)
        return 2
    if args.dry_run:
        print_prepared(messages)
        return 0
    return client.run_with_client(
        lambda pulsar_client: _publish(pulsar_client, messages, args.json), "interrupted: some may be stored"
    )
