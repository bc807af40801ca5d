"""What people and programs see of messages that are published: where each is, what would be sent, what is wrong."""

import sys
from collections.abc import Sequence
from typing import Final

from functions.messages.codec import codec
from functions.messages.payloads import PAYLOADS
from tools.messages.avro_json import to_json
from tools.publish.input import Message
from tools.terminal import json_line, sanitize

MAX_PROBLEM: Final = 500
"""Characters of one problem that are shown, at most."""


def print_stored(message: Message, message_id: str, as_json: bool) -> None:
    """One message that the broker has stored, with the id that it has there."""
    envelope, outgoing = message
    row = {"topic": outgoing.topic, "id": str(envelope["id"]), "key": outgoing.key, "message_id": message_id}
    print(json_line(row) if as_json else sanitize(f"published {' '.join(row.values())}"))


def print_prepared(messages: Sequence[Message]) -> None:
    """A JSON object on a line for each message: what would be published."""
    for envelope, outgoing in messages:
        print(json_line({"topic": outgoing.topic, "key": outgoing.key, "message": to_json(envelope)}))


def print_problems(problems: Sequence[str]) -> None:
    """On stderr: why nothing was published."""
    for problem in problems:
        print(f"error: {sanitize(problem)[:MAX_PROBLEM]}", file=sys.stderr)
    print(f"nothing was published: {len(problems)} problems", file=sys.stderr)


def print_topics() -> None:
    """Every topic with what its schema says it is for."""
    for topic in sorted(PAYLOADS):
        print(f"{topic:<40}  {codec(topic).definition['doc']}")
