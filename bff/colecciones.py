"""Makes bff/api: the OpenAPI document, and from it a Postman collection and a .http file of every request."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from xml.sax.saxutils import escape

from bff.openapi import documento

API: Final = Path(__file__).with_name("api")
_BASE: Final = {"baseUrl": "http://127.0.0.1:3000", "token": ""}
_METODOS: Final = ("post", "put", "patch", "get", "delete")
"""In the order in which they make sense one after the other."""
_CABECERAS: Final = {"Idempotency-Key": "{{$guid}}", "Prefer": "wait=10"}
_POSTMAN: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_BEARER: Final = {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]}
_PRUEBA: Final = 'pm.test("accepted", () => pm.expect(pm.response.code).to.be.oneOf([200, 202]));'
_AVISO: Final = """\
# For VS Code's REST Client: send the POSTs first, what follows uses the ids that they answered.
# In JetBrains' HTTP Client write {{$uuid}} for {{$guid}}, and set the ids by hand. Made by: make api
"""


@dataclass(frozen=True, slots=True)
class Peticion:
    """A request of both files. `guarda`: an id in its answer, and the variable that keeps it."""

    titulo: str
    metodo: str
    ruta: str
    consulta: dict[str, str]
    optativas: dict[str, str]
    cabeceras: dict[str, str] = field(default_factory=dict)
    cuerpo: str = ""
    guarda: tuple[str, str] = ("", "")


def peticiones(api: dict[str, Any]) -> list[Peticion]:
    """POSTs first, and among them first those that need no id of another one."""
    todas = [p for ruta in api["paths"] for metodo in _METODOS for p in _de_operacion(api["paths"], ruta, metodo)]
    return sorted(todas, key=lambda p: (_METODOS.index(p.metodo.lower()), "{{id" in p.cuerpo))


def _de_operacion(rutas: dict[str, Any], ruta: str, metodo: str) -> Iterator[Peticion]:
    if (operacion := rutas[ruta].get(metodo)) is None:
        return
    dichos: dict[str, dict[str, str]] = {"query": {}, "header": {}}
    for p in operacion.get("parameters", ()):
        dichos[p["in"]][p["name"]] = str(_CABECERAS.get(p["name"]) or _ejemplo(p["name"], p["schema"]))
    clave = dichos["header"].pop("Idempotency-Key", "")
    camino = ruta.replace("{", "{{").replace("}", "}}")
    peticion = Peticion(operacion["summary"], metodo.upper(), camino, dichos["query"], dichos["header"])
    if "requestBody" not in operacion:
        yield peticion
        return
    campos = operacion["requestBody"]["content"]["application/json"]["schema"]["properties"]
    valores = {campo: _ejemplo(campo, esquema) for campo, esquema in campos.items()}
    cuerpo = json.dumps(valores, indent=2, ensure_ascii=False)
    cabeceras = {"Content-Type": "application/json", "Idempotency-Key": clave}
    yield (peticion := replace(peticion, cuerpo=cuerpo, cabeceras=cabeceras, guarda=_guarda(rutas, ruta, operacion)))
    if ruta == "/orders":
        xml = "".join(f"\n  <{campo}>{escape(str(valor))}</{campo}>" for campo, valor in valores.items())
        titulo, cabeceras = f"{peticion.titulo}, in XML", cabeceras | {"Content-Type": "application/xml"}
        yield replace(peticion, titulo=titulo, cuerpo=f"<root>{xml}\n</root>", cabeceras=cabeceras)


def _ejemplo(nombre: str, esquema: dict[str, Any]) -> Any:
    simple = esquema["anyOf"][0] if "anyOf" in esquema else esquema
    if simple.get("format") == "uuid":
        return f"{{{{{nombre}}}}}"
    return simple.get("examples", simple.get("enum", [simple.get("minimum", "")]))[0]


def _guarda(rutas: dict[str, Any], ruta: str, operacion: dict[str, Any]) -> tuple[str, str]:
    """The first id; the paths below this one name the variable."""
    miembros = operacion["responses"]["202"]["content"]["application/json"]["schema"]["properties"]
    miembro = next(nombre for nombre, esquema in miembros.items() if esquema.get("format") == "uuid")
    return miembro, next((r.split("{")[1].split("}")[0] for r in rutas if r.startswith(f"{ruta}/{{")), miembro)


def postman(api: dict[str, Any]) -> dict[str, Any]:
    """A collection in Postman's format 2.1."""
    todas = peticiones(api)
    variables = _BASE | {p.guarda[1]: str(UUID(int=0)) for p in todas if p.cuerpo}
    return {
        "info": {"name": api["info"]["title"], "description": api["info"]["description"], "schema": _POSTMAN},
        "auth": _BEARER,
        "variable": [{"key": clave, "value": valor} for clave, valor in variables.items()],
        "item": [_item(peticion) for peticion in todas],
    }


