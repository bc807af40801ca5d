"""What schemathesis can't read in the document; it loads this as SCHEMATHESIS_HOOKS."""

import re
from collections.abc import Iterator
from datetime import UTC
from functools import partial
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import urlopen
from uuid import uuid4

import schemathesis
from hypothesis import strategies as st
from schemathesis import HookContext, Response

from bff.bodies.pages import cursor
from bff.bodies.texts import WHITESPACE
from tests.support.platform import wait_for

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
_KEY: Final = re.compile('"?[!#-~]{1,255}"?')
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,20}")
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# cursors come from the header Link, which no OpenAPI link can take apart
schemathesis.openapi.format(
    "cursor", st.builds(lambda *location: cursor(location), st.datetimes(timezones=st.just(UTC)), st.uuids())
)
schemathesis.openapi.format("number-cursor", st.builds(cursor, st.integers(0, 2**31 - 1)))


@schemathesis.hook
def before_call(_context: HookContext, case: Any, _options: dict[str, Any]) -> None:
    """Makes of a case what its bytes will say: schemathesis then decides again whether that is valid."""
    if (case.media_type or "").endswith("/xml"):
        case.body = as_read_from_xml(case.body, _integer_fields(case))
    elif isinstance(case.body, dict):
        case.body = {name: _without_blanks(value) for name, value in case.body.items()}
    key = (case.headers or {}).get(IDEMPOTENCY_KEY)
    if isinstance(key, str) and _KEY.fullmatch(key):
        # one that was used is 422 for another body, and makes nothing again of what was deleted meanwhile
        case.headers[IDEMPOTENCY_KEY] = key.strip('"')[:-36] + str(uuid4())


@schemathesis.hook
def after_call(_context: HookContext, case: Any, response: Response) -> None:
    """202 promises what can be read a moment later: the next request of a sequence comes when it can."""
    if response.status_code == 202 and _is_in_sequence(case):
        (location,) = response.headers["location"]
        paths = (location, f"{location}/saga") if "orders" in location else (location,)
        status = 404 if case.method == "DELETE" and "conductores" not in location else 200
        for path in paths:
            url = urljoin(str(response.request.url), path)
            wait_for(f"{status} for {path}", partial(_has_status, status, url))


def _is_in_sequence(case: Any) -> bool:
    return case.meta is not None and case.meta.phase.name.value == "stateful"


def _has_status(status: int, url: str) -> bool:
    try:
        with urlopen(url) as response:
            return bool(response.status == status)
    except HTTPError as error:
        return error.code == status


def _integer_fields(case: Any) -> set[str]:
    """Of the fields, those that are numbers."""
    schema = case.operation.definition.raw["requestBody"]["content"][case.media_type]["schema"]
    return {name for name, field in schema["properties"].items() if field.get("type") == "integer"}


def as_read_from_xml(body: Any, integer_fields: set[str]) -> Any:
    """In XML all values are text, a list of one is that one, an empty one is nothing."""
    children = list(_flattened(body))
    if len(children) != 1 or not isinstance(children[0], dict):
        return {} if children == [""] else body
    parsed: dict[str, Any] = {}
    for name, value in children[0].items():
        match list(_flattened(value)):
            case [one]:
                parsed[name] = _as_text(one, name in integer_fields)
            case several if several:
                parsed[name] = several
    return parsed


def _flattened(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _flattened(one)
    else:
        yield value


def _as_text(value: Any, may_batch: bool) -> Any:
    if isinstance(value, dict):
        return value if any(True for member in value.values() for _ in _flattened(member)) else ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = {None: "null", True: "true", False: "false"}.get(value, str(value)) if type(value) is not int else str(value)
    text = _NO_XML.sub("", text).strip(WHITESPACE)
    return int(text) if may_batch and _INTEGER.fullmatch(text) else text


def _without_blanks(value: Any) -> Any:
    """Blanks around a text don't count for its length, which no JSON Schema can say."""
    return value.strip(WHITESPACE) if isinstance(value, str) and len(value) > 255 else value
