"""The functions and topics as a graph, in Graphviz' language: colours that stand out on white and on black."""

from collections.abc import Iterator
from typing import Final

from catalogue_flow import BFF, CUARENTENA, DLQ, Flujo

TRAZOS: Final = {
    # what an arrow is: colour and style
    "command": 'color="#2f9e63" penwidth=2.6',
    "compensation": 'color="#e06a2c" penwidth=2 style=dashed',
    "deadline": 'color="#9068dc" penwidth=2 style=dashed',
    "event, saga log": 'color="#8892a0" penwidth=1.2',
}
GENERAL: Final = """\
  graph [bgcolor=transparent nodesep=0.2 ranksep=0.36 pad=0.1]
  node [fontname="Helvetica" fontsize=15 shape=box penwidth=0 margin="0.24,0.06"]
  edge [arrowsize=0.8]"""
FUNCION: Final = 'style="filled,rounded" fillcolor="#2b6cb0" fontcolor="#ffffff"'
OTRO: Final = 'style="filled,rounded" fillcolor="#5a6678" fontcolor="#ffffff"'
TOPIC: Final = 'style="filled" fillcolor="#dbe4ee" fontcolor="#1c2733"'
TODAS: Final = f"any function, {DLQ}"


def dot(flujo: Flujo) -> str:
    """The same text for the same sources."""
    return "\n".join(["digraph topology {", GENERAL, _leyenda(), *_nodos(flujo), *_flechas(flujo), "}", ""])


def _nodos(flujo: Flujo) -> Iterator[str]:
    for nombre in (BFF, TODAS):
        yield f'  "{nombre}" [{OTRO}]'
    for funcion in flujo.funciones:
        yield f'  "{funcion.nombre}" [{FUNCION}]'
    for topic in flujo.esquemas:
        rotulo = topic.replace("/", "/\\n")
        yield f'  "{topic}" [label="{rotulo}" {TOPIC}]'


def _flechas(flujo: Flujo) -> Iterator[str]:
    yield f'  "{TODAS}" -> "{CUARENTENA}" [{TRAZOS["event, saga log"]}]'
    for topic in flujo.esquemas:
        for nombre in flujo.envian(topic) if topic != CUARENTENA else ():
            yield f'  "{nombre}" -> "{topic}" [{TRAZOS[_clase(flujo, topic, nombre)]}]'
    for funcion in flujo.funciones:
        for topic in funcion.recibe:
            propio = topic.endswith(f"/comando-{funcion.nombre}")
            clase = _clase(flujo, topic, funcion.nombre) if propio else "event, saga log"
            yield f'  "{topic}" -> "{funcion.nombre}" [{TRAZOS[clase]}]'


def _clase(flujo: Flujo, topic: str, nombre: str) -> str:
    """What an arrow between the two is."""
    if "/evento-" in topic:
        return "event, saga log"
    if flujo.compensa(topic):
        return "compensation"
    entradas = [t for f in flujo.funciones if f.nombre == nombre for t in f.recibe]
    return "deadline" if any(map(flujo.demorado, [topic, *entradas])) else "command"


def _leyenda() -> str:
    celdas = '<td bgcolor="#2b6cb0" style="rounded"><font color="#ffffff">&#160; function &#160;</font></td>'
    celdas += '<td bgcolor="#dbe4ee"><font color="#1c2733">&#160; topic &#160;</font></td>'
    for clase, trazo in TRAZOS.items():
        raya = "- -" if "dashed" in trazo else "—"
        celdas += f'<td><font color="{trazo.split(chr(34))[1]}"><b>&#160; {raya} {clase}</b></font></td>'
    tabla = f'<table border="0" cellspacing="10" cellpadding="7"><tr>{celdas}</tr></table>'
    return f"  legend [shape=plaintext margin=0 label=<{tabla}>]"
