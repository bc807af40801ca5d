"""Topics, subscriptions, functions and dead letters of a cluster, and what is wrong with them. It changes nothing.

On a terminal a live view: enter on a topic shows its newest messages, o those of one order that topics still have;
enter on a message all of it; escape goes back. --once prints one look and ends, --json prints it as one JSON document.
Exit codes: 0 healthy (the live view: ended by q); 1 unhealthy, each reason is a line on stderr, or in "unhealthy";
2 wrong usage or settings; 3 the cluster can't be read; 130 interrupted; 141 nobody reads the output.
"""

import argparse
import sys
from math import inf
from typing import Any

import admin
import client
import monitor_health
from monitor_app import Monitor
from monitor_figures import cuadro
from monitor_messages import Mensajes
from monitor_print import en_documento, en_tabla, sin_cluster
from monitor_source import Cluster, Fuente, esperado
from terminal import seguro, tipo

from functions.comun.cluster.admin_rest import Api, NoContesta


def una_vez(fuente: Fuente, max_edad: float, en_json: bool) -> int:
    """One look; the exit code."""
    try:
        mirada = fuente.mirar()
    except NoContesta as error:
        if en_json:
            sin_cluster(fuente.url, str(error))
        print(f"error: {seguro(str(error))}", file=sys.stderr)
        return 3
    visto = cuadro(mirada, esperado())
    quejas = monitor_health.quejas(visto, max_edad)
    (en_documento if en_json else en_tabla)(fuente.url, visto, quejas)
    return 1 if quejas else 0


def _mirar(args: Any) -> int:
    try:
        broker, functions = Api.de_entorno(admin.url_admin()), Api.de_entorno(admin.url_functions())
    except (ValueError, OSError) as error:
        print(f"error: can't use PULSAR_ADMIN_URL, PULSAR_FUNCTIONS_URL, PULSAR_CLIENT_CONF: {error}", file=sys.stderr)
        return 2
    fuente = Cluster(broker, functions, esperado())
    if args.once or args.json:
        return una_vez(fuente, args.max_age, args.json)
    if not sys.stdout.isatty():
        print("error: the live view needs a terminal; --once and --json don't", file=sys.stderr)
        return 2
    lecturas = Mensajes(client.conectar(), broker)
    return Monitor(fuente, esperado(), lecturas, args.every, args.max_age).run() or 0


def _segundos(texto: str) -> float:
    if not 0 < (valor := float(texto)) < inf:
        raise ValueError("it must be more than 0")
    return valor


def _parser() -> argparse.ArgumentParser:
    plano, epilogo = argparse.RawDescriptionHelpFormatter, f"{monitor_health.__doc__}\n{admin.__doc__}"
    todo = argparse.ArgumentParser("monitor.py", description=__doc__, epilog=epilogo, formatter_class=plano)
    todo.add_argument("--once", action="store_true", help="print one look and end")
    todo.add_argument("--json", action="store_true", help="print one look as a JSON document and end")
    edad = f"seconds that a message may wait (default {monitor_health.MAX_EDAD:.0f})"
    todo.add_argument("--max-age", type=tipo(_segundos), default=monitor_health.MAX_EDAD, metavar="S", help=edad)
    todo.add_argument(
        "--every", type=tipo(_segundos), default=2.0, metavar="S", help="look every S seconds (default 2)"
    )
    return todo


def main() -> int:
    args = _parser().parse_args()
    return client.programa(lambda: _mirar(args), "interrupted")
