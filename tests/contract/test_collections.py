"""The files of the API for tools: they hold every operation, and what they send is accepted.

Longer than 200 lines: the three formats share the server that they are tried on.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator
from werkzeug.test import Client

from bff.app import create_app
from bff.contract.collections import API, files, main
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels

OPENAPI: Final = json.loads((API / "openapi.json").read_text("utf-8"))
POSTMAN: Final = json.loads((API / "orders.postman_collection.json").read_text("utf-8"))
HTTP: Final = (API / "orders.http").read_text("utf-8")
VARIABLE: Final = re.compile(r"\{\{([^}]*)\}\}")


@dataclass
class ApiRequest:
    """A request as a file has it, with its variables. `saves`: what a member of the answer sets."""

    method: str
    url: str
    headers: dict[str, str]
    body: str = ""
    saves: dict[str, str] = field(default_factory=dict)
    disabled: list[str] = field(default_factory=list)

    @property
    def operation(self) -> tuple[str, str, str]:
        return self.method.lower(), self.url.removeprefix("{{baseUrl}}"), self.headers.get("Content-Type", "")


def from_postman() -> Iterator[ApiRequest]:
    for item in POSTMAN["item"]:
        request, url = item["request"], item["request"]["url"]
        values = {variable["key"]: variable["value"] for variable in url["variable"]}
        path = "/".join(values[p[1:]] if p.startswith(":") else p for p in [*url["host"], *url["path"]])
        headers = {c["key"]: c["value"] for c in request["header"] if not c.get("disabled")}
        script = "".join(line for event in item.get("event", ()) for line in event["script"]["exec"])
        captures = dict(re.findall(r'collectionVariables\.set\("(\w+)", pm\.response\.json\(\)\.(\w+)\)', script))
        disabled = [query["key"] for query in url["query"] if query["disabled"]]
        yield ApiRequest(request["method"], path, headers, request.get("body", {}).get("raw", ""), captures, disabled)


def from_http_file() -> Iterator[ApiRequest]:
    """As the REST Client reads it: what follows an empty line is the body, what begins with # a comment."""
    head, *blocks = re.split(r"^###.*\n", HTTP, flags=re.MULTILINE)
    response_variables = re.findall(r"^@(\w+) = \{\{(\w+)\.response\.body\.\$\.(\w+)\}\}$", head, re.MULTILINE)
    for block in blocks:
        preamble, _, body = block.partition("\n\n")
        lines = [line for line in preamble.splitlines() if not line.startswith("#")]
        headers = dict(line.split(": ", 1) for line in lines[1:])
        name = "".join(re.findall(r"^# @name (\w+)$", preamble, re.MULTILINE))
        saves = {variable: member for variable, source, member in response_variables if source == name}
        disabled = [c for query in re.findall(r"\?(\S+)", preamble) for c in re.findall(r"(\w+)=", query)]
        method, url = lines[0].split(" ")
        yield ApiRequest(method, url, headers, body.strip(), saves, disabled)


READERS: Final = [from_postman, from_http_file]


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


@pytest.fixture
def read_models() -> FakeReadModels:
    return FakeReadModels()


