"""The k6 scripts ask for what the OpenAPI document has, and for all of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.plataforma import RAIZ

CARPETA: Final = RAIZ / "tests" / "load" / "k6"
GUIONES: Final = sorted(ruta for ruta in CARPETA.glob("*.js"))
PEDIDO: Final = re.compile(r'\b(?:pedir|dosVeces)\(\s*"([A-Z]+)",\s*"(/[^"]*)"')
UMBRAL: Final = re.compile(r'"([A-Z]+) (/[^"]*)": \d')


def operaciones() -> set[tuple[str, str]]:
    """Method and path of all that the document has."""
    documento = json.loads((RAIZ / "bff" / "api" / "openapi.json").read_text("utf-8"))
    metodos = ("get", "post", "put", "patch", "delete")
    return {(m.upper(), ruta) for ruta, dichos in documento["paths"].items() for m in dichos if m in metodos}


def pedidas(ruta: Path) -> Iterator[tuple[str, str]]:
    for encontrado in PEDIDO.finditer(ruta.read_text("utf-8")):
        yield encontrado[1], encontrado[2]


@pytest.mark.parametrize("ruta", GUIONES, ids=lambda ruta: ruta.name)
def test_a_script_asks_only_for_what_the_api_has(ruta: Path) -> None:
    texto = ruta.read_text("utf-8")
    assert set(pedidas(ruta)) <= operaciones()
    assert {(umbral[1], umbral[2]) for umbral in UMBRAL.finditer(texto)} <= operaciones()
    llamadas = len(re.findall(r"\b(?:pedir|dosVeces)\(", texto))
    indirectas = len(re.findall(r"\b(?:pedir|dosVeces)\(metodo, plantilla", texto))
    assert len(list(pedidas(ruta))) == llamadas - indirectas, "a path is not written out"


def test_every_operation_is_asked_for() -> None:
    assert operaciones() == {pedido for ruta in GUIONES for pedido in pedidas(ruta)}


@pytest.mark.parametrize("ruta", [ruta for ruta in GUIONES if ruta.name != "comun.js"], ids=lambda ruta: ruta.name)
def test_a_script_has_thresholds(ruta: Path) -> None:
    assert re.search(r"^  thresholds: ", ruta.read_text("utf-8"), re.MULTILINE)


def test_the_readme_names_every_script() -> None:
    texto = (CARPETA / "README.md").read_text("utf-8")
    assert all(f"`{ruta.name}`" in texto for ruta in GUIONES)
