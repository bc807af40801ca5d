"""What the BFF's panel draws, bff/static/topology.json: where nodes and arrows are, and which function reads what.

The positions come from Graphviz' drawing; colours and figures are the panel's own.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import Element, fromstring

from tools.catalogue.drawing import EDGE_STYLES, edge_colour
from tools.catalogue.flow import Flow

_SVG: Final = "{http://www.w3.org/2000/svg}"
_NUMBERS: Final = re.compile(r"-?\d+(?:\.\d+)?")
_EDGE_CLASSES: Final = {
    edge_colour(edge_style): edge_class.partition(",")[0] for edge_class, edge_style in EDGE_STYLES.items()
}
"""The kind of an arrow, by its colour."""


def topology(flow: Flow, svg: str) -> str:
    """The file's JSON, with one element a line. `svg`: Graphviz' drawing of the flow."""
    root = fromstring(svg)
    graph = next(root.iter(f"{_SVG}g"))
    translation = graph.get("transform", "").partition("translate(")[2]
    x, y = (-float(number) for number in _NUMBERS.findall(translation))
    width, height = _NUMBERS.findall(root.get("viewBox", ""))[2:]
    sections = {"nodes": _nodes(flow, graph), "edges": _edges(graph), "functions": _functions(flow)}
    members = [f'"view_box": {json.dumps(f"{x:g} {y:g} {float(width):g} {float(height):g}")}']
    for name, elements in sections.items():
        lines = ",\n".join(json.dumps(element, ensure_ascii=False) for element in elements)
        members.append(f'"{name}": [\n{lines}\n]')
    return "{" + ",\n".join(members) + "}\n"


def _nodes(flow: Flow, graph: Element) -> Iterator[dict[str, Any]]:
    """Functions, topics and who else publishes. `box`: left, top, width, height."""
    functions = {function.name for function in flow.functions}
    for name, group in _groups(graph, "node"):
        if name == "legend":
            continue
        kind = "topic" if name in flow.schemas else "function" if name in functions else "other"
        yield {"name": name, "kind": kind, "box": _box(group)}


def _box(group: Element) -> list[float]:
    shape = next(child for child in group if child.tag in (f"{_SVG}path", f"{_SVG}polygon"))
    numbers = [float(number) for number in _NUMBERS.findall(shape.get("d") or shape.get("points") or "")]
    xs, ys = numbers[::2], numbers[1::2]
    return [round(n, 2) for n in (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))]


def _edges(graph: Element) -> Iterator[dict[str, str]]:
    for _, group in _groups(graph, "edge"):
        line, arrowhead = (next(group.iter(f"{_SVG}{shape}")) for shape in ("path", "polygon"))
        edge_class = _EDGE_CLASSES[line.get("stroke", "")]
        yield {"class": edge_class, "line": line.get("d", ""), "arrowhead": arrowhead.get("points", "")}


def _groups(graph: Element, edge_class: str) -> Iterator[tuple[str, Element]]:
    for group in graph.iter(f"{_SVG}g"):
        if group.get("class") == edge_class:
            yield group.findtext(f"{_SVG}title") or "", group


def _functions(flow: Flow) -> Iterator[dict[str, Any]]:
    for function in flow.functions:
        yield {
            "name": function.name,
            "receives": list(function.receives),
            "subscription": function.subscription,
            "dead_letters": function.dead_letters,
        }
