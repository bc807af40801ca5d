"""The OpenAPI document says what the application does: every route, every field, every answer."""

import re
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from bff.app import create_app
from bff.backends import statements
from bff.panel.routes import FILES
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ID, ORDEN
from tests.unit.bff.web.test_queries import STEP

BODIES: dict[str, Any] = {"/orders": ORDEN, "/productos": {"nombre": "Té", "stock": 3}, "/conductores": {}}
UNDOCUMENTED = {"/openapi.json", "/docs", "/panel/topics", *FILES}
"""The document itself, and the panel, which is a page for people."""


@pytest.fixture
def app() -> Flask:
    return create_app(FakePublisher(), FakeReadModels(steps=[STEP]), max_cantidad=7)


@pytest.fixture
def document(app: Flask) -> Any:
    return app.test_client().get("/openapi.json").json


def routes(app: Flask) -> dict[str, set[str]]:
    """The methods of each path that the application serves, with paths as OpenAPI writes them."""
    served: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<uuid:", "{").replace(">", "}")
        served.setdefault(path, set()).update((rule.methods or set()) - {"HEAD", "OPTIONS"})
    return served


def test_it_is_valid(document: Any) -> None:
    validate(document)


def test_every_route_is_in_it_and_nothing_else(app: Flask, document: Any) -> None:
    documented = {
        path: {method.upper() for method in operations if method != "parameters"}
        for path, operations in document["paths"].items()
    }
    assert documented == {path: methods for path, methods in routes(app).items() if path not in UNDOCUMENTED}


def test_a_body_that_it_allows_is_taken_and_one_that_it_forbids_is_refused(app: Flask, document: Any) -> None:
    for route, body in BODIES.items():
        schema = document["paths"][route]["post"]["requestBody"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator(schema)
        for name, field in schema["properties"].items():
            for value in cases(field):
                changed = {**body, name: value}
                status = app.test_client().post(route, json=changed).status_code
                assert (status == 202) == validator.is_valid(changed), (route, name, value)
            without = {other: value for other, value in body.items() if other != name}
            assert (app.test_client().post(route, json=without).status_code == 202) == validator.is_valid(without)


def cases(field: Any) -> list[Any]:
    """Values at a field's limits and beyond them, and values of other types."""
    simple = field["anyOf"][0] if "anyOf" in field else field
    if simple["type"] == "integer":
        return [simple["minimum"] - 1, simple["minimum"], simple["maximum"], simple["maximum"] + 1, "1", None, 1.5]
    if simple.get("format") == "uuid":
        return [ID, 7, None]
    return ["a", "a" * simple["maxLength"], "a" * (simple["maxLength"] + 1), "", 7, None]


@pytest.mark.parametrize("route", ["/orders", "/productos", "/conductores"])
def test_answers_are_as_it_says(app: Flask, document: Any, route: str) -> None:
    response = app.test_client().post(route, json=BODIES[route])
    require(document, document["paths"][route]["post"]["responses"]["202"], response.json)
    problem = app.test_client().post(route, json=[])
    error = document["paths"][route]["post"]["responses"]["400"]
    require(document, error, problem.get_json(force=True), "application/problem+json")
    assert problem.mimetype in error["content"]


@pytest.mark.parametrize("text", ["a", " a\t", "\u3000a", "", " ", "\u3000", "\n\u2003 ", "a\tb", "a\x85", "a" * 256])
def test_texts_are_as_it_says(app: Flask, document: Any, text: str) -> None:
    schema = document["paths"]["/productos"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body = {"nombre": text, "stock": 1}
    assert (app.test_client().post("/productos", json=body).status_code == 202) == Draft202012Validator(
        schema
    ).is_valid(body)


def test_its_examples_are_right_and_its_links_lead_to_operations(app: Flask, document: Any) -> None:
    operations = {
        operation["operationId"]: operation
        for path in document["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    }
    links = [link for o in operations.values() for link in o["responses"].get("202", {}).get("links", {}).values()]
    assert {link["operationId"] for link in links} == {
        "ver_orden",
        "ver_saga",
        "ver_producto",
        "ver_movimientos",
        "ajustar_stock",
        "renombrar_producto",
        "eliminar_producto",
        "ver_conductor",
        "renombrar_conductor",
        "retirar_conductor",
    }
    assert {link["operationId"] for link in links} <= operations.keys()
    for route in BODIES:
        schema = document["paths"][route]["post"]["requestBody"]["content"]["application/json"]["schema"]
        example = {name: field.get("anyOf", [field])[0]["examples"][0] for name, field in schema["properties"].items()}
        response = app.test_client().post(route, json=example | ({"cantidad": 7} if "cantidad" in example else {}))
        assert response.status_code == 202


def require(document: Any, response: Any, body: Any, media_type: str = "application/json") -> None:
    schema = response["content"][media_type]["schema"] | {"components": document["components"]}
    Draft202012Validator(schema).validate(body)


def test_limits_that_are_configured_are_in_it(document: Any) -> None:
    body = document["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["cantidad"]["maximum"] == 7


def test_the_page_for_people_says_all_of_it_and_needs_nothing_else(app: Flask, document: Any) -> None:
    response = app.test_client().get("/docs", headers={"Accept": "text/html"})
    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert "script" not in response.headers["Content-Security-Policy"]
    assert re.findall(r'(?:src|href)="(?!#|/openapi.json")', response.text) == []
    for path, operations in document["paths"].items():
        for method in operations.keys() - {"parameters"}:
            assert f"<code>{method.upper()} {path}</code>" in response.text
    for schema in document["components"]["schemas"].values():
        assert [field for field in schema["properties"] if f"<code>{field}</code>" not in response.text] == []
    assert "1 to 7" in response.text


def test_an_order_is_described_as_it_is_read(document: Any) -> None:
    """The domain event has fields that the read model does not show."""
    columns = {column.strip() for column in statements.ORDEN.split(",")}
    described = document["components"]["schemas"]["Orden"]
    assert set(described["properties"]) == set(described["required"]) == columns
