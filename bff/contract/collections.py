"""Makes bff/api: the OpenAPI document, and from it a Postman collection and a .http file with every request."""

from functions.program.run import run

if __name__ == "__main__":
    run("bff.contract.collections")  # loads it under its own name, and never returns

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from bff.contract.openapi import document
from bff.contract.requests import Request, requests
from functions.program.run import uninterrupted

API: Final = Path(__file__).parents[1] / "api"
"""The folder of the generated files."""
_BASE_VARIABLES: Final = {"baseUrl": "http://127.0.0.1:3000", "token": ""}
_POSTMAN: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_BEARER: Final = {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]}
_ACCEPTED_TEST: Final = 'pm.test("accepted", () => pm.expect(pm.response.code).to.be.oneOf([200, 202]));'
_NOTICE: Final = """\
# For VS Code's REST Client: send the POSTs first, what follows uses the ids that they answered.
# In JetBrains' HTTP Client write {{$uuid}} for {{$guid}}, and set the ids by hand. Made by: make api
"""


def postman(api: dict[str, Any]) -> dict[str, Any]:
    """A collection in Postman's format 2.1."""
    all_requests = requests(api)
    ids = {request.saves[1]: str(UUID(int=0)) for request in all_requests if request.saves[1]}
    return {
        "info": {"name": api["info"]["title"], "description": api["info"]["description"], "schema": _POSTMAN},
        "auth": _BEARER,
        "variable": [{"key": key, "value": value} for key, value in (_BASE_VARIABLES | ids).items()],
        "item": [_item(request) for request in all_requests],
    }


def _item(request: Request) -> dict[str, Any]:
    parts = [part.replace("{{", ":").rstrip("}") for part in request.path.strip("/").split("/")]
    ids = {part[1:]: f"{{{{{part[1:]}}}}}" for part in parts if part.startswith(":")}
    url: dict[str, Any] = {"raw": "/".join(["{{baseUrl}}", *parts]), "host": ["{{baseUrl}}"], "path": parts}
    url |= {"variable": _pairs(ids), "query": _pairs(request.query, disabled=True)}
    headers = _pairs(request.headers) + _pairs(request.optional_headers, disabled=True)
    sent: dict[str, Any] = {"method": request.method, "header": headers, "url": url}
    if not request.body:
        return {"name": request.title, "request": sent}
    sent["body"] = {"mode": "raw", "raw": request.body}
    member, variable = request.saves
    if not variable:
        return {"name": request.title, "request": sent}
    script = [_ACCEPTED_TEST, f'pm.collectionVariables.set("{variable}", pm.response.json().{member});']
    return {"name": request.title, "request": sent, "event": [{"listen": "test", "script": {"exec": script}}]}


def _pairs(values: dict[str, str], **extra: bool) -> list[dict[str, Any]]:
    return [{"key": key, "value": value, **extra} for key, value in values.items()]


def http(api: dict[str, Any]) -> str:
    """The requests in a file that VS Code's REST Client and JetBrains' HTTP Client read."""
    all_requests = requests(api)
    ids = {
        request.saves[1]: f"{{{{{request.path[1:]}.response.body.$.{request.saves[0]}}}}}"
        for request in all_requests
        if request.saves[1]
    }
    variables = "".join(f"@{name} = {value}".rstrip() + "\n" for name, value in (_BASE_VARIABLES | ids).items())
    return _NOTICE + variables + "".join(_block(request) for request in all_requests)


def _block(request: Request) -> str:
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    optional = [f"?{query}"] if query else []
    optional += [f"{name}: {value}".rstrip() for name, value in request.optional_headers.items()]
    headers = {"Authorization": "Bearer {{token}}"} | request.headers
    lines = [f"### {request.title}"]
    if request.saves[1] and request.body.startswith("{"):
        lines.append(f"# @name {request.path[1:]}")
    lines += [f"# may have: {text}" for text in optional]
    lines.append(f"{request.method} {{{{baseUrl}}}}{request.path}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if request.body:
        lines += ["", request.body]
    return "\n" + "\n".join(lines) + "\n"


def files() -> dict[str, str]:
    """The files' texts, by name."""
    api = document(10_000)
    documents = {"openapi.json": api, "orders.postman_collection.json": postman(api)}
    texts = {name: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for name, document in documents.items()}
    return texts | {"orders.http": http(api)}


def main(arguments: list[str] | None = None, folder: Path = API) -> int:
    """Writes the files. With --check it only reports stale ones; the exit code is 1 if there are any."""
    parser = argparse.ArgumentParser("python -m bff.contract.collections", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    check_only = parser.parse_args(arguments).check
    exit_code = 0
    for name, text in files().items():
        path = folder / name
        if not check_only:
            with uninterrupted():
                path.write_text(text, "utf-8")
        elif not path.exists() or path.read_text("utf-8") != text:
            print(f"error: {path} is stale: run make api", file=sys.stderr)
            exit_code = 1
    return exit_code
