"""The message catalogue, from schemas/ and deployment/functions/: what each topic holds, who sends, who receives.

  schemas/catalogue/asyncapi.yaml   for machines
  schemas/catalogue/topology.svg    the drawing in the README
  bff/static/topology.json          the same for the BFF's panel
  build/catalogue/index.html        for people: the first two in one page that needs no network; not in git

Writes all four. All but the first need node and npm packages, which the first run installs into the cache.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from string import Template
from typing import Any, Final

import yaml

from functions.program.run import uninterrupted
from tools.catalogue.asyncapi import document
from tools.catalogue.drawing import dot
from tools.catalogue.flow import Flow, read
from tools.catalogue.panel import topology
from tools.cluster.repository import ROOT

# tools.catalogue.npm is imported where it is used: --check must do without node

CATALOGUE: Final = ROOT / "schemas" / "catalogue"
ASYNCAPI: Final = CATALOGUE / "asyncapi.yaml"
DRAWING: Final = CATALOGUE / "topology.svg"
PANEL: Final = ROOT / "bff" / "static" / "topology.json"
PAGE: Final = ROOT / "build" / "catalogue" / "index.html"


class _Yaml(yaml.SafeDumper):
    """Writes no aliases, and texts of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: _Yaml, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Yaml.add_representer(str, _represent_text)


def to_yaml(value: dict[str, Any]) -> str:
    """The value as YAML: the same text for the same value."""
    return yaml.dump(value, Dumper=_Yaml, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120)


def sealed(dot: str, svg: str) -> str:
    """The drawing with a hash of itself and its graph, in a comment at its end.

    By it `stale` can tell without Graphviz whether the drawing is of this graph, and unchanged.
    """
    return f"{svg}<!-- sha256: {hashlib.sha256((dot + svg).encode()).hexdigest()} -->\n"


def stale() -> list[Path]:
    """The files in git that are missing, or not what the sources say. Needs no node."""
    flow = read()
    text, svg, panel = (path.read_text("utf-8") if path.exists() else "" for path in (ASYNCAPI, DRAWING, PANEL))
    is_current_drawing = svg == sealed(dot(flow), svg.rpartition("<!--")[0])
    is_current = {
        ASYNCAPI: text == to_yaml(document(flow)),
        DRAWING: is_current_drawing,
        PANEL: is_current_drawing and panel == topology(flow, svg),
    }
    return [path for path in is_current if not is_current[path]]


def generated() -> dict[Path, str]:
    """The four files as they should be."""
    from tools.catalogue.npm import run

    flow = read()
    svg = run("draw.mjs", dot(flow))
    return {
        ASYNCAPI: to_yaml(document(flow)),
        DRAWING: sealed(dot(flow), svg),
        PANEL: topology(flow, svg),
        PAGE: _page(flow, svg),
    }


def _page(flow: Flow, svg: str) -> str:
    """The document as AsyncAPI's own React component shows it, under the drawing."""
    from tools.catalogue.npm import installed

    component = installed() / "node_modules" / "@asyncapi" / "react-component"
    program = (component / "browser" / "standalone" / "index.js").read_text("utf-8")
    return Template((CATALOGUE / "page.html").read_text("utf-8")).substitute(
        styles=(component / "styles" / "default.min.css").read_text("utf-8"),
        drawing=svg[svg.index("<svg") :],
        script=program.replace("</script", "<\\/script"),
        document=json.dumps(document(flow)).replace("<", "\\u003c"),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say what is stale; needs no node and no network")
    parser.add_argument("--install", action="store_true", help="only install what it needs, once")
    options = parser.parse_args()
    if options.install:
        from tools.catalogue.npm import installed

        print(f"  the catalogue's tools are in {installed()}")
        return 0
    if not options.check:
        for path, text in generated().items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with uninterrupted():
                path.write_text(text, "utf-8")
            print(path.relative_to(ROOT))
        return 0
    outdated = stale()
    for path in outdated:
        print(f"{path.relative_to(ROOT)} is stale: run make catalogue", file=sys.stderr)
    return int(bool(outdated))
