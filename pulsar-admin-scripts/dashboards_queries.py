"""PromQL that several dashboards ask."""

from collections.abc import Sequence
from typing import Final

from dashboards_panels import Json, cifra, serie

PARTICION: Final = "(-partition-.+)?"
METRICA: Final = "function_metric:user_metric"
"""What the recording rules make of functions' own metrics."""


def cifras() -> Sequence[Json]:
    return [
        cifra("Open orders", "max(bff_open_orders)"),
        cifra("Oldest open order", "max(bff_oldest_open_order_seconds)", "s", 150),
        cifra("Dead letters", "sum(topic:dead_letters)", rojo=1),
        cifra("Targets down", "count(up == 0) or vector(0)", rojo=1),
    ]


def por_segundo(metrica: str) -> str:
    return f'sum({METRICA}_sum:increase5m{{metric=~"{metrica}"}}) / 300'


def medio(metrica: str, filtro: str) -> str:
    """The average of what is recorded once for each batch."""
    esta = f'increase5m{{metric="{metrica}", {filtro}}}'
    return f"{METRICA}_sum:{esta} / {METRICA}_count:{esta}"


def cuantiles(cubetas: str) -> list[Json]:
    return [serie(cuantil(q, cubetas), f"p{q * 100:.0f}") for q in (0.5, 0.95, 0.99)]


def cuantil(q: float, cubetas: str, por: str = "") -> str:
    return f"histogram_quantile({q}, sum by ({por}le) (rate({cubetas}[5m])))"
