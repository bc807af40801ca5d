"""Plots as inline SVG: lines over a row of names or over time, and bars."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from tests.load.goals import figure

WIDTH: Final = 640
HEIGHT: Final = 260
MARGIN: Final = 56
COLORS: Final = ("#3366cc", "#dc6a1a", "#2e8b57", "#a03cc0", "#b8860b", "#888888")
Point = tuple[float, float]


def lines(title: str, series: Mapping[str, Sequence[Point]], x_label: str, names: Sequence[str] = ()) -> str:
    """A line for each series. `names`: what stands below x = 0, 1, …; without them x is a number."""
    points = [point for line_points in series.values() for point in line_points]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    ceiling = max(y for _, y in points) or 1

    def location(x: float, y: float) -> Point:
        share = (x - left) / ((right - left) or 1)
        return MARGIN + share * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN + y / ceiling * (2 * MARGIN - HEIGHT)

    ticks = list(enumerate(names)) if names else [(x, figure(x)) for x in (left, right)]
    elements = [_text(location(x, 0)[0], HEIGHT - MARGIN + 18, name, "middle") for x, name in ticks]
    for share in (0, 0.5, 1):
        _, y = location(left, ceiling * share)
        elements.append(f'<path d="M{MARGIN} {y:.1f}H{WIDTH - MARGIN}" class="eje"/>')
        elements.append(_text(MARGIN - 6, y + 4, figure(ceiling * share), "end"))
    for number, (name, line_points) in enumerate(series.items()):
        color = COLORS[number % len(COLORS)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in (location(*point) for point in line_points))
        elements.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        elements.append(_text(MARGIN + 150 * number, 30, f"— {name}", "start", color))
    elements.append(_text(WIDTH - MARGIN, HEIGHT - 14, x_label, "end"))
    return _svg(title, HEIGHT, elements)


def bars(title: str, values: Mapping[str, float]) -> str:
    """A bar for each, the largest first."""
    largest, elements = max([*values.values(), 1e-9]), []
    for number, (name, value) in enumerate(sorted(values.items(), key=lambda pair: -pair[1])):
        y, length = 28 + 22 * number, max(0.0, value / largest) * (WIDTH - 270)
        elements.append(f'<rect x="190" y="{y}" width="{length:.1f}" height="16" fill="{COLORS[0]}"/>')
        elements.append(_text(184, y + 12, name, "end"))
        elements.append(_text(196 + length, y + 12, figure(value), "start"))
    return _svg(title, 40 + 22 * len(values), elements)


def _svg(title: str, height: int, elements: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
    return "".join([head, _text(0, 14, title, "start", cls="titulo"), *elements, "</svg>"])


def _text(x: float, y: float, text: str, anchor: str, color: str = "", cls: str = "") -> str:
    extra = f' fill="{color}"' if color else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{cls}"{extra}>{escape(text)}</text>'
