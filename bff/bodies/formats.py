"""HTTP bodies: read by Content-Type, written by Accept, as JSON or XML."""

import json
import math
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, Final, NoReturn
from xml.etree.ElementTree import ParseError

from flask import Request, Response
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import BadRequest, NotAcceptable, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.http import parse_accept_header

from bff.bodies.texts import to_text
from bff.bodies.xml import read_xml, require_utf8, write_xml

MAX_BODY: Final = 64 * 1024
"""Longest request body that is accepted, in bytes."""

MAX_ACCEPT: Final = 1000
"""Longest header Accept that is read, in characters: its parts take far longer to parse than to send."""


def read(request: Request) -> dict[str, Any]:
    """The fields in the request's body. Raises 400, 413 or 415 with a text for the client."""
    media_type = request.mimetype
    if media_type not in FORMATS:
        raise UnsupportedMediaType(f"Content-Type is {media_type or 'missing'}: send one of {', '.join(FORMATS)}")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f"charset is {charset[:40]}: send UTF-8")
    raw = request.get_data(cache=False)
    if request.content_length is None and len(raw) >= (request.max_content_length or math.inf):
        raise RequestEntityTooLarge(f"the body has {len(raw)} bytes or more: say its Content-Length, or send less")
    try:
        body = FORMATS[media_type].read(_text(raw, is_utf8="charset" in request.mimetype_params))
    except (ValueError, LookupError, RecursionError, ParseError) as error:
        raise BadRequest(f"the body can't be read as {media_type}: {error or type(error).__name__}"[:300]) from error
    if not isinstance(body, dict):
        raise BadRequest("the body must be one object with the fields as its members")
    return body


def read_optional(request: Request) -> dict[str, Any]:
    """The fields in the request's body, none if it has no body. Raises as `read` does."""
    has_body = request.content_length or "chunked" in request.headers.get("Transfer-Encoding", "")
    return read(request) if has_body else {}


def _text(raw: bytes, *, is_utf8: bool) -> str:
    """The body's text. Its byte order mark, the charset and the XML declaration say what it is in, in this order of
    rank (RFC 7303), and it must be UTF-8. ValueError if it is not.

    `is_utf8`: whether the request's charset says so.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not in UTF-8: {error}") from error
    if not (is_utf8 or raw.startswith(BOM_UTF8) or raw.isascii()):
        require_utf8(text)
    return text


def _read_json(text: str) -> Any:
    return json.loads(text, parse_constant=_reject_constant)


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _write_json(data: object) -> bytes:
    return json.dumps(data, default=to_text, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Format:
    """How bodies of one media type are read and written.

    Attributes:
      read: makes the body's value out of its text; ValueError, LookupError, RecursionError or ParseError if it can't.
      write: makes an answer's bytes out of its value.
      problem: the media type of RFC 9457 documents in this format.
      write_problem: makes the bytes of such a document.
    """

    read: Callable[[str], Any]
    write: Callable[[object], bytes]
    problem: str
    write_problem: Callable[[object], bytes]


_JSON: Final = Format(_read_json, _write_json, "application/problem+json", _write_json)
_XML_PROBLEM: Final = partial(write_xml, root="problem", ns="urn:ietf:rfc:7807")
_XML: Final = Format(read_xml, write_xml, "application/problem+xml", _XML_PROBLEM)
FORMATS: Final = {"application/json": _JSON, "application/xml": _XML, "text/xml": _XML}
"""The format of each media type, the preferred one first. A new format is one more entry."""
PREFERRED: Final = next(iter(FORMATS))
"""The media type of answers to clients that accept any."""


def negotiate(accept: str | None) -> str:
    """The media type to answer in, by the header Accept. Raises 406 if that allows none of FORMATS, or is longer than
    MAX_ACCEPT.
    """
    if accept is not None and len(accept) > MAX_ACCEPT:
        raise NotAcceptable(
            f"Accept has {len(accept)} characters: at most {MAX_ACCEPT} are read; ask for one of {', '.join(FORMATS)}"
        )
    return _best_format(accept)


@lru_cache(64)  # nearly all clients send one of a few values, and parsing it takes longer than writing the JSON
def _best_format(accept: str | None) -> str:
    accepted_types = accepted(accept)
    if not accepted_types:
        return PREFERRED
    best = accepted_types.best_match(FORMATS)
    if best is None:
        raise NotAcceptable(f"Accept is {str(accepted_types)[:100]}: ask for one of {', '.join(FORMATS)}")
    return best


def accepted(accept: str | None) -> MIMEAccept:
    """The media types in a header Accept; none if it is longer than MAX_ACCEPT. Parameters such as `charset=utf-8` are
    left out: none of ours has any.
    """
    parsed = parse_accept_header(accept if accept and len(accept) <= MAX_ACCEPT else None, MIMEAccept)
    return MIMEAccept([(media_type.partition(";")[0].strip(), quality) for media_type, quality in parsed])


def response(data: object, media_type: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose body is the data in that media type."""
    return Response(FORMATS[media_type].write(data), status, headers, mimetype=media_type)


def problem(status: int, detail: str, media_type: str = PREFERRED, **extra: Any) -> tuple[bytes, str]:
    """An RFC 9457 document and its media type. `extra`: members that RFC 9457 does not define."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **extra,
    }
    body_format = FORMATS[media_type]
    return body_format.write_problem(document), body_format.problem
