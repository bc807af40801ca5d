"""The files of the API for tools: they hold every operation, and what they send is accepted."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from bff.app import crear_app
from bff.colecciones import API, archivos, main
from tests.fakes import LecturasFalsas, PublicadorFalso

OPENAPI: Final = json.loads((API / "openapi.json").read_text("utf-8"))
POSTMAN: Final = json.loads((API / "orders.postman_collection.json").read_text("utf-8"))
HTTP: Final = (API / "orders.http").read_text("utf-8")
VARIABLE: Final = re.compile(r"\{\{([^}]*)\}\}")


@dataclass
class Enviable:
    """A request as a file has it, with its variables. `guarda`: what a member of the answer sets."""

    metodo: str
    url: str
    cabeceras: dict[str, str]
    cuerpo: str = ""
    guarda: dict[str, str] = field(default_factory=dict)
    apagadas: list[str] = field(default_factory=list)

    @property
    def operacion(self) -> tuple[str, str, str]:
        return self.metodo.lower(), self.url.removeprefix("{{baseUrl}}"), self.cabeceras.get("Content-Type", "")


def de_postman() -> Iterator[Enviable]:
    for item in POSTMAN["item"]:
        pedido, url = item["request"], item["request"]["url"]
        valores = {variable["key"]: variable["value"] for variable in url["variable"]}
        camino = "/".join(valores[p[1:]] if p.startswith(":") else p for p in [*url["host"], *url["path"]])
        cabeceras = {c["key"]: c["value"] for c in pedido["header"] if not c.get("disabled")}
        guion = "".join(linea for evento in item.get("event", ()) for linea in evento["script"]["exec"])
        guardan = dict(re.findall(r'collectionVariables\.set\("(\w+)", pm\.response\.json\(\)\.(\w+)\)', guion))
        apagadas = [consulta["key"] for consulta in url["query"] if consulta["disabled"]]
        yield Enviable(pedido["method"], camino, cabeceras, pedido.get("body", {}).get("raw", ""), guardan, apagadas)


def de_http() -> Iterator[Enviable]:
    """As the REST Client reads it: what follows an empty line is the body, what begins with # a comment."""
    cabeza, *bloques = re.split(r"^###.*\n", HTTP, flags=re.MULTILINE)
    de_respuestas = re.findall(r"^@(\w+) = \{\{(\w+)\.response\.body\.\$\.(\w+)\}\}$", cabeza, re.MULTILINE)
    for bloque in bloques:
        arriba, _, cuerpo = bloque.partition("\n\n")
        lineas = [linea for linea in arriba.splitlines() if not linea.startswith("#")]
        cabeceras = dict(linea.split(": ", 1) for linea in lineas[1:])
        nombre = "".join(re.findall(r"^# @name (\w+)$", arriba, re.MULTILINE))
        guarda = {variable: miembro for variable, de, miembro in de_respuestas if de == nombre}
        apagadas = [c for consulta in re.findall(r"\?(\S+)", arriba) for c in re.findall(r"(\w+)=", consulta)]
        metodo, url = lineas[0].split(" ")
        yield Enviable(metodo, url, cabeceras, cuerpo.strip(), guarda, apagadas)


LECTORES: Final = [de_postman, de_http]


@pytest.fixture
def publicador() -> PublicadorFalso:
    return PublicadorFalso()


