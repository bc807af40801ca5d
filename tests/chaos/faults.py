"""Faults: kill -9 of what a plan names that is drawn from a seed."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import psutil

from deployment.local import services
from tests.chaos.log import Fault, Log
from tests.chaos.repairer import Repairer
from tests.support.platform import ROOT, Platform

INSTANCE: Final = "instance"
WEIGHTS: Final = {INSTANCE: 6, "bff": 3, "postgres": 3, "pulsar": 1, "functions-worker": 1}
"""Of those that need long to come back, fewer: there is nothing to see while they are away."""
FUNCTIONS: Final = sorted(path.stem for path in (ROOT / "deployment" / "functions").glob("*.yaml"))
# PostgreSQL's "immediate" shutdown: no goodbye to clients, nothing written; it recovers from its log at the next start
SIGNALS: Final = {"postgres": signal.SIGQUIT}
MAX_CONCURRENT: Final = 2
"""So many services may be down at once: else what has just come back would soon be all that is left to kill."""


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One entry of a plan: after `pause` s the first of `kinds` that can be killed, of the functions the first of
    `functions` that runs; a service is started again after `downtime` s."""

    pause: float
    kinds: list[str]
    functions: list[str]
    downtime: float


def plan(seed: int, interval: float) -> Iterator[PlannedFault]:
    """Without end, the same for the same seed: each kind once, then by weight, every `interval` s on average."""
    rng = random.Random(seed)
    first_kinds = rng.sample(list(WEIGHTS), len(WEIGHTS))
    while True:
        # a weighted permutation: an exponential clock for each kind
        kinds = sorted(WEIGHTS, key=lambda kind: rng.expovariate(WEIGHTS[kind]))
        if first_kinds:
            kinds = [first_kinds.pop()]
        functions = rng.sample(FUNCTIONS, len(FUNCTIONS))
        yield PlannedFault(rng.uniform(0.4, 1.6) * interval, kinds, functions, rng.uniform(0.5, 3))


class FaultInjector:
    """Kills what a plan says, and tells whoever repairs it."""

    def __init__(self, platform: Platform, log: Log, repairer: Repairer) -> None:
        self._platform = platform
        self._log = log
        self._repairer = repairer

    def inject(self, planned: PlannedFault, before_killing_broker: Callable[[], object]) -> bool:
        """Kills the first of the plan's victims that can be killed; false if there is none at the moment."""
        for kind in planned.kinds:
            if kind == INSTANCE:
                fault = self._kill_instance(planned.functions)
            else:
                fault = self._kill_service(kind, planned.downtime, before_killing_broker)
            if fault:
                self._log.faults.append(fault)
                signal_name = SIGNALS.get(kind, signal.SIGKILL).name
                what = f"{kind} of {fault.what}" if kind == INSTANCE else kind
                self._log.print_line(f"{len(self._log.faults):4}. {signal_name} {what}")
                return True
        return False

    def _kill_instance(self, functions: list[str]) -> Fault | None:
        for function in functions:
            for instance in self._platform.instances(function):
                fault = Fault(INSTANCE, function, time.monotonic())
                try:
                    instance.kill()
                except psutil.NoSuchProcess:
                    continue
                return fault
        return None

    def _kill_service(self, name: str, downtime: float, before_killing_broker: Callable[[], object]) -> Fault | None:
        with self._repairer.lock:
            down_services, pid = self._repairer.down_services, services.pid(self._platform.data, name)
            if name in down_services or len(down_services) >= MAX_CONCURRENT or pid is None:
                return None
            if name == "pulsar":
                before_killing_broker()
            fault = Fault(name, name, time.monotonic())
            down_services[name] = (fault.when + downtime, fault)
            psutil.Process(pid).send_signal(SIGNALS.get(name, signal.SIGKILL))
        return fault
