"""AsyncAPI's own parser and a real browser on the message catalogue."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import catalogue_npm
import pytest
import yaml
from catalogue import ASYNCAPI, DIBUJO, PAGINA, PANEL, generados
from playwright.sync_api import Page

from tests.navegador import navegando

TEXTO: Final = ASYNCAPI.read_text("utf-8")
DIRECCIONES: Final = sorted(canal["address"] for canal in yaml.safe_load(TEXTO)["channels"].values())
GRAVES: Final = (0, 1)
"""Errors and warnings; what is graver than a hint."""


@pytest.fixture
def pestana(npm: Path, tmp_path: Path) -> Iterator[Page]:
    with navegando(npm, tmp_path / "profile") as contexto:
        yield contexto.new_page()


@pytest.fixture(scope="module")
def textos(npm: Path) -> dict[Path, str]:
    return generados()


def validar(npm: Path, documento: str) -> tuple[list[str], list[str]]:
    """The channels that the parser sees, and what it holds against the document."""
    dicho = json.loads(catalogue_npm.correr("validate.mjs", documento))
    return sorted(dicho["channels"]), [d["message"] for d in dicho["diagnostics"] if d["severity"] in GRAVES]


def test_asyncapis_parser_has_neither_errors_nor_warnings(npm: Path) -> None:
    assert validar(npm, TEXTO) == (DIRECCIONES, [])


@pytest.mark.parametrize(
    ("antes", "despues"),
    [("type: {type: string, logicalType: uuid}", "type: text"), ("action: send", "action: shout"), ("info:", "about:")],
)
def test_the_parser_does_look(npm: Path, antes: str, despues: str) -> None:
    assert antes in TEXTO
    assert validar(npm, TEXTO.replace(antes, despues))[1] != []


def test_the_files_in_git_are_written_the_same_every_time(textos: dict[Path, str]) -> None:
    assert [ruta for ruta in (ASYNCAPI, DIBUJO, PANEL) if ruta.read_text("utf-8") != textos[ruta]] == []


def test_the_page_shows_every_topic_without_errors_and_without_network(
    textos: dict[Path, str], pestana: Page, tmp_path: Path
) -> None:
    pagina = tmp_path / "index.html"
    pagina.write_text(textos[PAGINA], "utf-8")
    problemas: list[str] = []
    pedidos: list[str] = []
    pestana.on("console", lambda mensaje: problemas.append(mensaje.text))
    pestana.on("pageerror", lambda error: problemas.append(str(error)))
    pestana.on("requestfailed", lambda pedido: problemas.append(pedido.url))
    pestana.on("request", lambda pedido: pedidos.append(pedido.url))
    pestana.goto(pagina.as_uri())
    pestana.wait_for_selector("#operations")
    texto = pestana.inner_text("#asyncapi")
    assert [direccion for direccion in DIRECCIONES if direccion not in texto] == []
    assert pestana.locator("#topology svg").is_visible()
    assert (problemas, pedidos) == ([], [pagina.as_uri()])
