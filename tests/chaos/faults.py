"""Faults: kill -9 of what a plan names that is drawn from a seed; in a cluster also cuts between two of its nodes."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import psutil

from deployment.local import services
from deployment.local.cluster import network, nodes
from tests.chaos.log import Fault, Log
from tests.chaos.repairer import Repairer
from tests.support.cluster import ClusterPlatform
from tests.support.platform import ROOT, Platform

INSTANCE: Final = "instance"
WEIGHTS: Final = {INSTANCE: 6, "bff": 3, "postgres": 3, "pulsar": 1, "functions-worker": 1}
"""Of those that need long to come back, fewer: there is nothing to see while they are away."""
CUT: Final = "cut"
CLUSTER_WEIGHTS: Final = {
    INSTANCE: 3,
    "bff": 2,
    "postgres": 2,
    "bookie": 3,
    "broker": 3,
    "functions-worker": 2,
    CUT: 3,
}
CUT_TIMES: Final = (5.0, 30.0)
"""How long two nodes don't reach each other, in s: from the one to the other."""
CUT_OFF: Final = ("bookie", "broker", "functions-worker", "bff", "postgres", "zookeeper")
"""Kinds of nodes that may be cut off from one of another kind, or of their own."""
FUNCTIONS: Final = sorted(path.stem for path in (ROOT / "deployment" / "functions").glob("*.yaml"))
# PostgreSQL's "immediate" shutdown: no goodbye to clients, nothing written; it recovers from its log at the next start
SIGNALS: Final = {"postgres": signal.SIGQUIT}
MAX_CONCURRENT: Final = 2
"""So many services may be down at once: else what has just come back would soon be all that is left to kill."""


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One entry of a plan: after `pause` s the first of `kinds` that can be killed, of the functions the first of
    `functions` that runs; a service is started again after `downtime` s, unless it has to be at once."""

    pause: float
    kinds: list[str]
    functions: list[str]
    downtime: float
    choice: float
    """A seed, by which it is drawn which of several nodes it is."""


def weights(platform: Platform) -> dict[str, int]:
    """The kinds of faults that a platform can have, and how often each comes."""
    if not isinstance(platform, ClusterPlatform):
        return WEIGHTS
    return CLUSTER_WEIGHTS if platform.settings.isolated else {k: n for k, n in CLUSTER_WEIGHTS.items() if k != CUT}


def plan(seed: int, interval: float, weights: Mapping[str, int]) -> Iterator[PlannedFault]:
    """Without end, the same for the same seed: each kind once, then by weight, every `interval` s on average."""
    rng = random.Random(seed)
    first_kinds = rng.sample(list(weights), len(weights))
    while True:
        # a weighted permutation: an exponential clock for each kind
        kinds = sorted(weights, key=lambda kind: rng.expovariate(weights[kind]))
        if first_kinds:
            kinds = [first_kinds.pop()]
        functions = rng.sample(FUNCTIONS, len(FUNCTIONS))
        yield PlannedFault(rng.uniform(0.4, 1.6) * interval, kinds, functions, rng.uniform(0.5, 3), rng.random())


class FaultInjector:
    """Kills what a plan says, and tells whoever repairs it."""

    def __init__(self, platform: Platform, log: Log, repairer: Repairer) -> None:
        self._platform = platform
        self._log = log
        self._repairer = repairer
        self._healers: list[threading.Timer] = []

    def inject(self, planned: PlannedFault, before_killing_broker: Callable[[], object]) -> bool:
        """Kills the first of the plan's victims that can be killed; false if there is none at the moment."""
        for kind in planned.kinds:
            if kind == INSTANCE:
                fault = self._kill_instance(planned.functions)
            elif kind == CUT:
                fault = self._cut(random.Random(planned.choice))
            else:
                fault = self._kill_service(kind, planned, before_killing_broker)
            if fault:
                self._log.faults.append(fault)
                signal_name = "" if kind == CUT else f"{self._signal(kind).name} "
                what = f"{kind} of {fault.what}" if kind in (INSTANCE, CUT) else fault.what
                self._log.print_line(f"{len(self._log.faults):4}. {signal_name}{what}")
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

    def _kill_service(
        self, kind: str, planned: PlannedFault, before_killing_broker: Callable[[], object]
    ) -> Fault | None:
        name = random.Random(planned.choice).choice(self._platform.of_kind(kind))
        with self._repairer.lock:
            down_services, pid = self._repairer.down_services, services.pid(self._platform.data, name)
            # of a kind one at a time: that is what a cluster is said to survive
            is_one_down = any(nodes.kind(down) == kind for down in down_services)
            if is_one_down or len(down_services) >= MAX_CONCURRENT or pid is None:
                return None
            if kind in ("pulsar", "broker"):
                before_killing_broker()
            fault = Fault(kind, name, time.monotonic())
            downtime = 0.0 if self._is_promoted(kind) else planned.downtime
            down_services[name] = (fault.when + downtime, fault)
            psutil.Process(pid).send_signal(self._signal(kind))
        return fault

    def _is_promoted(self, kind: str) -> bool:
        """Whether another one takes over, which somebody sees to at once."""
        return kind == "postgres" and isinstance(self._platform, ClusterPlatform)

    def _signal(self, kind: str) -> signal.Signals:
        return signal.SIGKILL if self._is_promoted(kind) else SIGNALS.get(kind, signal.SIGKILL)

    def _cut(self, choice: random.Random) -> Fault | None:
        """Two nodes don't reach each other for a while. One cut at a time."""
        assert isinstance(self._platform, ClusterPlatform)
        if any(fault.kind == CUT and fault.recovered_at is None for fault in self._log.faults):
            return None
        kinds = choice.choices(CUT_OFF, k=2)
        one, other = (choice.choice(nodes.of_kind(kind)) for kind in kinds)
        if one == other:
            return None
        fault = Fault(CUT, f"{one} from {other}", time.monotonic())
        settings = self._platform.settings
        network.cut(settings, one, other)
        seconds = choice.uniform(*CUT_TIMES)

        def heal() -> None:
            network.heal(settings, one, other)
            fault.recovered_at = time.monotonic()
            self._log.print_line(f"      {one} and {other} reach each other again after {seconds:.1f} s")

        self._healers.append(threading.Timer(seconds, heal))
        self._healers[-1].start()
        return fault

    def stop(self) -> None:
        """Returns when all cuts are healed."""
        for healer in self._healers:
            healer.join()
