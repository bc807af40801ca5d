"""Stories: what customers, the world and operators do, and when."""

from dataclasses import dataclass, field
from typing import Final

from tests.simulation.clock import HOUR, MINUTE, SECOND

MARGIN: Final = 30 * MINUTE
"""What clocks of hosts may differ by in all, and then some."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at `at`, in ns since the story's beginning.

    `what` and its `target`, and for how long (ns), how often, or at which step:
    "outage" of a database, "broker" or a function; "death", "failure" at the boundary `count` of a function's next
    batch; "lost acks", "unconfirmed", "stored twice" of the next `count` batches or entries of a function; "shuffle" of
    what waits for it; "second instance" for some time; "restart" of a function, as a roll-back does; "skip" of its
    backlog; "garbage" into a topic; "redrive" and "discard" of all dead letters; "clock" of a host jumps by `length`;
    "deletion" of a product; "suspension" of giving orders up.
    """

    at: int
    what: str
    target: str = ""
    length: int = 0
    count: int = 0

    def __str__(self) -> str:
        parts = [_clock(self.at), self.what, self.target]
        if self.length:
            parts.append(f"by {self.length / SECOND:+.0f} s" if self.what == "clock" else f"for {_clock(self.length)}")
        if self.count:
            parts.append(f"({self.count})")
        return " ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class Orders:
    """`count` orders that come together at `at`, ns since the beginning."""

    at: int
    count: int

    def __str__(self) -> str:
        return f"{_clock(self.at)} {self.count} orders"


@dataclass(frozen=True, slots=True)
class Story:
    """`stock`, `drivers`: they are enough for so many percent of the orders that outages don't outlast. `offsets`: by
    how much the hosts' clocks are ahead, ns. `give_up`: how long after its creation an order is given up, ns.
    """

    seed: int
    give_up: int
    stock: int = 100
    drivers: int = 100
    offsets: dict[str, int] = field(default_factory=dict)
    orders: tuple[Orders, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def hours(self) -> float:
        """How long it is until the last event is over."""
        ends = [one.at for one in self.orders] + [one.at + max(one.length, 0) for one in self.events]
        return max(ends, default=0) / HOUR

    @property
    def order_count(self) -> int:
        """All orders."""
        return sum(one.count for one in self.orders)

    def has(self, what: str) -> bool:
        """True if there is such an event."""
        return any(event.what == what for event in self.events)

    def is_outlasted(self, at: int, *targets: str) -> bool:
        """True if orders that come at `at` are certainly given up before one of `targets`, which is away by then, is
        back.
        """
        outages = [one for one in self.events if one.what == "outage"]
        if self.has("suspension") or any(  # they become orders later than they come
            one.target in ("broker", "ordenes", "crear-orden") and one.at < at + MINUTE < one.at + one.length + MARGIN
            for one in outages
        ):
            return False
        return any(
            one.target in targets and one.at + 2 * SECOND < at < one.at + one.length - self.give_up - MARGIN
            for one in outages
        )

    def is_fulfillable(self, at: int) -> bool:
        """True if an order that was accepted at `at` has enough stock and drivers, and time enough after whatever
        outage.
        """
        if min(self.stock, self.drivers) < 100 or (self.give_up < 24 * HOUR and self.has("skip")):
            return False
        outages = [one for one in self.events if one.what == "outage" and one.at < at + self.give_up]
        last = max((one.at + one.length for one in outages), default=0)
        return last - at < 0.6 * self.give_up

    def __str__(self) -> str:
        clocks = [f"  clock of {host}: {offset / SECOND:+.0f} s" for host, offset in self.offsets.items() if offset]
        items: list[Orders | Event] = [*self.orders, *self.events]
        lines = sorted(items, key=lambda one: one.at)
        return "\n".join(
            [
                f"seed {self.seed}: stock for {self.stock} %, drivers for {self.drivers} % of the orders, "
                f"given up after {_clock(self.give_up)}",
                *clocks,
                *(f"  {line}" for line in lines),
            ]
        )


def _clock(time: int) -> str:
    seconds, fraction = divmod(time // 1_000_000, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:03}"
