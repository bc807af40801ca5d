"""Shows the messages of topics as they come; of all of ours, unless some are named. It changes nothing.

On a terminal a table; else, or with --json, a JSON object on each line. A broker that goes away is waited for.
Exit codes: 0; 1 something failed; 2 wrong usage; 130 interrupted; 141 nobody reads the output.
"""

import argparse
import select
import sys
import time
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import admin
import client
import pulsar
from listen_print import Leido, Tabla, como_evento, como_json, leido
from listen_topics import Escucha
from terminal import cuantas, momento, tipo
from topics import cartas, exigir
from writer_schemas import Esquemas

from functions.comun.ids import leer
from functions.comun.mensajes import TIPOS

REVISION = 1.0
"""How often it is looked whether the broker is there, in s."""


class Vigia:
    """Says on stderr when the broker goes away, and when it is back."""

    def __init__(self, escucha: Escucha) -> None:
        self._escucha, self._proxima = escucha, time.monotonic() + REVISION
        self.presente = True

    def revisar(self) -> None:
        if time.monotonic() >= self._proxima:
            self._proxima = time.monotonic() + REVISION
            self.decir(self._escucha.conectada)

    def decir(self, presente: bool, por: object = "no connection") -> None:
        if presente != self.presente:
            que = "the broker is back" if presente else f"the broker is away ({por}): waiting for it …"
            print(que, file=sys.stderr, flush=True)
        self.presente = presente

    def leer(self, esquemas: Esquemas, topic: str, mensaje: Any) -> Leido:
        """However long it takes until the broker says which schema a message was written in."""
        while True:
            try:
                return leido(esquemas, topic, mensaje)
            except pulsar.PulsarException as error:
                self.decir(False, error)
                time.sleep(REVISION)


def escuchar(cliente: pulsar.Client, args: Any) -> int:
    inicio = pulsar.MessageId.earliest if args.from_start or args.since else pulsar.MessageId.latest
    with client.avisando():
        escucha = Escucha(cliente, args.topics, inicio, _ms(args.since))
    print(f"listening to {len(args.topics)} topics …", file=sys.stderr, flush=True)
    esquemas, vigia, tuberia = Esquemas(cliente), Vigia(escucha), select.poll()
    tuberia.register(1, 0)
    mostrados, ultimo = 0, time.monotonic()
    with Tabla() if sys.stdout.isatty() and not (args.json or args.cloudevents) else nullcontext() as tabla:
        mostrar = tabla.mostrar if tabla else como_evento if args.cloudevents else como_json
        while not args.until_idle or time.monotonic() - ultimo < args.until_idle:
            for topic, mensaje in escucha.leer():
                uno = vigia.leer(esquemas, topic, mensaje)
                if _elegido(uno, args):
                    mostrar(uno)
                    mostrados, ultimo = mostrados + 1, time.monotonic()
                    if mostrados == args.count:
                        return 0
            sys.stdout.flush()
            vigia.revisar()
            if escucha.atrasada or not vigia.presente:
                ultimo = time.monotonic()
            if any(estado & select.POLLERR for _, estado in tuberia.poll(0)):
                raise BrokenPipeError
    return 0


def _elegido(uno: Leido, args: Any) -> bool:
    datos = uno.lectura.datos
    return (args.order is None or datos.get("id_orden") == args.order) and (
        args.transaction is None or datos.get("transaction_id") == args.transaction
    )


def _ms(hora: datetime | None) -> int:
    return max(0, int(hora.timestamp() * 1000)) if hora else 0


def _positivo(texto: str) -> float:
    if not 0 < (valor := float(texto)) < float("inf"):
        raise ValueError("it must be more than 0")
    return valor


def _parser() -> argparse.ArgumentParser:
    plano, entorno = argparse.RawDescriptionHelpFormatter, f"{admin.__doc__}{client.ENTORNO}"
    todo = argparse.ArgumentParser("listen.py", description=__doc__, epilog=entorno, formatter_class=plano)
    topic = tipo(lambda texto: exigir(texto, sorted([*TIPOS, *cartas()])))
    todo.add_argument("topics", nargs="*", type=topic, metavar="TOPIC", help="<namespace>/<topic> or the full name")
    todo.add_argument("--dlq", action="store_true", help="the dead-letter topics, too")
    desde = todo.add_mutually_exclusive_group()
    desde.add_argument("--from-start", action="store_true", help="from the oldest message that the cluster has")
    desde.add_argument("--since", type=tipo(momento), metavar="TIME", help="from 2026-11-24T07:00Z on")
    todo.add_argument("--until-idle", type=tipo(_positivo), metavar="S", help="end after S seconds with none to show")
    todo.add_argument("--count", type=tipo(cuantas), metavar="N", help="end after N messages")
    todo.add_argument("--order", type=tipo(leer), metavar="UUID", help="only messages with this id_orden")
    todo.add_argument("--transaction", type=tipo(leer), metavar="UUID", help="only with this transaction_id")
    forma = todo.add_mutually_exclusive_group()
    forma.add_argument("--json", action="store_true", help="one JSON object on each line")
    forma.add_argument("--cloudevents", action="store_true", help="one CloudEvent on each line")
    return todo


def main() -> int:
    args = _parser().parse_args()
    args.topics = list(dict.fromkeys([*(args.topics or sorted(TIPOS)), *(cartas() if args.dlq else ())]))
    return client.con_cliente(lambda cliente: escuchar(cliente, args), "interrupted")
