"""What several looks at one function say together: whether it runs, and whether it is broken for certain."""

import re
from dataclasses import dataclass, field
from math import inf
from typing import Final

from tools.deploy.model import ABSENT, View

TIMEOUT: Final = 90
"""Seconds that functions may take until one more of them runs."""
MIN_STABLE: Final = 3.0
"""Seconds that a new version must look healthy: code that dies at its start may consume for a moment first."""
DEATHS_WITH_TRACEBACK: Final = 2
"""Restarts that are a crash loop if there is a traceback in the log; a single one may have any cause."""
DEATHS_WITHOUT_TRACEBACK: Final = 5
"""Restarts that are one without a traceback: a worker on a busy machine gives up instances that start too slowly. A
function that was not there before has until TIMEOUT."""
_NOT_THE_CODE: Final = re.compile(
    r"_pulsar\.(Timeout|ConnectError|ServiceUnitNotReady)\b|RuntimeError: Failed to bind|OSError: .*Address already"
)
"""The last line of a traceback that says nothing of the code: the instance could not reach the broker, or a port that
the worker had found for it was taken."""


@dataclass(slots=True)
class WatchedFunction:
    """One function, over several looks.

    It judges by what has changed since the deployment, for the cluster still has figures of the version before: its
    consumers, its count of restarts, its exceptions. It promises no more than that the looks saw no fault.
    """

    is_new: bool
    """True if this deployment changed the function."""
    before: View
    """What was seen before the deployment."""
    last: View | None = None
    """The last look."""
    counts: dict[int, int] = field(default_factory=dict)
    """The last known count of restarts of each instance, which begins anew with another version or functions worker."""
    first_counts: dict[int, int] = field(default_factory=dict)
    """The count of each instance that its deaths are counted from."""
    since: float | None = None
    """The time of the first of the looks, up to the last, that saw the same consumers and no fault; None if none."""
    stable_for: float = -1
    """Seconds from that look to the last one; less than 0 if the last look saw a fault."""

    def update(self, view: View, timestamp: float) -> None:
        """Takes one more look into account. `timestamp`: when it was, in seconds, by any clock that only grows."""
        previous = self.last.names if self.last else self.before.names
        restarted = False
        for instance, number in view.restarts.items():
            restarted |= self._take_count(instance, number)
        if view.problem or (self.is_new and self.before.names & view.names):
            self.since = None
        elif self.since is None or restarted or view.names != previous:
            self.since = timestamp
        self.last = view
        self.stable_for = timestamp - self.since if self.since is not None else -1

    def _take_count(self, instance: int, number: int) -> bool:
        """Takes an instance's count of restarts into account; True if it is another one than at the last look."""
        previous = self.counts.get(instance)
        if previous is None:
            self.first_counts[instance] = self._count_before(instance, number)
        elif number < previous:
            self.first_counts[instance] = 0
        self.counts[instance] = number
        return previous is not None and number != previous

    def _count_before(self, instance: int, number: int) -> int:
        """The count that an instance had when this deployment began, if `number` is the first that is seen since.

        If that is not known, or `number` may still be the version before's, it is `number` itself.
        """
        if self.is_new and self.before == ABSENT:
            return 0
        count = self.before.restarts.get(instance)
        if not self.is_new or count is None or 0 < count <= number:
            return number
        return 0

    @property
    def deaths(self) -> int:
        """How often instances were started again since the deployment."""
        return sum(number - self.first_counts[instance] for instance, number in self.counts.items())

    def runs(self, seconds: float) -> bool:
        """True if it runs for certain: a new version after `seconds`, and MIN_STABLE, of looks that saw no fault."""
        return self.stable_for >= (max(seconds, MIN_STABLE) if self.is_new else 0)

    @property
    def is_known(self) -> bool:
        """False if the last look got no answer."""
        return self.last is not None and self.last.is_known

    @property
    def problem(self) -> str:
        """What is wrong with one that was waited for in vain."""
        reason = (self.last.problem if self.last else "") or "it did not stay up, or the version before still runs"
        return f"after {TIMEOUT} s: {reason}"

    def broken(self, traceback: str) -> str:
        """What is broken for certain; empty if nothing is known. A function that was not changed can only crash-loop.

        `traceback`: the last traceback in the log since the deployment.
        """
        assert self.last
        if self.last.problem and self.deaths >= self._deaths_allowed(traceback):
            return f"its instances died {self.deaths} times\n{self.last.error}".rstrip()
        if self._is_new_version and self.last.exceptions:
            return f"an exception in process\n{self.last.exceptions[-1]}"
        return ""

    def _deaths_allowed(self, traceback: str) -> float:
        """How many deaths are a crash loop."""
        if traceback and not _NOT_THE_CODE.match(traceback.splitlines()[-1]):
            return DEATHS_WITH_TRACEBACK
        # where nothing ran before, nothing is lost by waiting: on a cold cluster instances die before they run
        return inf if self.before == ABSENT and self.is_new else DEATHS_WITHOUT_TRACEBACK

    @property
    def has_new_dead_letters(self) -> bool:
        """True if dead letters have come that may be the new version's."""
        return self._is_new_version and self.last is not None and self.last.dead_letters > self.before.dead_letters

    @property
    def _is_new_version(self) -> bool:
        """False before the second look at the same consumers: until then what is seen may be the other version's."""
        return self.is_new and self.stable_for > 0
