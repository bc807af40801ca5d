"""An example of every request that an OpenAPI document describes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final
from xml.sax.saxutils import escape

_METHODS: Final = ("post", "put", "patch", "get", "delete")
"""In the order in which somebody tries them: what a POST creates is read and deleted afterwards."""
_HEADERS: Final = {"Idempotency-Key": "{{$guid}}", "Prefer": "wait=10"}
"""Examples of headers; {{$guid}} is a new UUID for each request, in Postman and in VS Code."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as the Postman collection and the .http file have it.

    Attributes:
      title: what it does.
      method, path: as in OpenAPI, but with {{double}} braces around the path's variables.
      query, optional_headers: examples that are not sent unless somebody turns them on.
      headers: those that are sent.
      body: empty if there is none.
      saves: the name of an id in the answer, and the variable that keeps it; empty if it is in the path already.
    """

    title: str
    method: str
    path: str
    query: dict[str, str]
    optional_headers: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    saves: tuple[str, str] = ("", "")


def requests(api: dict[str, Any]) -> list[Request]:
    """The requests of an OpenAPI document: POSTs first, and among them first those that need no other's id."""
    paths = api["paths"]
    unsorted = [request for path in paths for method in _METHODS for request in _from_operation(paths, path, method)]
    return sorted(unsorted, key=lambda request: (_METHODS.index(request.method.lower()), *_needed_ids(request)))


def _needed_ids(request: Request) -> tuple[bool, bool]:
    """Whether the path, and whether the body of a POST needs an id; what only reads or deletes is sorted by neither."""
    return request.method == "POST" and "{{id" in request.path, "{{id" in request.body


def _from_operation(paths: dict[str, Any], path: str, method: str) -> Iterator[Request]:
    """No request if the path has no such method, two if the body is shown in JSON and in XML."""
    operation = paths[path].get(method)
    if operation is None:
        return
    parameters: dict[str, dict[str, str]] = {"query": {}, "header": {}}
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        parameters[parameter["in"]][name] = str(_HEADERS.get(name) or _example(name, parameter["schema"]))
    key = parameters["header"].pop("Idempotency-Key", "")
    url_path = path.replace("{", "{{").replace("}", "}}")
    request = Request(operation["summary"], method.upper(), url_path, parameters["query"], parameters["header"])
    if "requestBody" not in operation:
        yield request
        return
    fields = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    values = {field: _example(field, schema) for field, schema in fields.items()}
    body = json.dumps(values, indent=2, ensure_ascii=False)
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    in_json = replace(request, body=body, headers=headers, saves=_saved_id(paths, path, operation))
    yield in_json
    if path == "/orders":
        yield _in_xml(in_json, values)


def _in_xml(request: Request, values: dict[str, Any]) -> Request:
    """The same request with its body in XML."""
    members = "".join(f"\n  <{field}>{escape(str(value))}</{field}>" for field, value in values.items())
    headers = request.headers | {"Content-Type": "application/xml"}
    return replace(request, title=f"{request.title}, in XML", body=f"<root>{members}\n</root>", headers=headers)


def _example(name: str, schema: dict[str, Any]) -> Any:
    simple = schema["anyOf"][0] if "anyOf" in schema else schema
    if simple.get("format") == "uuid":
        return f"{{{{{name}}}}}"
    return simple.get("examples", simple.get("enum", [simple.get("minimum", "")]))[0]


def _saved_id(paths: dict[str, Any], path: str, operation: dict[str, Any]) -> tuple[str, str]:
    """The first id in the answer, and the variable that paths below this one use for it; none for a path with ids."""
    if "{" in path:
        return "", ""
    members = operation["responses"]["202"]["content"]["application/json"]["schema"]["properties"]
    member = next(name for name, schema in members.items() if schema.get("format") == "uuid")
    below = (other for other in paths if other.startswith(f"{path}/{{"))
    variable = next((other.split("{")[1].split("}")[0] for other in below), member)
    return member, variable
