"""The ceiling: what the machine allows for the backlog's work without the functions' own code.

The broker's share of it and the databases' share, one after the other, each with all cores to itself.
"""

from typing import Any

from tests.load import broker, ceiling_broker, ceiling_databases
from tests.load.bench import Bench
from tests.load.figures import log


def measure(bench: Bench) -> dict[str, Any]:
    platform, count = bench.platform, bench.sizes.ordenes
    broker.quiesce(platform)
    log(f"the messages of {count} orders, by bare clients …")
    broker_seconds = ceiling_broker.run(platform, count)
    log(f"{count / broker_seconds:.0f} orders/s; their statements, by bare clients …")
    database_seconds = ceiling_databases.run(platform, count)
    log(f"{count / database_seconds:.0f} orders/s")
    return {
        "ordenes": count,
        "broker_s": broker_seconds,
        "bases_s": database_seconds,
        "broker_ordenes_s": count / broker_seconds,
        "bases_ordenes_s": count / database_seconds,
        "sagas_s": count / (broker_seconds + database_seconds),
    }
