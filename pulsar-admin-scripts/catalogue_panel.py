"""What the BFF's panel draws: bff/static/topologia.json, the drawing without its looks, and who reads what.

The panel has colours of its own, and figures in it. Where everything is comes from Graphviz' drawing.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import Element, fromstring

from catalogue_drawing import TRAZOS
from catalogue_flow import Flujo

_SVG: Final = "{http://www.w3.org/2000/svg}"
_NUMEROS: Final = re.compile(r"-?\d+(?:\.\d+)?")
_CLASES: Final = {trazo.split('"')[1]: clase.partition(",")[0] for clase, trazo in TRAZOS.items()}
"""What an arrow is, by its colour."""


def topologia(flujo: Flujo, svg: str) -> str:
    """JSON, an element a line."""
    raiz = fromstring(svg)
    grafo = next(raiz.iter(f"{_SVG}g"))
    desplazado = grafo.get("transform", "").partition("translate(")[2]
    x, y = (-float(numero) for numero in _NUMEROS.findall(desplazado))
    ancho, alto = _NUMEROS.findall(raiz.get("viewBox", ""))[2:]
    listas = {"nodos": _nodos(flujo, grafo), "flechas": _flechas(grafo), "funciones": _funciones(flujo)}
    miembros = [f'"vista": {json.dumps(f"{x:g} {y:g} {float(ancho):g} {float(alto):g}")}']
    for nombre, elementos in listas.items():
        lineas = ",\n".join(json.dumps(elemento, ensure_ascii=False) for elemento in elementos)
        miembros.append(f'"{nombre}": [\n{lineas}\n]')
    return "{" + ",\n".join(miembros) + "}\n"


def _nodos(flujo: Flujo, grafo: Element) -> Iterator[dict[str, Any]]:
    """`caja`: left, top, width, height."""
    funciones = {funcion.nombre for funcion in flujo.funciones}
    for nombre, grupo in _grupos(grafo, "node"):
        if nombre == "legend":
            continue
        tipo = "topic" if nombre in flujo.esquemas else "funcion" if nombre in funciones else "otro"
        yield {"nombre": nombre, "tipo": tipo, "caja": _caja(grupo)}


def _caja(grupo: Element) -> list[float]:
    figura = next(hijo for hijo in grupo if hijo.tag in (f"{_SVG}path", f"{_SVG}polygon"))
    numeros = [float(numero) for numero in _NUMEROS.findall(figura.get("d") or figura.get("points") or "")]
    xs, ys = numeros[::2], numeros[1::2]
    return [round(n, 2) for n in (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))]


def _flechas(grafo: Element) -> Iterator[dict[str, str]]:
    for _, grupo in _grupos(grafo, "edge"):
        linea, punta = (next(grupo.iter(f"{_SVG}{figura}")) for figura in ("path", "polygon"))
        clase = _CLASES[linea.get("stroke", "")]
        yield {"clase": clase, "linea": linea.get("d", ""), "punta": punta.get("points", "")}


def _grupos(grafo: Element, clase: str) -> Iterator[tuple[str, Element]]:
    for grupo in grafo.iter(f"{_SVG}g"):
        if grupo.get("class") == clase:
            yield grupo.findtext(f"{_SVG}title") or "", grupo


def _funciones(flujo: Flujo) -> Iterator[dict[str, Any]]:
    for funcion in flujo.funciones:
        yield {
            "nombre": funcion.nombre,
            "recibe": list(funcion.recibe),
            "suscripcion": funcion.suscripcion,
            "cartas": funcion.cartas,
        }
