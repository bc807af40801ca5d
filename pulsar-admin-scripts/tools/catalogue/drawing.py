"""The functions and topics as a graph, in Graphviz' language. Its colours stand out on white and on black."""

from collections.abc import Iterator
from typing import Final

from tools.catalogue.flow import BFF, DLQ, QUARANTINE, Flow

EDGE_STYLES: Final = {
    "command": 'color="#2f9e63" penwidth=2.6',
    "compensation": 'color="#e06a2c" penwidth=2 style=dashed',
    "deadline": 'color="#9068dc" penwidth=2 style=dashed',
    "event, saga log": 'color="#8892a0" penwidth=1.2',
}
"""How an arrow is drawn, by what it is."""
GENERAL: Final = """\
  graph [bgcolor=transparent nodesep=0.2 ranksep=0.36 pad=0.1]
  node [fontname="Helvetica" fontsize=15 shape=box penwidth=0 margin="0.24,0.06"]
  edge [arrowsize=0.8]"""
FUNCTION: Final = 'style="filled,rounded" fillcolor="#2b6cb0" fontcolor="#ffffff"'
OTHER: Final = 'style="filled,rounded" fillcolor="#5a6678" fontcolor="#ffffff"'
TOPIC: Final = 'style="filled" fillcolor="#dbe4ee" fontcolor="#1c2733"'
ANY_FUNCTION: Final = f"any function, {DLQ}"


def edge_colour(edge_style: str) -> str:
    """The colour in an arrow's style."""
    return edge_style.split('"')[1]


def dot(flow: Flow) -> str:
    """The graph: the same text for the same flow."""
    return "\n".join(["digraph topology {", GENERAL, _legend(), *_nodes(flow), *_edges(flow), "}", ""])


def _nodes(flow: Flow) -> Iterator[str]:
    for name in (BFF, ANY_FUNCTION):
        yield f'  "{name}" [{OTHER}]'
    for function in flow.functions:
        yield f'  "{function.name}" [{FUNCTION}]'
    for topic in flow.schemas:
        label = topic.replace("/", "/\\n")
        yield f'  "{topic}" [label="{label}" {TOPIC}]'


def _edges(flow: Flow) -> Iterator[str]:
    yield f'  "{ANY_FUNCTION}" -> "{QUARANTINE}" [{EDGE_STYLES["event, saga log"]}]'
    for topic in flow.schemas:
        for name in flow.senders(topic) if topic != QUARANTINE else ():
            yield f'  "{name}" -> "{topic}" [{EDGE_STYLES[_edge_class(flow, topic, name)]}]'
    for function in flow.functions:
        for topic in function.receives:
            is_own = topic.endswith(f"/comando-{function.name}")
            edge_class = _edge_class(flow, topic, function.name) if is_own else "event, saga log"
            yield f'  "{topic}" -> "{function.name}" [{EDGE_STYLES[edge_class]}]'


def _edge_class(flow: Flow, topic: str, name: str) -> str:
    """What an arrow between a topic and a sender or receiver is: a key of EDGE_STYLES."""
    if "/evento-" in topic:
        return "event, saga log"
    if flow.is_compensation(topic):
        return "compensation"
    inputs = [received for function in flow.functions if function.name == name for received in function.receives]
    return "deadline" if any(map(flow.is_delayed, [topic, *inputs])) else "command"


def _legend() -> str:
    """A node that says what the colours mean."""
    cells = '<td bgcolor="#2b6cb0" style="rounded"><font color="#ffffff">&#160; function &#160;</font></td>'
    cells += '<td bgcolor="#dbe4ee"><font color="#1c2733">&#160; topic &#160;</font></td>'
    for edge_class, edge_style in EDGE_STYLES.items():
        dash = "- -" if "dashed" in edge_style else "—"
        cells += f'<td><font color="{edge_colour(edge_style)}"><b>&#160; {dash} {edge_class}</b></font></td>'
    table = f'<table border="0" cellspacing="10" cellpadding="7"><tr>{cells}</tr></table>'
    return f"  legend [shape=plaintext margin=0 label=<{table}>]"
