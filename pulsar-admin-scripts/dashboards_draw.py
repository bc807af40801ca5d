"""The dashboards' panels, drawn from what a Prometheus holds: deployment/monitoring/pictures/*.png, for people to see.

Grafana shows the same queries, alive. Needs `pip install -r tests/requirements.txt` (matplotlib).
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import urlopen

import matplotlib as mpl
from dashboards import CARPETA
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

IMAGENES: Final = CARPETA.parent / "pictures"
PUNTOS: Final = 180
"""In each line."""
PULGADAS: Final = 0.6
"""A row of Grafana's grid; its 24 columns are 16 inches wide."""
LEYENDA: Final = 2.4
"""Rows below a panel's lines, for their names."""
NOMBRADAS: Final = 8
"""Lines that are named, the highest."""
EJEMPLOS: Final = {"topic": "productos/comando-disminuir-stock"}
"""What is chosen at the top of a dashboard; else all."""
TALLOS: Final = {"s": "s", "ops": "per s", "bytes": "bytes"}
Serie = tuple[Mapping[str, str], list[tuple[float, float]]]


class Prometheus:
    def __init__(self, url: str, minutos: float) -> None:
        self._url, self._segundos = url, 60 * minutos

    def series(self, expr: str) -> list[Serie]:
        """Labels, and points as (minutes before now, value)."""
        ahora = time.time()
        pedido = {"query": expr, "start": ahora - self._segundos, "end": ahora, "step": self._segundos / PUNTOS}
        with urlopen(f"{self._url}/api/v1/query_range?{urlencode(pedido)}", timeout=30) as respuesta:
            filas = json.load(respuesta)["data"]["result"]
        return [(f["metric"], [((float(t) - ahora) / 60, float(v)) for t, v in f["values"]]) for f in filas]


def dibujar(tablero: Mapping[str, Any], prometheus: Prometheus, destino: Path) -> None:
    paneles = [panel for panel in tablero["panels"] if panel["type"] not in ("row", "text")]
    filas = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in paneles) + 1
    figura = Figure(figsize=(16, PULGADAS * filas))
    figura.text(0.01, 1 - 0.6 / filas, tablero["title"], fontsize=14)
    for panel in paneles:
        x, y, ancho, alto = (panel["gridPos"][lado] for lado in "xywh")
        abajo = LEYENDA if panel["type"] == "timeseries" else 0.2
        sitio = (x + 0.7, filas - 1 - y - alto + abajo, ancho - 1, alto - abajo - 0.8)
        ejes = figura.add_axes((sitio[0] / 24, sitio[1] / filas, sitio[2] / 24, sitio[3] / filas))
        ejes.set_title(panel["title"], fontsize=9, loc="left")
        leidas = [(dicha, prometheus.series(_elegida(dicha["expr"]))) for dicha in panel["targets"]]
        {"timeseries": _lineas, "stat": _cifra, "table": _tabla}[panel["type"]](ejes, panel, leidas)
    figura.savefig(destino, dpi=70)


def _elegida(expr: str) -> str:
    return re.sub(r"\$(\w+)", lambda variable: EJEMPLOS.get(variable[1], ".+"), expr)


def _lineas(ejes: Axes, panel: Mapping[str, Any], leidas: Iterable[tuple[Mapping[str, Any], list[Serie]]]) -> None:
    alturas: list[tuple[float, Line2D]] = []
    for dicha, series in leidas:
        for etiquetas, puntos in series:
            nombre = _nombre(dicha["legendFormat"], etiquetas)
            (linea,) = ejes.plot(*zip(*puntos, strict=True), label=nombre, linewidth=1.2)
            alturas.append((max(valor for _, valor in puntos), linea))
    ejes.set_ylim(bottom=0)
    ejes.set_ylabel(TALLOS.get(panel["fieldConfig"]["defaults"]["unit"], ""), fontsize=7)
    ejes.tick_params(labelsize=7)
    ejes.grid(alpha=0.3)
    mayores = [linea for _, linea in sorted(alturas, key=lambda altura: -altura[0])[:NOMBRADAS]]
    if mayores:
        ejes.legend(handles=mayores, fontsize=6, loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2, frameon=False)


def _nombre(leyenda: str, etiquetas: Mapping[str, str]) -> str:
    nombre = re.sub(r"\{\{(\w+)\}\}", lambda dicho: etiquetas.get(dicho[1], ""), leyenda)
    return nombre.replace("persistent://monoliticas/", "")


def _cifra(ejes: Axes, panel: Mapping[str, Any], leidas: Iterable[tuple[Mapping[str, Any], list[Serie]]]) -> None:
    propio = panel["fieldConfig"]["defaults"]
    valores = [puntos[-1][1] for _, series in leidas for _, puntos in series]
    rojo = next((paso["value"] for paso in propio["thresholds"]["steps"] if paso["color"] == "red"), None)
    mal = any(rojo is not None and valor >= rojo for valor in valores)
    ejes.set_facecolor("#c4162a" if mal else "#37872d")
    cifras = ",.0f" if valores and valores[0] >= 100 else ".3g"
    texto = f"{valores[0]:{cifras}} {TALLOS.get(propio['unit'], '')}" if valores else propio["noValue"]
    ejes.text(0.5, 0.5, texto, ha="center", va="center", fontsize=16, color="white")
    ejes.set(xticks=[], yticks=[])


def _tabla(ejes: Axes, _: Mapping[str, Any], leidas: Iterable[tuple[Mapping[str, Any], list[Serie]]]) -> None:
    filas = [
        f"{etiquetas['alertname']} {etiquetas.get('name', etiquetas.get('topic', ''))}"
        for _, series in leidas
        for etiquetas, puntos in series
        if puntos[-1][0] > -0.5
    ]
    ejes.text(0.03, 0.95, "\n".join(sorted(set(filas))[:12]) or "none", va="top", fontsize=7)
    ejes.set(xticks=[], yticks=[])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", help="its URL (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=10, help="until now (default 10)")
    parser.add_argument("--output", type=Path, default=IMAGENES, help="folder (default deployment/monitoring/pictures)")
    dichos = parser.parse_args()
    mpl.use("agg")
    dichos.output.mkdir(parents=True, exist_ok=True)
    prometheus = Prometheus(dichos.prometheus.rstrip("/"), dichos.minutes)
    try:
        for archivo in sorted(CARPETA.glob("*.json")):
            destino = dichos.output / f"{archivo.stem}.png"
            dibujar(json.loads(archivo.read_text("utf-8")), prometheus, destino)
            print(destino)
    except OSError as error:
        sys.exit(f"error: Prometheus at {dichos.prometheus} does not answer: {error}; `make prometheus` starts one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
