"""Suspends giving orders up, during an outage that lasts longer than orders may wait, and resumes it.

An order that has not ended is pushed on again and again, and given up after the time PLAZO of the function
verificar-orden, a day by default. While giving up is suspended, orders wait as long as it takes. Once it is resumed,
those whose time is over are given up at their next check, within about an hour.
Exit codes: 0; 1 something failed; 2 wrong usage; 3 for `status --exit-code`: it is suspended; 130 interrupted.
"""

import argparse
import time
from datetime import UTC, datetime
from typing import Any, Final

import pulsar

from functions.messages.codec import codec
from functions.messages.envelope import Message
from functions.messages.ids import new
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import ComandoSuspenderPlazos
from functions.messages.topics import full_name
from functions.pulsar_io.publisher import Publisher
from tools.cluster import client, shell
from tools.terminal import current_user, json_line, sanitize, timestamp

SERVICE: Final = "deadlines"
"""What the messages' `service_name` says."""
TOPIC: Final = ComandoSuspenderPlazos.topic


def _parser() -> argparse.ArgumentParser:
    formatter, environment_help = argparse.RawDescriptionHelpFormatter, f"{shell.__doc__}{client.ENVIRONMENT_HELP}"
    parser = argparse.ArgumentParser(
        "deadlines.py", description=__doc__, epilog=environment_help, formatter_class=formatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (("suspend", "no order is given up from now on"), ("resume", "orders are given up again")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--reason", required=True, metavar="TEXT", help="why, for those who look at it later")
        command.add_argument("--operator", metavar="NAME", help="who does it; default: the system's user")
    status = commands.add_parser("status", help="is it suspended, since when, by whom and why")
    status.add_argument("--exit-code", action="store_true", help="exit with 3 if it is suspended")
    status.add_argument("--json", action="store_true", help="one JSON object")
    return parser


def say(pulsar_client: pulsar.Client, args: Any) -> int:
    """Publishes what the operator wants; the exit code."""
    suspendidos = args.command == "suspend"
    comando = ComandoSuspenderPlazos(suspendidos, args.operator or current_user(), args.reason)
    outgoing = to_outgoing(new(), time.time_ns() // 1_000_000, SERVICE, comando)
    with client.notice_if_slow():
        Publisher(pulsar_client, timeout_ms=1000 * client.TIMEOUT).publish([outgoing])
    print("no order is given up from now on" if suspendidos else "orders are given up again from now on")
    return 0


def last_word(pulsar_client: pulsar.Client) -> Message[ComandoSuspenderPlazos] | None:
    """The last command that the topic still has; None if it has none."""
    last: Any = None
    with client.notice_if_slow():
        reader = pulsar_client.create_reader(full_name(TOPIC), pulsar.MessageId.earliest)
        while reader.has_message_available():
            last = reader.read_next(1000 * client.TIMEOUT)
        reader.close()
    return None if last is None else codec(TOPIC).decode(last.data())  # type: ignore[return-value]


def show(pulsar_client: pulsar.Client, args: Any) -> int:
    """Prints what was said last; the exit code."""
    message = last_word(pulsar_client)
    suspended = message is not None and message.data.suspendidos
    when = message and timestamp(datetime.fromtimestamp(message.time / 1000, UTC))
    comando = message and message.data
    if args.json:
        by, why = (comando.operador, comando.motivo) if comando else (None, None)
        print(json_line({"suspended": suspended, "since": when, "operator": by, "reason": why}))
    elif comando:
        state = "suspended" if suspended else "not suspended"
        print(f"{state} since {when}, by {sanitize(comando.operador)}: {sanitize(comando.motivo)}")
    else:
        print("not suspended: the topic has no command")
    return 3 if args.exit_code and suspended else 0


def main() -> int:
    args = _parser().parse_args()
    act = show if args.command == "status" else say
    return client.run_with_client(lambda pulsar_client: act(pulsar_client, args), "interrupted: see `status`")
