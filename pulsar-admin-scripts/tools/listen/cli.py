"""Shows the messages of topics as they come; of all of ours, unless some are named. It changes nothing.

On a terminal a table; else, or with --json, a JSON object on each line. While the broker is unavailable, it waits.
Exit codes: 0; 1 something failed; 2 wrong usage; 130 interrupted; 141 nobody reads the output.
"""

import argparse
import sys
from datetime import datetime
from typing import Any

import pulsar

from functions.messages.ids import parse
from functions.messages.payloads import PAYLOADS
from tools.cluster import client, shell
from tools.cluster.topics import dead_letter_topics, require_topic
from tools.listen.follow import Selection, follow
from tools.listen.print import LiveTable, print_cloud_event, print_json
from tools.messages.listener import Listener
from tools.terminal import argument_type, count, moment


def listen(pulsar_client: pulsar.Client, args: Any) -> int:
    """Shows what comes, as the command line says; the exit code."""
    start = pulsar.MessageId.earliest if args.from_start or args.since else pulsar.MessageId.latest
    with client.notice_if_slow():
        listener = Listener(pulsar_client, args.topics, start, _ms(args.since))
    print(f"listening to {len(args.topics)} topics …", file=sys.stderr, flush=True)
    selection = Selection(args.order, args.transaction, args.count, args.until_idle)
    if args.cloudevents:
        follow(pulsar_client, listener, selection, print_cloud_event)
    elif args.json or not sys.stdout.isatty():
        follow(pulsar_client, listener, selection, print_json)
    else:
        with LiveTable() as table:
            follow(pulsar_client, listener, selection, table.show)
    return 0


def _ms(time: datetime | None) -> int:
    """In ms since 1970-01-01 UTC; 0 for None, and for what was before."""
    return max(0, int(time.timestamp() * 1000)) if time else 0


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError("it must be more than 0")
    return value


def _parser() -> argparse.ArgumentParser:
    formatter, environment_help = argparse.RawDescriptionHelpFormatter, f"{shell.__doc__}{client.ENVIRONMENT_HELP}"
    parser = argparse.ArgumentParser(
        "listen.py", description=__doc__, epilog=environment_help, formatter_class=formatter
    )
    topic = argument_type(lambda text: require_topic(text, sorted([*PAYLOADS, *dead_letter_topics()])))
    parser.add_argument("topics", nargs="*", type=topic, metavar="TOPIC", help="<namespace>/<topic> or the full name")
    parser.add_argument("--dlq", action="store_true", help="the dead-letter topics, too")
    since = parser.add_mutually_exclusive_group()
    since.add_argument("--from-start", action="store_true", help="from the oldest message that the cluster has")
    since.add_argument("--since", type=argument_type(moment), metavar="TIME", help="from 2026-11-24T07:00Z on")
    parser.add_argument(
        "--until-idle", type=argument_type(_positive), metavar="S", help="end after S seconds with none to show"
    )
    parser.add_argument("--count", type=argument_type(count), metavar="N", help="end after N messages")
    parser.add_argument("--order", type=argument_type(parse), metavar="UUID", help="only messages with this id_orden")
    parser.add_argument(
        "--transaction", type=argument_type(parse), metavar="UUID", help="only with this transaction_id"
    )
    output_format = parser.add_mutually_exclusive_group()
    output_format.add_argument("--json", action="store_true", help="one JSON object on each line")
    output_format.add_argument("--cloudevents", action="store_true", help="one CloudEvent on each line")
    return parser


def main() -> int:
    args = _parser().parse_args()
    args.topics = list(dict.fromkeys([*(args.topics or sorted(PAYLOADS)), *(dead_letter_topics() if args.dlq else ())]))
    return client.run_with_client(lambda pulsar_client: listen(pulsar_client, args), "interrupted")
