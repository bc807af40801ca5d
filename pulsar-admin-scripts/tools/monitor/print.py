"""Prints one observation: as tables for people, as one JSON document for programs."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tools.monitor.health import Complaint
from tools.monitor.model import Frame, Function, Subscription, Topic
from tools.monitor.table import LEFT_ALIGNED, sheets
from tools.terminal import json_line, sanitize, timestamp

WIDTH: Final = 220
"""Columns of the output if it goes to no terminal."""


def print_table(url: str, frame: Frame, complaints: Sequence[Complaint]) -> None:
    """The tables on stdout, as wide as the terminal, or wide enough for all; each complaint on stderr."""
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDTH)
    for sheet in sheets(frame, complaints):
        table = Table(box=None, title=sheet.title.upper(), title_justify="left", title_style="bold")
        table.add_column("STATE", no_wrap=True)
        for head in sheet.headers:
            is_left = head in LEFT_ALIGNED
            table.add_column(head, justify="left" if is_left else "right", no_wrap=True, overflow="ellipsis")
        for row in sheet.rows:
            table.add_row(*map(Text, (row.status, *row.cells)), style="" if row.status == "ok" else "bold red")
        console.print(table)
        console.print()
    console.print(f"{_timestamp(frame.timestamp)} {sanitize(url)}: {'unhealthy' if complaints else 'healthy'}")
    sys.stdout.flush()
    for complaint in complaints:
        print(f"unhealthy: {sanitize(complaint.text)}", file=sys.stderr)


def print_document(url: str, frame: Frame, complaints: Sequence[Complaint]) -> None:
    """One JSON document on one line; times are RFC 3339, ages in s, rates in messages a second, sizes in bytes."""
    document = {
        "time": _timestamp(frame.timestamp),
        "cluster": url,
        "reachable": True,
        "healthy": not complaints,
        "unhealthy": [complaint.text for complaint in complaints],
        "topics": [_topic(topic) for topic in frame.topics],
        "functions": [_function(function) for function in frame.functions],
        "dead_letters": [_topic(topic) for topic in frame.dead_letters],
    }
    print(json_line(document))


def print_unreachable(url: str, reason: str) -> None:
    """The JSON document of a cluster that can't be read."""
    print(json_line({"cluster": url, "reachable": False, "healthy": False, "unhealthy": [reason]}))


def _topic(topic: Topic) -> dict[str, Any]:
    return {
        "topic": topic.name,
        "exists": topic.exists,
        "expected": topic.expected,
        "problem": topic.unreadable or None,
        "rate_in": topic.rate_in,
        "rate_out": topic.rate_out,
        "messages": topic.messages,
        "storage": topic.stored_bytes,
        "backlog": topic.backlog,
        "oldest_age": topic.age,
        "subscriptions": [_subscription(subscription) for subscription in topic.subscriptions],
    }


def _subscription(subscription: Subscription) -> dict[str, Any]:
    return {
        "subscription": subscription.name,
        "function": subscription.function,
        "exists": subscription.exists,
        "durable": subscription.durable,
        "backlog": subscription.backlog,
        "delayed": subscription.delayed,
        "oldest_age": subscription.age,
        "unacked": subscription.unacked,
        "rate_redelivered": subscription.redelivery_rate,
        "consumers": subscription.consumers,
        "last_acked": _timestamp(subscription.last_acked),
        "last_consumed": _timestamp(subscription.last_consumed),
    }


def _function(function: Function) -> dict[str, Any]:
    return {
        "function": function.name,
        "exists": function.exists,
        "expected": function.expected,
        "problem": function.unreadable or None,
        "running": function.running,
        "instances": function.instances,
        "restarts": function.restarts,
        "restarts_since": function.new_restarts,
        "processed": function.processed,
        "exceptions": function.exceptions,
        "last_error": function.last_error or None,
        "last_invocation": _timestamp(function.last_invocation),
    }


def _timestamp(seconds: float | None) -> str | None:
    return None if seconds is None else timestamp(datetime.fromtimestamp(seconds, UTC))
