"""The OpenAPI document says what the application does: every route, every field, every answer."""

import re
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from bff.app import crear_app
from bff.panel import ARCHIVOS
from tests.fakes import LecturasFalsas, PublicadorFalso
from tests.unit.test_bff_comandos import ID, ORDEN
from tests.unit.test_bff_consultas import PASO

CUERPOS: dict[str, Any] = {"/orders": ORDEN, "/productos": {"nombre": "Té", "stock": 3}, "/conductores": {}}
SIN_DOCUMENTAR = {"/openapi.json", "/docs", "/conductores/{id_conductor}", "/panel/topics", *ARCHIVOS}
"""Itself, the route that only says that there is none, and the panel, which is a page and not for programs."""


@pytest.fixture
def app() -> Flask:
    return crear_app(PublicadorFalso(), LecturasFalsas(pasos=[PASO]), max_cantidad=7)


@pytest.fixture
def documento(app: Flask) -> Any:
    return app.test_client().get("/openapi.json").json


def rutas(app: Flask) -> dict[str, set[str]]:
    """What the application serves, as OpenAPI writes it."""
    servidas: dict[str, set[str]] = {}
    for regla in app.url_map.iter_rules():
        camino = regla.rule.replace("<uuid:", "{").replace(">", "}")
        servidas.setdefault(camino, set()).update((regla.methods or set()) - {"HEAD", "OPTIONS"})
    return servidas


def test_it_is_valid(documento: Any) -> None:
    validate(documento)


def test_every_route_is_in_it_and_nothing_else(app: Flask, documento: Any) -> None:
    dichas = {
        camino: {metodo.upper() for metodo in operaciones if metodo != "parameters"}
        for camino, operaciones in documento["paths"].items()
    }
    assert dichas == {camino: metodos for camino, metodos in rutas(app).items() if camino not in SIN_DOCUMENTAR}


def test_a_body_that_it_allows_is_taken_and_one_that_it_forbids_is_refused(app: Flask, documento: Any) -> None:
    for ruta, cuerpo in CUERPOS.items():
        esquema = documento["paths"][ruta]["post"]["requestBody"]["content"]["application/json"]["schema"]
        validador = Draft202012Validator(esquema)
        for nombre, campo in esquema["properties"].items():
            for valor in casos(campo):
                cambiado = {**cuerpo, nombre: valor}
                estado = app.test_client().post(ruta, json=cambiado).status_code
                assert (estado == 202) == validador.is_valid(cambiado), (ruta, nombre, valor)
            sin = {otro: valor for otro, valor in cuerpo.items() if otro != nombre}
            assert (app.test_client().post(ruta, json=sin).status_code == 202) == validador.is_valid(sin)


def casos(campo: Any) -> list[Any]:
    """Values at and beyond a field's limits."""
    simple = campo["anyOf"][0] if "anyOf" in campo else campo
    if simple["type"] == "integer":
        return [simple["minimum"] - 1, simple["minimum"], simple["maximum"], simple["maximum"] + 1, "1", None, 1.5]
    if simple.get("format") == "uuid":
        return [ID, 7, None]
    return ["a", "a" * simple["maxLength"], "a" * (simple["maxLength"] + 1), "", 7, None]


@pytest.mark.parametrize("ruta", ["/orders", "/productos", "/conductores"])
def test_answers_are_as_it_says(app: Flask, documento: Any, ruta: str) -> None:
    respuesta = app.test_client().post(ruta, json=CUERPOS[ruta])
    exigir(documento, documento["paths"][ruta]["post"]["responses"]["202"], respuesta.json)
    problema = app.test_client().post(ruta, json=[])
    error = documento["paths"][ruta]["post"]["responses"]["400"]
    exigir(documento, error, problema.get_json(force=True), "application/problem+json")
    assert problema.mimetype in error["content"]


@pytest.mark.parametrize("texto", ["a", " a\t", "\u3000a", "", " ", "\u3000", "\n\u2003 ", "a\tb", "a\x85", "a" * 256])
def test_texts_are_as_it_says(app: Flask, documento: Any, texto: str) -> None:
    esquema = documento["paths"]["/productos"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    cuerpo = {"nombre": texto, "stock": 1}
    assert (app.test_client().post("/productos", json=cuerpo).status_code == 202) == Draft202012Validator(
        esquema
    ).is_valid(cuerpo)


def test_its_examples_are_right_and_its_links_lead_to_operations(app: Flask, documento: Any) -> None:
    operaciones = {
        operacion["operationId"]: operacion
        for camino in documento["paths"].values()
        for metodo, operacion in camino.items()
        if metodo != "parameters"
    }
    enlaces = [
        enlace for o in operaciones.values() for enlace in o["responses"].get("202", {}).get("links", {}).values()
    ]
    assert {enlace["operationId"] for enlace in enlaces} == {
        "ver_orden",
        "ver_saga",
        "ver_producto",
        "eliminar_producto",
    }
    assert {enlace["operationId"] for enlace in enlaces} <= operaciones.keys()
    for ruta in CUERPOS:
        esquema = documento["paths"][ruta]["post"]["requestBody"]["content"]["application/json"]["schema"]
        ejemplo = {
            nombre: campo.get("anyOf", [campo])[0]["examples"][0] for nombre, campo in esquema["properties"].items()
        }
        respuesta = app.test_client().post(ruta, json=ejemplo | ({"cantidad": 7} if "cantidad" in ejemplo else {}))
        assert respuesta.status_code == 202


def exigir(documento: Any, respuesta: Any, cuerpo: Any, tipo: str = "application/json") -> None:
    esquema = respuesta["content"][tipo]["schema"] | {"components": documento["components"]}
    Draft202012Validator(esquema).validate(cuerpo)


def test_limits_that_are_configured_are_in_it(documento: Any) -> None:
    cuerpo = documento["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert cuerpo["properties"]["cantidad"]["maximum"] == 7


def test_the_page_for_people_says_all_of_it_and_needs_nothing_else(app: Flask, documento: Any) -> None:
    respuesta = app.test_client().get("/docs", headers={"Accept": "text/html"})
    assert (respuesta.status_code, respuesta.mimetype) == (200, "text/html")
    assert "script" not in respuesta.headers["Content-Security-Policy"]
    assert re.findall(r'(?:src|href)="(?!#|/openapi.json")', respuesta.text) == []
    for camino, operaciones in documento["paths"].items():
        for metodo in operaciones.keys() - {"parameters"}:
            assert f"<code>{metodo.upper()} {camino}</code>" in respuesta.text
    for esquema in documento["components"]["schemas"].values():
        assert [campo for campo in esquema["properties"] if f"<code>{campo}</code>" not in respuesta.text] == []
    assert "1 to 7" in respuesta.text
