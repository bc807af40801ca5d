"""Topics, subscriptions, functions and dead letters of a cluster, and what is wrong with them. It changes nothing.

On a terminal a live view: enter on a topic shows its newest messages, o those of one order that topics still have;
enter on a message all of it; escape goes back. --once prints what it sees once, --json the same as one JSON document.
Exit codes: 0 healthy (the live view: ended by q); 1 unhealthy, each reason is a line on stderr, or in "unhealthy";
2 wrong usage or settings; 3 the cluster can't be read; 130 interrupted; 141 nobody reads the output.
"""

import argparse
import sys
from math import inf
from typing import Any

from functions.cluster.admin_rest import TIMEOUT, AdminUnavailable, Api
from tools.cluster import client, shell
from tools.cluster.rest import ANSWER_TIMEOUT
from tools.monitor import health
from tools.monitor.app import Monitor
from tools.monitor.figures import frame
from tools.monitor.messages import ClusterMessages
from tools.monitor.print import print_document, print_table, print_unreachable
from tools.monitor.source import Cluster, Source, expected
from tools.terminal import argument_type, sanitize


def run_once(source: Source, max_age: float, as_json: bool) -> int:
    """Reads the cluster once, and prints what it has; the exit code."""
    try:
        observation = source.observe()
    except AdminUnavailable as error:
        if as_json:
            print_unreachable(source.url, str(error))
        print(f"error: {sanitize(str(error))}", file=sys.stderr)
        return 3
    seen = frame(observation, expected())
    complaints = health.complaints(seen, max_age)
    if as_json:
        print_document(source.url, seen, complaints)
    else:
        print_table(source.url, seen, complaints)
    return 1 if complaints else 0


def _run(args: Any) -> int:
    timeout = ANSWER_TIMEOUT if args.once or args.json else TIMEOUT  # the live view just asks again
    try:
        broker, functions = (Api.from_env(url, timeout) for url in (shell.admin_url(), shell.functions_url()))
    except (ValueError, OSError) as error:
        print(f"error: can't use PULSAR_ADMIN_URL, PULSAR_FUNCTIONS_URL, PULSAR_CLIENT_CONF: {error}", file=sys.stderr)
        return 2
    source = Cluster(broker, functions, expected())
    if args.once or args.json:
        return run_once(source, args.max_age, args.json)
    if not sys.stdout.isatty():
        print("error: the live view needs a terminal; --once and --json don't", file=sys.stderr)
        return 2
    with client.connected() as pulsar_client:
        message_source = ClusterMessages(pulsar_client, broker)
        return Monitor(source, expected(), message_source, args.every, args.max_age).run() or 0


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < inf:
        raise ValueError("it must be more than 0")
    return value


def _parser() -> argparse.ArgumentParser:
    formatter, epilog = argparse.RawDescriptionHelpFormatter, f"{health.__doc__}\n{shell.__doc__}"
    parser = argparse.ArgumentParser("monitor.py", description=__doc__, epilog=epilog, formatter_class=formatter)
    parser.add_argument("--once", action="store_true", help="print all of it once and end")
    parser.add_argument("--json", action="store_true", help="print the same as a JSON document and end")
    age = f"seconds that a message may wait (default {health.MAX_AGE:.0f})"
    parser.add_argument("--max-age", type=argument_type(_seconds), default=health.MAX_AGE, metavar="S", help=age)
    interval = "seconds between two views of the cluster (default 2)"
    parser.add_argument("--every", type=argument_type(_seconds), default=2.0, metavar="S", help=interval)
    return parser


def main() -> int:
    return _run(_parser().parse_args())
