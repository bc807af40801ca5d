"""PromQL and panels that several dashboards share."""

from collections.abc import Sequence
from typing import Final

from tools.dashboards.panels import Json, stat, target

PARTITION: Final = "(-partition-.+)?"
"""After a topic's name in a regular expression: its partitions, too."""
METRIC: Final = "function_metric:user_metric"
"""How the names begin that the recording rules give to functions' own metrics."""


def stats() -> Sequence[Json]:
    """The figures that say whether all is well."""
    return [
        stat("Open orders", "max(bff_open_orders)"),
        stat("Oldest open order", "max(bff_oldest_open_order_seconds)", "s", 150),
        stat("Dead letters", "sum(topic:dead_letters)", red_from=1),
        stat("Targets down", "count(up == 0) or vector(0)", red_from=1),
    ]


def per_second(metric: str) -> str:
    """What functions have counted in a second, on average of 5 minutes. `metric`: a regular expression."""
    return f'sum({METRIC}_sum:increase5m{{metric=~"{metric}"}}) / 300'


def average(metric: str, matcher: str) -> str:
    """The average, over 5 minutes, of a metric that functions record once for each batch."""
    suffix = f'increase5m{{metric="{metric}", {matcher}}}'
    return f"{METRIC}_sum:{suffix} / {METRIC}_count:{suffix}"


def quantiles(buckets: str) -> list[Json]:
    """The median and two higher quantiles of a histogram, over 5 minutes. `buckets`: the name of its buckets."""
    return [target(quantile(q, buckets), f"p{q * 100:.0f}") for q in (0.5, 0.95, 0.99)]


def quantile(q: float, buckets: str, by: str = "") -> str:
    """A quantile of a histogram, over 5 minutes; `by`: labels that it is kept apart by, each with ", " after it."""
    return f"histogram_quantile({q}, sum by ({by}le) (rate({buckets}[5m])))"
