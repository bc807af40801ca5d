"""Growth: what an order and an answer cost while more and more orders are stored."""

import re
import time
from itertools import cycle, islice
from typing import Any, Final

from tests.load import backlog, broker, filling, requests
from tests.load.bench import Bench
from tests.load.figures import log, percentile
from tests.load.report import QUERIES
from tests.load.requests import Connection
from tests.support.platform import Platform

MAX_BACKLOG: Final = 5000
"""Orders of each backlog, at most."""
INITIAL_ORDENES: Final = 1000
"""Real orders to begin with, at most; what is added is like them."""
TOLERANCE: Final = 0.05
"""Bytes of the added orders' rows may differ from those of real ones by this part."""
PAGE_SIZE: Final = 50
"""Of a page."""
PAGES: Final = 20
"""Of 1,000 rows before the page deep inside, at most."""
REPETITIONS: Final = 100
"""Each question is asked so often."""
_NEXT: Final = re.compile('<([^>]*)>; rel="next"')


def measure(bench: Bench) -> dict[str, Any]:
    """`reason`: CPU for an order at the largest size / at the smallest."""
    platform, stored = bench.platform, bench.sizes.stored
    broker.quiesce(platform)
    platform.clear()
    initial_ordenes = min(INITIAL_ORDENES, stored[0])
    log(f"{initial_ordenes} orders to begin with …")
    backlog.run(platform, initial_ordenes)
    reference = filling.content(platform)
    sizes = []
    for count in stored:
        _fill_up_to(platform, count, reference, initial_ordenes)
        sizes.append(_measure(bench, count))
    broker.quiesce(platform)
    return {"tamanos": sizes, "razon": sizes[-1]["cpu_ms"] / sizes[0]["cpu_ms"]}


def _fill_up_to(platform: Platform, count: int, reference: filling.Contents, initial_ordenes: int) -> None:
    """So many stored orders in all, once those that were added are seen to be like real ones."""
    broker.quiesce(platform)
    stored = int(platform.sql("ordenes", "select count(*) from ordenes")[0][0])
    assert stored <= count, f"there are {stored} orders already: sizes must ascend, by more than a backlog"
    if stored == count:
        return
    log(f"{count - stored} orders, straight into the databases …")
    before = filling.content(platform)
    filling.fill(platform, stored + 1, count)
    added = {key: amount - before[key] for key, amount in filling.content(platform).items()}
    mismatches = filling.differences(reference, initial_ordenes, added, count - stored, TOLERANCE)
    assert not mismatches, f"what was added is not like real orders: {mismatches}"


def _measure(bench: Bench, count: int) -> dict[str, Any]:
    platform = bench.platform
    p50 = _query_medians(bench)
    log(f"with {count} stored: {', '.join(f'{what} {ms:.2g} ms' for what, ms in p50.items())}")
    measured = backlog.run(platform, min(bench.sizes.ordenes, MAX_BACKLOG))
    return {
        "guardadas": count,
        "ordenes": measured["ordenes"],
        "cpu_ms": measured["cpu_total_ms"],
        "por_componente_ms": measured["cpu_ms"],
        "sagas_s": measured["sagas_s"],
        "p50_ms": p50,
    }


def _query_medians(bench: Bench) -> dict[str, float]:
    """The median until the answer, in ms. Each answer has as many rows with few orders stored as with many."""
    first = f"/orders?limit={PAGE_SIZE}"
    ids = bench.platform.sql("ordenes_lectura", "select id_orden from ordenes limit :limit", limit=REPETITIONS)
    paths = (
        [first],
        [_deep_page(bench.platform)],
        [f"/orders?limit=1&user_id=cliente-{number}" for number in range(REPETITIONS)],
        [f"/orders/{id_orden}" for (id_orden,) in ids],
    )
    connection = Connection(bench.bff)
    try:
        return {
            what: 1000 * percentile([_request(connection, path) for path in islice(cycle(items), REPETITIONS)], 50)
            for what, items in zip(QUERIES, paths, strict=True)
        }
    finally:
        connection.close()


def _request(connection: Connection, path: str) -> float:
    started_at = time.monotonic()
    status, body = connection.request(requests.request("GET", path))
    elapsed = time.monotonic() - started_at
    assert status == 200, body
    return elapsed


def _deep_page(platform: Platform) -> str:
    """A page that is reached by following Link from page to page."""
    path, count = "/orders?limit=1000", 0
    while count < PAGES and (following := _redirect_target(platform, path)):
        path, count = following, count + 1
    return path.replace("limit=1000", f"limit={PAGE_SIZE}")


def _redirect_target(platform: Platform, path: str) -> str | None:
    status, body, headers = platform.request("GET", path)
    assert status == 200, body
    link = _NEXT.search(headers.get("Link", ""))
    return link[1] if link else None
