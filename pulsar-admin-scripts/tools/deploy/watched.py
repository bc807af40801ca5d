"""What several looks at one function say together: whether it runs, and whether it is broken for certain."""

from dataclasses import dataclass, replace
from typing import Final

from tools.deploy.model import View

TIMEOUT: Final = 90
"""Seconds that functions may take until they run."""
MIN_STABLE: Final = 3.0
"""Seconds that a new version must look healthy: code that dies at its start may consume for a moment first."""
DEATHS_WITH_TRACEBACK: Final = 2
"""Restarts that are a crash loop if there is a traceback in the log; a single one may have any cause."""
DEATHS_WITHOUT_TRACEBACK: Final = 5
"""Restarts that are one without a traceback: a worker on a busy machine gives up instances that start too slowly."""


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
    restarts: int = 0
    """How often instances were started again since the deployment."""
    since: float | None = None
    """The time of the first of the looks, up to the last, that saw the same consumers and no fault; None if none."""
    stable_for: float = -1
    """Seconds from that look to the last one; less than 0 if the last look saw a fault."""

    def update(self, view: View, timestamp: float) -> None:
        """Takes one more look into account. `timestamp`: when it was, in seconds, by any clock that only grows."""
        previous = self.last or self._baseline(view)
        if view.consumers is None:  # nobody answered
            view = replace(view, restarts=previous.restarts)
        new_restarts = view.restarts - previous.restarts
        self.restarts += new_restarts if new_restarts >= 0 else view.restarts  # less: another version's count begins
        if view.problem or (self.is_new and self.before.names & view.names):
            self.since = None
        elif self.since is None or new_restarts or view.names != previous.names:
            self.since = timestamp
        self.last = view
        self.stable_for = timestamp - self.since if self.since is not None else -1

    def _baseline(self, view: View) -> View:
        """What a first look is compared with: what was seen before; itself, if its restarts may be the old ones."""
        may_be_old_count = 0 < self.before.restarts <= view.restarts
        return view if may_be_old_count or not self.is_new else self.before

    def runs(self, seconds: float) -> bool:
        """True if it runs for certain: a new version after `seconds`, and MIN_STABLE, of looks that saw no fault."""
        return self.stable_for >= (max(seconds, MIN_STABLE) if self.is_new else 0)

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
        if self.restarts >= (DEATHS_WITH_TRACEBACK if traceback else DEATHS_WITHOUT_TRACEBACK):
            return f"its instances died {self.restarts} times\n{self.last.error}".rstrip()
        if self._is_new_version and self.last.exceptions:
            return f"an exception in process\n{self.last.exceptions[-1]}"
        return ""

    @property
    def has_new_dead_letters(self) -> bool:
        """True if dead letters have come that may be the new version's."""
        return self._is_new_version and self.last is not None and self.last.dead_letters > self.before.dead_letters

    @property
    def _is_new_version(self) -> bool:
        """False before the second look at the same consumers: until then what is seen may be the other version's."""
        return self.is_new and self.stable_for > 0
