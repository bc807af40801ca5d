"""Grafana's dashboards, from the same sources as the catalogue: deployment/monitoring/dashboards/*.json.

Import them, or let Grafana's provisioning read the folder. They ask for a Prometheus data source.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from admin import RAIZ

CARPETA: Final = RAIZ / "deployment" / "monitoring" / "dashboards"


def generados() -> dict[Path, str]:
    """Each file as it should be."""
    from catalogue_flow import leer
    from dashboards_content import tableros

    return {CARPETA / f"{t['uid'].removeprefix('monoliticas-')}.json": _texto(t) for t in tableros(leer())}


def _texto(tablero: dict[str, Any]) -> str:
    return json.dumps(tablero, indent=1, ensure_ascii=False) + "\n"


def caducos() -> list[Path]:
    """The files that are missing, not what the sources say, or of no dashboard."""
    deben = generados()
    todos = {*deben, *CARPETA.glob("*.json")}
    return sorted(r for r in todos if not r.exists() or deben.get(r) != r.read_text("utf-8"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    if not parser.parse_args().check:
        for ruta, texto in generados().items():
            ruta.write_text(texto, "utf-8")
            print(ruta.relative_to(RAIZ))
        return 0
    for ruta in (viejos := caducos()):
        print(f"{ruta.relative_to(RAIZ)} is stale: run make dashboards", file=sys.stderr)
    return int(bool(viejos))


if __name__ == "__main__":
    sys.path.append(str(RAIZ))  # for functions.comun
    sys.exit(main())