@pytest.fixture
def app(publicador: PublicadorFalso, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr("bff.eventos.MAXIMA", 0.05)
    return crear_app(publicador, LecturasFalsas()).test_client()


def operaciones() -> list[tuple[str, str, str]]:
    """Method, path, and the media type of the body: orders are placed in XML too."""
    todas = [
        (metodo, camino) for camino, dichas in OPENAPI["paths"].items() for metodo in dichas.keys() - {"parameters"}
    ]
    cuerpos = {(m, c): ["application/json"] if "requestBody" in OPENAPI["paths"][c][m] else [""] for m, c in todas}
    cuerpos[("post", "/orders")].append("application/xml")
    return [(m, re.sub(r"[{}]", lambda llave: llave[0] * 2, c), tipo) for (m, c), ts in cuerpos.items() for tipo in ts]


@pytest.mark.parametrize("leer", LECTORES)
def test_every_operation_is_there_once(leer: Callable[[], Iterator[Enviable]]) -> None:
    assert sorted(peticion.operacion for peticion in leer()) == sorted(operaciones())


@pytest.mark.parametrize("leer", LECTORES)
def test_what_they_send_is_accepted_one_after_the_other(
    app: FlaskClient, publicador: PublicadorFalso, leer: Callable[[], Iterator[Enviable]]
) -> None:
    variables, enviadas = {"baseUrl": "", "token": "secreto"}, list(leer())

    def puesto(texto: str) -> str:
        return VARIABLE.sub(lambda v: str(uuid4()) if v[1] == "$guid" else variables[v[1]], texto)

    for peticion in enviadas:
        cabeceras = {nombre: puesto(valor) for nombre, valor in peticion.cabeceras.items()}
        datos = puesto(peticion.cuerpo).encode()
        respuesta = app.open(puesto(peticion.url), method=peticion.metodo, headers=cabeceras, data=datos)
        falta = peticion.metodo == "GET" and peticion.url.count("{{") > 1
        assert respuesta.status_code == {"GET": 404 if falta else 200}.get(peticion.metodo, 202), respuesta.text
        for variable, miembro in peticion.guarda.items():
            variables[variable] = (respuesta.json or {})[miembro]
    escrituras = [peticion for peticion in enviadas if peticion.metodo != "GET"]
    assert len(publicador.publicados) == len(escrituras)
    assert len({publicado.clave for publicado in publicador.publicados}) == len(escrituras) - 1  # one is deleted again


@pytest.mark.parametrize("leer", LECTORES)
def test_all_that_a_list_can_be_asked_for_is_there_to_be_switched_on(leer: Callable[[], Iterator[Enviable]]) -> None:
    for peticion in leer():
        metodo, camino, _ = peticion.operacion
        operacion = OPENAPI["paths"][camino.replace("{{", "{").replace("}}", "}")][metodo]
        nombres = [p["name"] for p in operacion.get("parameters", ()) if p["in"] == "query"]
        assert peticion.apagadas == nombres


def test_a_post_has_a_new_idempotency_key_each_time_that_it_is_sent() -> None:
    for leer in LECTORES:
        claves = {p.cabeceras.get("Idempotency-Key") for p in leer() if p.metodo == "POST"}
        assert claves == {"{{$guid}}"}


def test_the_collection_has_the_form_that_postman_reads() -> None:
    assert POSTMAN["info"].keys() >= {"name", "schema"}
    assert POSTMAN["info"]["schema"] == "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    declaradas = {variable["key"] for variable in POSTMAN["variable"]}
    assert set(VARIABLE.findall(json.dumps(POSTMAN["item"]))) <= declaradas | {"$guid"}
    nombres = [item["name"] for item in POSTMAN["item"]]
    assert len(nombres) == len(set(nombres))
    for item in POSTMAN["item"]:
        pedido = item["request"]
        assert pedido["url"]["raw"] == "/".join([*pedido["url"]["host"], *pedido["url"]["path"]])
        assert [f":{v['key']}" for v in pedido["url"]["variable"]] == re.findall(r":\w+", pedido["url"]["raw"])
        assert all(exigido(par) for par in [*pedido["header"], *pedido["url"]["query"], *pedido["url"]["variable"]])
        assert pedido.get("body", {"mode": "raw", "raw": ""}).keys() == {"mode", "raw"}
        for evento in item.get("event", ()):
            assert evento["listen"] == "test"
            assert all(isinstance(linea, str) for linea in evento["script"]["exec"])


def exigido(par: Any) -> bool:
    return {type(par["key"]), type(par["value"]), type(par.get("disabled", False))} <= {str, bool}


def test_examples_are_allowed_by_their_schemas() -> None:
    posts = [operaciones["post"] for operaciones in OPENAPI["paths"].values() if "post" in operaciones]
    for esquema in [post["requestBody"]["content"]["application/json"]["schema"] for post in posts]:
        campos = [campo.get("anyOf", [campo])[0] for campo in esquema["properties"].values()]
        ejemplos = [(ejemplo, campo) for campo in campos for ejemplo in campo.get("examples", ())]
        assert len(ejemplos) == len(campos)
        assert all(Draft202012Validator(campo).is_valid(ejemplo) for ejemplo, campo in ejemplos)


def test_they_are_up_to_date_and_always_the_same() -> None:
    assert archivos() == archivos() == {ruta.name: ruta.read_text("utf-8") for ruta in API.iterdir()}


def test_the_check_names_what_is_stale_and_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], tmp_path) == 0
    assert (main(["--check"], tmp_path), capsys.readouterr().err) == (0, "")
    (tmp_path / "orders.http").write_text(HTTP.replace("ana", "eva"), "utf-8")
    (tmp_path / "openapi.json").unlink()
    assert main(["--check"], tmp_path) == 1
    errores = capsys.readouterr().err.splitlines()
    assert errores == [
        f"error: {tmp_path / nombre} is stale: run make api" for nombre in ("openapi.json", "orders.http")
    ]
