"""Plots as inline SVG: lines over a row of names or over time, and bars."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from tests.load.metas import cifra

ANCHO: Final = 640
ALTO: Final = 260
MARGEN: Final = 56
COLORES: Final = ("#3366cc", "#dc6a1a", "#2e8b57", "#a03cc0", "#b8860b", "#888888")
Punto = tuple[float, float]


def lineas(titulo: str, series: Mapping[str, Sequence[Punto]], eje_x: str, nombres: Sequence[str] = ()) -> str:
    """A line for each series. `nombres`: what stands below x = 0, 1, …; without them x is a number."""
    puntos = [punto for serie in series.values() for punto in serie]
    izquierda, derecha = min(x for x, _ in puntos), max(x for x, _ in puntos)
    techo = max(y for _, y in puntos) or 1

    def lugar(x: float, y: float) -> Punto:
        parte = (x - izquierda) / ((derecha - izquierda) or 1)
        return MARGEN + parte * (ANCHO - 2 * MARGEN), ALTO - MARGEN + y / techo * (2 * MARGEN - ALTO)

    marcas = list(enumerate(nombres)) if nombres else [(x, cifra(x)) for x in (izquierda, derecha)]
    dibujo = [_texto(lugar(x, 0)[0], ALTO - MARGEN + 18, nombre, "middle") for x, nombre in marcas]
    for parte in (0, 0.5, 1):
        _, y = lugar(izquierda, techo * parte)
        dibujo.append(f'<path d="M{MARGEN} {y:.1f}H{ANCHO - MARGEN}" class="eje"/>')
        dibujo.append(_texto(MARGEN - 6, y + 4, cifra(techo * parte), "end"))
    for numero, (nombre, serie) in enumerate(series.items()):
        color = COLORES[numero % len(COLORES)]
        camino = "L".join(f"{x:.1f} {y:.1f}" for x, y in (lugar(*punto) for punto in serie))
        dibujo.append(f'<path d="M{camino}" fill="none" stroke="{color}" stroke-width="2"/>')
        dibujo.append(_texto(MARGEN + 150 * numero, 30, f"— {nombre}", "start", color))
    dibujo.append(_texto(ANCHO - MARGEN, ALTO - 14, eje_x, "end"))
    return _svg(titulo, ALTO, dibujo)


def barras(titulo: str, valores: Mapping[str, float]) -> str:
    """A bar for each, the largest first."""
    mayor, dibujo = max([*valores.values(), 1e-9]), []
    for numero, (nombre, valor) in enumerate(sorted(valores.items(), key=lambda par: -par[1])):
        y, largo = 28 + 22 * numero, max(0.0, valor / mayor) * (ANCHO - 270)
        dibujo.append(f'<rect x="190" y="{y}" width="{largo:.1f}" height="16" fill="{COLORES[0]}"/>')
        dibujo.append(_texto(184, y + 12, nombre, "end"))
        dibujo.append(_texto(196 + largo, y + 12, cifra(valor), "start"))
    return _svg(titulo, 40 + 22 * len(valores), dibujo)


def _svg(titulo: str, alto: int, dibujo: Sequence[str]) -> str:
    cabeza = f'<svg viewBox="0 0 {ANCHO} {alto}" role="img" aria-label="{escape(titulo)}">'
    return "".join([cabeza, _texto(0, 14, titulo, "start", clase="titulo"), *dibujo, "</svg>"])


def _texto(x: float, y: float, texto: str, ancla: str, color: str = "", clase: str = "") -> str:
    extra = f' fill="{color}"' if color else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{ancla}" class="{clase}"{extra}>{escape(texto)}</text>'
