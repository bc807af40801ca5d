"""The message catalogue, from schemas/ and deployment/functions/: what each topic holds, who sends, who receives.

  schemas/catalogue/asyncapi.yaml   for machines
  schemas/catalogue/topology.svg    the drawing in the README
  bff/static/topologia.json         the same for the BFF's panel
  build/catalogue/index.html        for people: the first two in one page that needs no network; not in git

Writes all four. All but the first need node and npm packages, which the first run installs into the cache.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

import yaml
from admin import RAIZ

if TYPE_CHECKING:
    from catalogue_flow import Flujo

CATALOGO: Final = RAIZ / "schemas" / "catalogue"
ASYNCAPI: Final = CATALOGO / "asyncapi.yaml"
DIBUJO: Final = CATALOGO / "topology.svg"
PANEL: Final = RAIZ / "bff" / "static" / "topologia.json"
PAGINA: Final = RAIZ / "build" / "catalogue" / "index.html"


class _Yaml(yaml.SafeDumper):
    """Without aliases, and texts of many lines as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Yaml.add_representer(
    str, lambda y, s: y.represent_scalar("tag:yaml.org,2002:str", s, style="|" if "\n" in s else None)
)


def en_yaml(documento: dict[str, Any]) -> str:
    return yaml.dump(documento, Dumper=_Yaml, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120)


def sellado(dot: str, svg: str) -> str:
    """The drawing with a seal, so that one can tell without Graphviz whether it is of this graph, and unchanged."""
    return f"{svg}<!-- sha256: {hashlib.sha256((dot + svg).encode()).hexdigest()} -->\n"


def caducos() -> list[Path]:
    """The files in git that are missing, or not what the sources say."""
    from catalogue_panel import topologia

    flujo, documento, dot = _leer()
    rutas = (ASYNCAPI, DIBUJO, PANEL)
    texto, svg, panel = (ruta.read_text("utf-8") if ruta.exists() else "" for ruta in rutas)
    es_el_dibujo = svg == sellado(dot, svg.rpartition("<!--")[0])
    al_dia = (texto == en_yaml(documento), es_el_dibujo, es_el_dibujo and panel == topologia(flujo, svg))
    return [ruta for ruta, bien in zip(rutas, al_dia, strict=True) if not bien]


def generados() -> dict[Path, str]:
    """The four files as they should be."""
    from catalogue_npm import correr
    from catalogue_panel import topologia

    flujo, documento, dot = _leer()
    svg = correr("draw.mjs", dot)
    return {
        ASYNCAPI: en_yaml(documento),
        DIBUJO: sellado(dot, svg),
        PANEL: topologia(flujo, svg),
        PAGINA: _pagina(documento, svg),
    }


def _leer() -> tuple["Flujo", dict[str, Any], str]:
    """The sources, the document, and the graph in Graphviz' language."""
    from catalogue_asyncapi import documento
    from catalogue_drawing import dot
    from catalogue_flow import leer

    return (flujo := leer()), documento(flujo), dot(flujo)


def _pagina(documento: dict[str, Any], svg: str) -> str:
    """The document as AsyncAPI's own React component shows it, under the drawing."""
    from catalogue_npm import instalados

    componente = instalados() / "node_modules" / "@asyncapi" / "react-component"
    programa = (componente / "browser" / "standalone" / "index.js").read_text("utf-8")
    return Template((CATALOGO / "page.html").read_text("utf-8")).substitute(
        styles=(componente / "styles" / "default.min.css").read_text("utf-8"),
        drawing=svg[svg.index("<svg") :],
        script=programa.replace("</script", "<\\/script"),
        document=json.dumps(documento).replace("<", "\\u003c"),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say what is stale; needs no node and no network")
    if not parser.parse_args().check:
        for ruta, texto in generados().items():
            ruta.parent.mkdir(parents=True, exist_ok=True)
            ruta.write_text(texto, "utf-8")
            print(ruta.relative_to(RAIZ))
        return 0
    for ruta in (viejos := caducos()):
        print(f"{ruta.relative_to(RAIZ)} is stale: run make catalogue", file=sys.stderr)
    return int(bool(viejos))


if __name__ == "__main__":
    sys.path.append(str(RAIZ))  # for functions.comun and deployment.local
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(f"error: {error}")
