"""What an idle platform takes, and how long it takes to come back."""

import time
from dataclasses import asdict
from typing import Any

from tests.load import broker, processes, startup
from tests.load.bench import Bench
from tests.load.figures import log


def measure(bench: Bench) -> dict[str, Any]:
    platform, seconds = bench.platform, bench.sizes.idle_seconds
    broker.quiesce(platform)
    log(f"idle for {seconds:g} s …")
    before = processes.cpu(platform.data)
    time.sleep(seconds)
    cpu_spent = processes.cpu_spent(before, processes.cpu(platform.data))
    return {
        "cpu_por_s": {name: usage / seconds for name, usage in cpu_spent.items()},
        "memoria": {name: asdict(used) for name, used in processes.memory(platform.data).items()},
        "otra_vez": startup.again(platform),
    }
