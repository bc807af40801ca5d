"""The four tables, as text: for `--once` and for the live view."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tools.monitor.health import Complaint, Resource, key
from tools.monitor.model import Frame, Function, Subscription, Topic
from tools.terminal import sanitize


@dataclass(frozen=True, slots=True)
class Row:
    """A row. `key`: the name of what it is about; `status`: what is wrong with that, "ok" if nothing is."""

    key: str
    status: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. The rows' `status` is shown in a column STATE before those of `headers`."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]


HEADERS: Final = {
    "Topics": ("TOPIC", "IN/s", "OUT/s", "MESSAGES", "STORED", "BACKLOG", "OLDEST"),
    "Subscriptions": (
        *("TOPIC", "SUBSCRIPTION", "BACKLOG", "LATER", "OLDEST", "UNACKED", "REDELIVERED/s", "CONSUMERS"),
        *("ACKED", "CONSUMED"),
    ),
    "Functions": ("FUNCTION", "RUNNING", "RESTARTS", "PROCESSED", "EXCEPTIONS", "INVOKED", "LAST ERROR"),
    "Dead letters": ("TOPIC", "LETTERS", "OLDEST", "STORED"),
}
LEFT_ALIGNED: Final = frozenset({"TOPIC", "SUBSCRIPTION", "FUNCTION", "LAST ERROR"})
"""The columns of text; numbers and times are aligned to the right."""


def sheets(frame: Frame, complaints: Sequence[Complaint]) -> list[Sheet]:
    """The tables of a frame, with what `complaints` say of each row; texts without what a terminal would obey."""
    # reversed: if there are several complaints about one thing, the first is shown
    statuses = {(complaint.resource, complaint.subject): complaint.status for complaint in reversed(complaints)}

    def row(resource: Resource, subject: str, *cells: object) -> Row:
        return Row(subject, statuses.get((resource, subject), "ok"), tuple(sanitize(str(cell)) for cell in cells))

    rows = {
        "Topics": [row("topic", topic.name, *_topic(topic)) for topic in frame.topics],
        "Subscriptions": [row("subscription", key(s), *_subscription(s, frame.timestamp)) for s in frame.subscriptions],
        "Functions": [row("function", f.name, *_function(f, frame.timestamp)) for f in frame.functions],
        "Dead letters": [row("dead letters", topic.name, *_dead_letters(topic)) for topic in frame.dead_letters],
    }
    return [Sheet(title, HEADERS[title], tuple(rows[title])) for title in HEADERS]


def _topic(topic: Topic) -> tuple[object, ...]:
    rates = f"{topic.rate_in:.1f}", f"{topic.rate_out:.1f}"
    return topic.name, *rates, topic.messages, bytes_(topic.stored_bytes), topic.backlog, age(topic.age)


def _subscription(one: Subscription, now: float) -> tuple[object, ...]:
    figures = one.backlog, one.delayed, age(one.age), one.unacked, f"{one.redelivery_rate:.1f}", one.consumers
    return one.topic, one.name, *figures, ago(one.last_acked, now), ago(one.last_consumed, now)


def _function(one: Function, now: float) -> tuple[object, ...]:
    figures = f"{one.running}/{one.instances}", one.restarts, one.processed, one.exceptions
    return one.name, *figures, ago(one.last_invocation, now), one.last_error or one.unreadable


def _dead_letters(topic: Topic) -> tuple[object, ...]:
    return topic.name, topic.backlog, age(topic.age), bytes_(topic.stored_bytes)


def bytes_(count: float) -> str:
    """A size, to be read at a glance: at most four digits and a unit."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"


def age(seconds: float | None) -> str:
    """A time span in the largest unit that leaves at least two of it; a dash for None."""
    if seconds is None:
        return "–"
    for limit, unit, following in ((120, "s", 60), (120, "min", 60), (48, "h", 24)):
        if seconds < limit:
            return f"{seconds:.0f} {unit}"
        seconds /= following
    return f"{seconds:.0f} d"


def ago(moment: float | None, now: float) -> str:
    """How long ago a moment was, both in s since 1970-01-01 UTC; a dash for None."""
    return "–" if moment is None else f"{age(max(0.0, now - moment))} ago"