@pytest.fixture
def app(publisher: FakePublisher, read_models: FakeReadModels, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr("bff.following.event_stream.VISIBLE_WITHIN", 0.05)
    return through_door.client(create_app(publisher, read_models))


def operations() -> list[tuple[str, str, str]]:
    """Method, path, and the media type of the body: orders are placed in XML too."""
    all_requests = [
        (method, path)
        for path, operations_of_path in OPENAPI["paths"].items()
        for method in operations_of_path.keys() - {"parameters"}
    ]
    media_types = {
        (m, c): ["application/json"] if "requestBody" in OPENAPI["paths"][c][m] else [""] for m, c in all_requests
    }
    media_types[("post", "/orders")].append("application/xml")
    return [
        (m, re.sub(r"[{}]", lambda brace: brace[0] * 2, c), media_type)
        for (m, c), ts in media_types.items()
        for media_type in ts
    ]


@pytest.mark.parametrize("read", READERS)
def test_every_operation_is_there_once(read: Callable[[], Iterator[ApiRequest]]) -> None:
    assert sorted(request.operation for request in read()) == sorted(operations())


@pytest.mark.parametrize("read", READERS)
def test_what_they_send_is_accepted_one_after_the_other(
    app: Client, publisher: FakePublisher, read_models: FakeReadModels, read: Callable[[], Iterator[ApiRequest]]
) -> None:
    variables, sent = {"baseUrl": "", "token": "secreto"}, list(read())

    def substitute(text: str) -> str:
        return VARIABLE.sub(lambda v: str(uuid4()) if v[1] == "$guid" else variables[v[1]], text)

    for request in sent:
        headers = {name: substitute(value) for name, value in request.headers.items()}
        data = substitute(request.body).encode()
        # what is changed has to be there
        known = {"id_orden": variables.get("id_orden"), "transaction_id": str(uuid4()), "estado": "iniciada"}
        read_models.orden_rows = [known] if "{{id_orden}}/" in request.url and request.method == "POST" else []
        is_change = "{{id_producto}}" in request.url and request.method in ("POST", "PATCH")
        read_models.producto_rows = [{"id": variables["id_producto"]}] if is_change else []
        is_driver = "{{id_conductor}}" in request.url and request.method != "GET"
        read_models.conductor_rows = [{"id_conductor": variables["id_conductor"]}] if is_driver else []
        response = app.open(substitute(request.url), method=request.method, headers=headers, data=data)
        missing = request.method == "GET" and request.url.count("{{") > 1
        assert response.status_code == {"GET": 404 if missing else 200}.get(request.method, 202), response.text
        for variable, member in request.saves.items():
            variables[variable] = (response.json or {})[member]
    writes = [request for request in sent if request.method != "GET"]
    assert len(publisher.published) == len(writes)
    # one order, one product and one driver are changed again and again
    changes = sum("{{id_" in request.url for request in writes)
    assert len({outgoing.key for outgoing in publisher.published}) == len(writes) - changes


@pytest.mark.parametrize("read", READERS)
def test_all_that_a_list_can_be_asked_for_is_there_to_be_switched_on(read: Callable[[], Iterator[ApiRequest]]) -> None:
    for request in read():
        method, path, _ = request.operation
        operation = OPENAPI["paths"][path.replace("{{", "{").replace("}}", "}")][method]
        names = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
        assert request.disabled == names


def test_a_post_has_a_new_idempotency_key_each_time_that_it_is_sent() -> None:
    for read in READERS:
        keys = {p.headers.get("Idempotency-Key") for p in read() if p.method == "POST"}
        assert keys == {"{{$guid}}"}


def test_the_collection_has_the_form_that_postman_reads() -> None:
    assert POSTMAN["info"].keys() >= {"name", "schema"}
    assert POSTMAN["info"]["schema"] == "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    declared = {variable["key"] for variable in POSTMAN["variable"]}
    assert set(VARIABLE.findall(json.dumps(POSTMAN["item"]))) <= declared | {"$guid"}
    names = [item["name"] for item in POSTMAN["item"]]
    assert len(names) == len(set(names))
    for item in POSTMAN["item"]:
        request = item["request"]
        assert request["url"]["raw"] == "/".join([*request["url"]["host"], *request["url"]["path"]])
        assert [f":{v['key']}" for v in request["url"]["variable"]] == re.findall(r":\w+", request["url"]["raw"])
        assert all(
            has_required_types(pair)
            for pair in [*request["header"], *request["url"]["query"], *request["url"]["variable"]]
        )
        assert request.get("body", {"mode": "raw", "raw": ""}).keys() == {"mode", "raw"}
        for event in item.get("event", ()):
            assert event["listen"] == "test"
            assert all(isinstance(line, str) for line in event["script"]["exec"])


def has_required_types(pair: Any) -> bool:
    return {type(pair["key"]), type(pair["value"]), type(pair.get("disabled", False))} <= {str, bool}


def test_examples_are_allowed_by_their_schemas() -> None:
    posts = [operations["post"] for operations in OPENAPI["paths"].values() if "post" in operations]
    for schema in [post["requestBody"]["content"]["application/json"]["schema"] for post in posts]:
        fields = [field.get("anyOf", [field])[0] for field in schema["properties"].values()]
        examples = [(example, field) for field in fields for example in field.get("examples", ())]
        assert len(examples) == len(fields)
        assert all(Draft202012Validator(field).is_valid(example) for example, field in examples)


def test_they_are_up_to_date_and_always_the_same() -> None:
    assert files() == files() == {path.name: path.read_text("utf-8") for path in API.iterdir()}


def test_the_check_names_what_is_stale_and_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], tmp_path) == 0
    assert (main(["--check"], tmp_path), capsys.readouterr().err) == (0, "")
    (tmp_path / "orders.http").write_text(HTTP.replace("ana", "eva"), "utf-8")
    (tmp_path / "openapi.json").unlink()
    assert main(["--check"], tmp_path) == 1
    errors = capsys.readouterr().err.splitlines()
    assert errors == [f"error: {tmp_path / name} is stale: run make api" for name in ("openapi.json", "orders.http")]