def _item(p: Peticion) -> dict[str, Any]:
    partes = [parte.replace("{{", ":").rstrip("}") for parte in p.ruta.strip("/").split("/")]
    ids = {parte[1:]: f"{{{{{parte[1:]}}}}}" for parte in partes if parte.startswith(":")}
    url: dict[str, Any] = {"raw": "/".join(["{{baseUrl}}", *partes]), "host": ["{{baseUrl}}"], "path": partes}
    url |= {"variable": _pares(ids), "query": _pares(p.consulta, disabled=True)}
    pedido = {"method": p.metodo, "header": _pares(p.cabeceras) + _pares(p.optativas, disabled=True), "url": url}
    if not p.cuerpo:
        return {"name": p.titulo, "request": pedido}
    pedido["body"] = {"mode": "raw", "raw": p.cuerpo}
    guion = [_PRUEBA, f'pm.collectionVariables.set("{p.guarda[1]}", pm.response.json().{p.guarda[0]});']
    return {"name": p.titulo, "request": pedido, "event": [{"listen": "test", "script": {"exec": guion}}]}


def _pares(valores: dict[str, str], **mas: bool) -> list[dict[str, Any]]:
    return [{"key": clave, "value": valor, **mas} for clave, valor in valores.items()]


def http(api: dict[str, Any]) -> str:
    """As VS Code's REST Client and JetBrains' HTTP Client read it."""
    todas = peticiones(api)
    ids = {p.guarda[1]: f"{{{{{p.ruta[1:]}.response.body.$.{p.guarda[0]}}}}}" for p in todas if p.cuerpo}
    variables = "".join(f"@{nombre} = {valor}".rstrip() + "\n" for nombre, valor in (_BASE | ids).items())
    return _AVISO + variables + "".join(_bloque(p) for p in todas)


def _bloque(p: Peticion) -> str:
    consulta = "&".join(f"{nombre}={valor}" for nombre, valor in p.consulta.items())
    cuerpo = f"\n{p.cuerpo}\n" if p.cuerpo else ""
    nombre = f"# @name {p.ruta[1:]}\n" if p.cuerpo.startswith("{") else ""
    optativas = ([f"?{consulta}"] if consulta else []) + [f"{n}: {v}".rstrip() for n, v in p.optativas.items()]
    puede = "".join(f"# may have: {optativa}\n" for optativa in optativas)
    cabeceras = "".join(f"{n}: {v}\n" for n, v in ({"Authorization": "Bearer {{token}}"} | p.cabeceras).items())
    return f"\n### {p.titulo}\n{nombre}{puede}{p.metodo} {{{{baseUrl}}}}{p.ruta}\n{cabeceras}{cuerpo}"


def archivos() -> dict[str, str]:
    """The files' texts, by name."""
    api = documento(10_000)
    datos = {"openapi.json": api, "orders.postman_collection.json": postman(api)}
    textos = {nombre: json.dumps(dato, indent=2, ensure_ascii=False) + "\n" for nombre, dato in datos.items()}
    return textos | {"orders.http": http(api)}


def main(argumentos: list[str] | None = None, carpeta: Path = API) -> int:
    parser = argparse.ArgumentParser("python -m bff.colecciones", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    solo_mirar, salida = parser.parse_args(argumentos).check, 0
    for nombre, texto in archivos().items():
        ruta = carpeta / nombre
        if not solo_mirar:
            ruta.write_text(texto, "utf-8")
        elif not ruta.exists() or ruta.read_text("utf-8") != texto:
            print(f"error: {ruta} is stale: run make api", file=sys.stderr)
            salida = 1
    return salida


if __name__ == "__main__":
    sys.exit(main())
