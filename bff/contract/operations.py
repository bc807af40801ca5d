"""The description of one operation in OpenAPI 3.1, for each kind of operation that the API has."""

from collections.abc import Mapping
from typing import Any, Final

from bff.bodies.fields import Field
from bff.bodies.formats import FORMATS, MAX_BODY
from bff.bodies.pages import MAX_PAGE
from bff.contract.models import TEXT_SCHEMA, UUID, Document, content, from_fields, object_schema, ref
from bff.following import event_stream

_HEADERS: Final[dict[str, tuple[str, Document]]] = {
    "Idempotency-Key": ("The same request again is done once.", {"type": "string", "pattern": '^"?[!#-~]{1,255}"?$'}),
    "Prefer": (
        "`wait=N`: answer with what became of it, if N seconds (at most 10) are enough.",
        {"type": "string"},
    ),
    "Last-Event-ID": (
        "The last event that the client has; browsers send it by themselves.",
        {"type": "string", "pattern": rf"^{event_stream.IDS}$"},
    ),
    "If-None-Match": ("The ETag of what the client has.", {"type": "string"}),
}
"""The headers that requests may have: description and schema."""
_ERRORS: Final[dict[int, str]] = {
    400: "A field, a header or the whole request can't be read: `errores` names each wrong field.",
    404: "There is none, or not yet.",
    409: "Its `estado`, or its `stock`, does not allow this (only with `Prefer: wait`).",
    406: "Accept asks for no media type that there is.",
    408: "The body did not come in time.",
    413: f"The body has more than {MAX_BODY} bytes.",
    415: "Content-Type is none of those that are taken, or the charset not UTF-8.",
    422: "The Idempotency-Key was used for another request.",
    429: "This user has as many of these requests under way as one may have.",
    503: "The broker or a database is away.",
}
"""The descriptions of errors, by status."""


def create(
    name: str,
    summary: str,
    fields: Mapping[str, Field],
    ids: tuple[str, ...],
    links: Document | None = None,
    final: Document | None = None,
    note: str = "",
) -> Document:
    """A command that creates something.

    Parameters:
      fields: the fields of the request's body.
      ids: the ids in the answer.
      links: the operations that take such an id. Only what can be read can be compared with a later request under the
        same key: so there is a 422 only with them.
      final: the schema of the answer to clients that prefer to wait for the outcome; None if nobody can wait.
      note: what else a client should know.
    """
    responses = {"202": _accepted(ids) | ({"links": links} if links else {})}
    if final is not None:
        responses["200"] = _response("What became of it (only with `Prefer: wait`).", final, "Location")
    errors = [400, 406, 408, 413, 415, 422, 503] if links else [400, 406, 408, 413, 415, 503]
    headers = ["Idempotency-Key"] if final is None else ["Idempotency-Key", "Prefer"]
    return {
        "operationId": name,
        "summary": summary,
        **({"description": note} if note else {}),
        "responses": responses | _error_responses(*errors),
        "requestBody": {"required": True, "content": content(from_fields(fields))},
        "parameters": [_header(header) for header in headers],
    }


def change(
    name: str, summary: str, fields: Mapping[str, Field], ids: tuple[str, ...], final: Document, *errors: int
) -> Document:
    """A command that changes something that is there. Parameters as of `create`; `errors`: 404 and 409 if none are
    named.

    A body whose fields may all be left out may itself be left out.
    """
    operation = create(name, summary, fields, ids, final=final)
    operation["responses"] |= _error_responses(*(errors or (404, 409)))
    if all(field.is_optional for field in fields.values()):
        operation["requestBody"]["required"] = False
    return operation


def delete(name: str, summary: str, ids: tuple[str, ...]) -> Document:
    """A command without a body."""
    responses = {"202": _accepted(ids)} | _error_responses(400, 404, 406, 503)
    return {"operationId": name, "summary": summary, "responses": responses}


def read_one(name: str, summary: str, schema: Document) -> Document:
    """A query for one thing, which may not exist."""
    operation = status(name, summary, 400, 404, 406, 503)
    operation["responses"]["200"] = _response(summary, schema, "ETag")
    return operation


