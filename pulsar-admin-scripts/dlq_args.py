"""The command line of dlq.py, and which letters it means."""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import admin
from dlq_letters import PREFIJO, Filtro, corto, leer_id, sin_particion

T = TypeVar("T")
Eleccion = tuple[list[str], Filtro]
"""The functions to look at, and the letters that are meant."""
_FILTROS = ("function", "reason_matches", "topic", "order", "transaction", "since", "until")
_ENTORNO = "  DLQ_PULSAR_LOG              /dev/null               a file for the Pulsar client's own log\n"


def parser(descripcion: str | None) -> argparse.ArgumentParser:
    plano, entorno = argparse.RawDescriptionHelpFormatter, f"{admin.__doc__}{_ENTORNO}"
    todo = argparse.ArgumentParser("dlq.py", description=descripcion, epilog=entorno, formatter_class=plano)
    ordenes = todo.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listar = ordenes.add_parser("list", help="a line for each letter, and how many there are for each reason")
    listar.add_argument("--exit-code", action="store_true", help="exit with 3 if there are letters")
    ver = ordenes.add_parser("show", help="everything about some letters")
    ver.add_argument("ids", nargs="+", type=_tipo(leer_id), metavar="ID", help="as `list` shows them")
    for orden in (listar, ver):
        orden.add_argument("--json", action="store_true", help="one JSON object on each line")
    reenviar = ordenes.add_parser("redrive", help="publish messages again, on the topics they came from")
    reenviar.add_argument("--reason", default="redriven", metavar="TEXT", help="why, for the audit")
    descartar = ordenes.add_parser("discard", help="let letters go")
    descartar.add_argument("--reason", required=True, metavar="TEXT", help="why, for the audit")
    for orden in (reenviar, descartar):
        orden.add_argument("ids", nargs="*", type=_tipo(leer_id), metavar="ID", help="as `list` shows them")
        orden.add_argument("--all", action="store_true", help="all letters of all functions")
        orden.add_argument("--yes", action="store_true", help="do it; without it this only says what it would do")
        orden.add_argument("--operator", metavar="NAME", help="who does it, for the audit; default: the system's user")
    for orden in (listar, reenviar, descartar):
        _filtros(orden)
    return todo


def _filtros(orden: argparse.ArgumentParser) -> None:
    grupo = orden.add_argument_group("filters", "a letter must match all of them")
    grupo.add_argument("--function", action="append", metavar="NAME", help="<namespace>/<name> or <name>; repeatable")
    grupo.add_argument("--reason-matches", type=_tipo(re.compile), metavar="REGEX", help="somewhere in its reason")
    grupo.add_argument("--topic", metavar="TOPIC", help="that the message was on: <namespace>/<topic> or the full name")
    grupo.add_argument("--order", type=_tipo(UUID), metavar="UUID", help="the message's id_orden, if it can be read")
    grupo.add_argument("--transaction", type=_tipo(UUID), metavar="UUID", help="likewise its transaction_id")
    grupo.add_argument("--since", type=_tipo(_hora), metavar="TIME", help="quarantined since 2026-11-24T07:00Z")
    grupo.add_argument("--until", type=_tipo(_hora), metavar="TIME", help="and before; local time, if it names no zone")


def elegir(todo: argparse.ArgumentParser, args: Any, entradas: Mapping[str, Sequence[str]]) -> Eleccion:
    """Ends the program if the arguments make no sense. `entradas`: the topics that each function reads."""
    funciones = {funcion.partition("/")[2]: funcion for funcion in entradas}
    if args.command == "show":
        return _por_id(todo, args.ids, funciones)
    filtrado = [nombre for nombre in _FILTROS if getattr(args, nombre) is not None]
    if args.command != "list" and sum(map(bool, (args.ids, filtrado, args.all))) != 1:
        todo.error(f"{args.command} wants ids of letters, or filters, or --all: one of these three")
    if args.command != "list" and args.ids:
        return _por_id(todo, args.ids, funciones)
    topic = args.topic and sin_particion(PREFIJO + corto(args.topic))
    if topic and not any(topic in topics for topics in entradas.values()):
        todo.error(f"no function reads {args.topic}; see schemas/")
    filtro = Filtro(None, args.reason_matches, topic, args.since, args.until, args.order, args.transaction)
    return [_funcion(todo, nombre, funciones) for nombre in args.function or funciones], filtro


def _por_id(todo: argparse.ArgumentParser, ids: Sequence[Any], funciones: Mapping[str, str]) -> Eleccion:
    nombres = sorted({nombre for nombre, _ in ids})
    return [_funcion(todo, nombre, funciones) for nombre in nombres], Filtro(frozenset(ids))


def _funcion(todo: argparse.ArgumentParser, nombre: str, funciones: Mapping[str, str]) -> str:
    """<namespace>/<name>"""
    completa = funciones.get(nombre.rpartition("/")[2])
    if completa is None or ("/" in nombre and nombre != completa):
        todo.error(f"no such function: {nombre}; see deployment/functions")
    return completa


def _hora(texto: str) -> datetime:
    return datetime.fromisoformat(texto).astimezone()


def _tipo(leer: Callable[[str], T]) -> Callable[[str], T]:
    """argparse shows the text of this error only."""

    def tipo(texto: str) -> T:
        try:
            return leer(texto)
        except (ValueError, OverflowError, re.error) as error:
            raise argparse.ArgumentTypeError(f"{texto!r}: {error}") from error

    return tipo
