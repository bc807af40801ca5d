"""Dead letters: list and show them; redrive them once their cause is mended, or discard them.

A function puts a message that it can't process into its dead-letter topic, <namespace>/<function>-dlq, as it came.
Redriving publishes it again, byte for byte, on the topic it came from: functions that have processed it before know
its id and change nothing. Redriving and discarding need --yes; without it they only say what they would do. With it
they are written to the saga log. While this reads a dead-letter topic, nobody else can.
Exit codes: 0; 1 something failed; 2 wrong usage; 3 for `list --exit-code`: there are letters; 130 interrupted.
"""

import getpass
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulsar
from client import con_cliente
from dlq_actions import Accion, Descarte, Reenvio
from dlq_args import elegir, parser
from dlq_audit import Auditoria
from dlq_letters import Carta
from dlq_mailbox import Buzon
from dlq_print import Tabla, detalle, numero, objeto, objeto_entero
from dlq_process import Leida, Recorrido, Tratamiento
from package import configuraciones
from terminal import en_json
from writer_schemas import Esquemas


def listar(recorrido: Recorrido, args: Any) -> int:
    tabla, cuantas = Tabla(recorrido.funciones), 0

    def visita(_: Buzon, leidas: Iterator[Leida]) -> None:
        nonlocal cuantas
        for carta, lectura in leidas:
            cuantas += 1
            print(en_json(objeto(carta, lectura)) if args.json else tabla.linea(carta, lectura))

    completo = recorrido.visitar(visita)
    if not args.json:
        print(tabla.resumen())
    return 3 if args.exit_code and cuantas and completo else int(not completo)


def mostrar(recorrido: Recorrido, args: Any) -> int:
    vistas: set[str] = set()

    def visita(_: Buzon, leidas: Iterator[Leida]) -> None:
        for carta, lectura in leidas:
            print(en_json(objeto_entero(carta, lectura)) if args.json else detalle(carta, lectura) + "\n")
            vistas.add(carta.id)

    completo = recorrido.visitar(visita)
    return int(_faltan(recorrido, vistas) or not completo)


def tratar(recorrido: Recorrido, args: Any, accion: Accion) -> int:
    auditoria = Auditoria(accion.accion, args.reason, args.operator or _usuario())
    tratamiento = Tratamiento(accion, auditoria, recorrido.cliente, args.yes)
    completo = recorrido.visitar(tratamiento.visitar)
    faltan = _faltan(recorrido, tratamiento.vistas)
    verbo = accion.hecho if args.yes else f"would {accion.verbo}"
    print(f"{verbo} {numero(tratamiento.hechas)}" + ("" if args.yes else ": nothing is changed without --yes"))
    return int(faltan or tratamiento.fallidas > 0 or not completo)


def _faltan(recorrido: Recorrido, vistas: set[str]) -> bool:
    """Complains about ids of letters that are not there."""
    pedidas = {Carta(f"/{nombre}", posicion, "", b"", {}, 0).id for nombre, posicion in recorrido.filtro.ids or ()}
    for id_carta in sorted(pedidas - vistas):
        print(f"error: there is no letter {id_carta}: redriven or discarded already? `list` shows all", file=sys.stderr)
    return bool(pedidas - vistas)


def _usuario() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        sys.exit("error: the system does not know who you are: say --operator NAME")


def _correr(recorrido: Recorrido, args: Any, entradas: Mapping[str, Sequence[str]]) -> int:
    match args.command:
        case "list":
            return listar(recorrido, args)
        case "show":
            return mostrar(recorrido, args)
        case "redrive":
            return tratar(recorrido, args, Reenvio(recorrido.cliente, recorrido.esquemas, entradas))
    return tratar(recorrido, args, Descarte())


def main() -> int:
    configs = configuraciones().values()
    entradas = {f"{config['namespace']}/{config['name']}": list(config["inputSpecs"]) for config in configs}
    todo = parser(__doc__)
    args = todo.parse_args()
    funciones, filtro = elegir(todo, args, entradas)

    def trabajo(cliente: pulsar.Client) -> int:
        return _correr(Recorrido(cliente, Esquemas(cliente), funciones, filtro), args, entradas)

    return con_cliente(trabajo, "interrupted: what is done is done, every other letter is where it was")
