"""Messages as CloudEvents 1.0 in JSON (structured mode), and back, without loss. README.md has the table."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, unquote

from functions.messages.payloads import PAYLOADS
from functions.messages.topics import TENANT
from tools.messages.avro_json import to_json

VERSION: Final = "1.0"
SOURCE_PREFIX: Final = f"/{TENANT}/"
JSON: Final = "application/json"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
REQUIRED: Final = ("specversion", "id", "source", "type")
OPTIONAL: Final = ("subject", "time", "datacontenttype", "topic", "schemaversion", "ingestion", "wirecontenttype")


def to_cloudevent(topic: str, envelope: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a message as fastavro read it; ValueError if CloudEvents can't carry one of its values."""
    if topic not in PAYLOADS:
        raise ValueError(f"{topic} is none of our topics")
    event = {
        "specversion": VERSION,
        "id": str(envelope["id"]),
        "source": SOURCE_PREFIX + quote(envelope["service_name"], safe=""),
        "type": envelope["type"],
        "subject": str(envelope["data"][PAYLOADS[topic].key]),
        "time": _rfc3339("time", envelope["time"]),
        "datacontenttype": JSON,
        "topic": topic,
        "schemaversion": envelope["specversion"],
        "ingestion": _rfc3339("ingestion", envelope["ingestion"]),
        "wirecontenttype": envelope["datacontenttype"],
    }
    if not event["subject"]:
        del event["subject"]  # CloudEvents want it left out rather than empty
    for name, value in event.items():
        if not all(map(_is_allowed, value)) or (name in REQUIRED and not value):
            raise ValueError(f"CloudEvents can't carry {name} {value!r}: empty, or with characters they don't allow")
    return event | {"data": to_json(envelope["data"])}


def from_cloudevent(event: Mapping[str, Any], topic: str) -> dict[str, Any]:
    """The message's envelope as JSON, for `avro_json.from_json`, which checks its payload.

    What the event leaves out, as it may, is left out of the envelope. Raises ValueError, with a line for each thing
    that is wrong.
    """
    given = {name: value for name, value in event.items() if value is not None}
    problems = [f"{name} is missing" for name in REQUIRED if name not in given]
    envelope = {"data": given.pop("data")} if "data" in given else {}
    for name, value in given.items():
        try:
            if name not in REQUIRED + OPTIONAL:
                raise ValueError("our messages have no place for it: leave it out")
            if not isinstance(value, str):
                raise ValueError("it must be a string")
            envelope |= _from_attribute(name, value, topic, envelope.get("data"))
        except ValueError as error:
            problems.append(f"{name} is {value!r}: {error}")
    if problems:
        raise ValueError("\n".join(problems))
    return envelope


def _from_attribute(name: str, value: str, topic: str, data: Any) -> dict[str, Any]:
    """The envelope's fields that an attribute gives; none if it only repeats what is known, which is checked."""
    match name:
        case "source":
            if not value.startswith(SOURCE_PREFIX):
                raise ValueError(f"it must be {SOURCE_PREFIX}<service_name>")
            return {"service_name": unquote(value.removeprefix(SOURCE_PREFIX), errors="strict")}
        case "time" | "ingestion":
            return {name: _ms(value)}
        case "schemaversion":
            return {"specversion": value}
        case "wirecontenttype":
            return {"datacontenttype": value}
        case "id" | "type":
            return {name: value}
        case "datacontenttype":
            value = value.partition(";")[0].strip().lower()  # media types ignore case, and may have parameters
            expected = JSON
        case "subject":
            expected = str(data.get(PAYLOADS[topic].key)) if isinstance(data, dict) else value
        case _:
            expected = {"specversion": VERSION, "topic": topic}[name]
    if value != expected:
        raise ValueError(f"it must be {expected}")
    return {}


def _rfc3339(name: str, ms: int) -> str:
    """A time in ms since 1970-01-01 UTC as CloudEvents have it."""
    try:
        return str(to_json(EPOCH + timedelta(milliseconds=ms)))
    except OverflowError:
        raise ValueError(f"CloudEvents can't carry {name} {ms}, in ms since 1970: years 1 to 9999 only") from None


def _ms(text: str) -> int:
    """A time of a CloudEvent's in ms since 1970-01-01 UTC, as our envelope has it; what is finer is cut off."""
    timestamp = datetime.fromisoformat(text)
    if timestamp.tzinfo is None:
        raise ValueError("it must name its time zone, such as Z")
    return (timestamp - EPOCH) // timedelta(milliseconds=1)


def _is_allowed(character: str) -> bool:
    """True if an attribute may hold the character: it is neither a control character, nor a surrogate, nor one of
    Unicode's non-characters. From https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system
    """
    code = ord(character)
    is_control = code < 32 or 127 <= code < 160
    is_surrogate = 0xD800 <= code < 0xE000
    is_non_character = 0xFDD0 <= code < 0xFDF0 or code & 0xFFFE == 0xFFFE
    return not (is_control or is_surrogate or is_non_character)