def read_list(name: str, summary: str, schema: Document, query: Mapping[str, Field], *errors: int) -> Document:
    """A query for a page of a list. `query`: its query parameters; `errors`: further statuses that it may have."""
    operation = status(name, summary, 400, *errors, 406, 503)
    operation["responses"]["200"] = _response(summary, schema, "ETag", "Link")
    operation["description"] = (
        f"A page has up to `limit` rows and {MAX_PAGE} bytes. With fewer rows than `limit` it may go on too: the "
        "header `Link` names the `next` page if there is one."
    )
    query_parameters = [_parameter("query", parameter, field.schema) for parameter, field in query.items()]
    operation["parameters"] = query_parameters + operation["parameters"]
    return operation


def status(name: str, summary: str, *errors: int, says: Mapping[str, Document] | None = None) -> Document:
    """A query whose answer is only that all is well. `errors`: the statuses that it may have; `says`: what else the
    answer says.
    """
    success = _response(summary, object_schema({"status": TEXT_SCHEMA, **(says or {})}), "ETag")
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [_header("If-None-Match")],
        "responses": {"200": success, "304": {"description": "Nothing has changed."}} | _error_responses(*errors),
    }


def text(name: str, summary: str, media_type: str, *errors: int) -> Document:
    """A query for text of one media type, whatever the client accepts."""
    success = {"description": summary, "content": {media_type: {"schema": TEXT_SCHEMA}}}
    return {"operationId": name, "summary": summary, "responses": {"200": success} | _error_responses(*errors)}


def stream(name: str, summary: str, query: Mapping[str, Field]) -> Document:
    """A query for Server-Sent Events. `query`: its query parameters."""
    operation = text(name, summary, event_stream.MEDIA_TYPE, 400, 404, 429, 503)
    fields = {"id": TEXT_SCHEMA, "event": {"type": "string", "enum": ["paso", "orden"]}, "data": TEXT_SCHEMA}
    schema = {"type": "object", "properties": fields}
    operation["responses"]["200"]["content"][event_stream.MEDIA_TYPE]["schema"] = schema
    operation["description"] = (
        "Server-Sent Events: `paso` for each step, at the end `orden`; data in JSON. The end is that of the order's "
        "saga, or, with `hasta=fin`, when the order is in its last state. A stream that ends without "
        "`orden` is to be read on, after as many ms as `retry` says. Clients that accept `text/event-stream` only, as "
        "browsers' EventSource, get a stream without events instead of 429 and 503: errors end them for ever."
    )
    operation["responses"]["503"]["description"] += " Or too many requests wait already."
    query_parameters = [_parameter("query", parameter, field.schema) for parameter, field in query.items()]
    operation["parameters"] = [*query_parameters, _header("Last-Event-ID")]
    operation["responses"]["204"] = {"description": "There is nothing after that event: don't come again."}
    return operation


def links(member: str, parameter: str, *operations: str) -> Document:
    """OpenAPI links to operations whose path parameter is the value of this member of the answer."""
    return {op: {"operationId": op, "parameters": {parameter: f"$response.body#/{member}"}} for op in operations}


def path_id(name: str) -> Document:
    """What a path with this id has, beside its operations."""
    return {"parameters": [_parameter("path", name, UUID)]}


def _accepted(ids: tuple[str, ...]) -> Document:
    body = object_schema({"mssg": TEXT_SCHEMA} | dict.fromkeys(ids, UUID))
    return _response("The broker has stored it.", body, "Location")


def _error_responses(*statuses: int) -> Document:
    """Answers with these statuses, as problem documents (RFC 9457)."""
    content = {body_format.problem: {"schema": ref("Problema")} for body_format in FORMATS.values()}
    errors: Document = {str(status): {"description": _ERRORS[status], "content": content} for status in statuses}
    for status in errors.keys() & {"429", "503"}:
        errors[status]["headers"] = _headers("Retry-After")
    return errors


def _response(description: str, schema: Document, *headers: str) -> Document:
    return {"description": description, "content": content(schema), "headers": _headers(*headers)}


def _headers(*names: str) -> Document:
    return {name: {"required": True, "schema": TEXT_SCHEMA} for name in names}


def _header(name: str) -> Document:
    description, schema = _HEADERS[name]
    return _parameter("header", name, schema) | {"description": description}


def _parameter(location: str, name: str, schema: Mapping[str, Any]) -> Document:
    return {"name": name, "in": location, "required": location == "path", "schema": dict(schema)}
