"""How a received message is shown: whole, as JSON has it, and as a row of a table."""

import json
from base64 import b64encode
from typing import Any, Final

from tools.messages.avro_json import to_json
from tools.messages.received import ReceivedMessage
from tools.terminal import sanitize

HEADERS: Final = ("TIME (UTC)", "TOPIC", "KEY", "DATA")


def to_dict(message: ReceivedMessage) -> dict[str, Any]:
    """The whole message; of one that can't be decoded, what is wrong with it, and its bytes in base64."""
    row = {
        "topic": message.topic,
        "key": message.key,
        "publish_time": message.publish_time,
        "message_id": message.id,
        "schema_version": message.version,
        "message": to_json(dict(message.decoded.envelope)) or None,
        "properties": dict(message.properties),
    }
    if message.decoded.problem:
        row["problem"] = message.decoded.problem
    return row if message.decoded.envelope else row | {"base64": b64encode(message.body).decode()}


def to_row(message: ReceivedMessage) -> tuple[str, ...]:
    """The message's cells under HEADERS, without what a terminal would obey."""
    problem = message.decoded.problem
    data = json.dumps(to_json(message.decoded.data), ensure_ascii=False) if message.decoded.envelope else ""
    shown_data = f"{problem}: {data}" if problem else data
    return tuple(map(sanitize, (message.publish_time[11:], message.topic, message.key, shown_data)))
