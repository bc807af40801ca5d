"""The command line of dlq.py, and which letters it means."""

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any

import admin
import client
from dlq_letters import Filtro, leer_id
from terminal import momento, tipo
from topics import PREFIJO, corto, sin_particion

from functions.comun.ids import leer

Eleccion = tuple[list[str], Filtro]
"""The functions to look at, and the letters that are meant."""
_FILTROS = ("function", "reason_matches", "topic", "order", "transaction", "since", "until")


def parser(descripcion: str | None) -> argparse.ArgumentParser:
    plano, entorno = argparse.RawDescriptionHelpFormatter, f"{admin.__doc__}{client.ENTORNO}"
    todo = argparse.ArgumentParser("dlq.py", description=descripcion, epilog=entorno, formatter_class=plano)
    ordenes = todo.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listar = ordenes.add_parser("list", help="a line for each letter, and how many there are for each reason")
    listar.add_argument("--exit-code", action="store_true", help="exit with 3 if there are letters")
    ver = ordenes.add_parser("show", help="everything about some letters")
    ver.add_argument("ids", nargs="+", type=tipo(leer_id), metavar="ID", help="as `list` shows them")
    for orden in (listar, ver):
        orden.add_argument("--json", action="store_true", help="one JSON object on each line")
    reenviar = ordenes.add_parser("redrive", help="publish messages again, on the topics they came from")
    reenviar.add_argument("--reason", default="redriven", metavar="TEXT", help="why, for the audit")
    descartar = ordenes.add_parser("discard", help="let letters go")
    descartar.add_argument("--reason", required=True, metavar="TEXT", help="why, for the audit")
    for orden in (reenviar, descartar):
        orden.add_argument("ids", nargs="*", type=tipo(leer_id), metavar="ID", help="as `list` shows them")
        orden.add_argument("--all", action="store_true", help="all letters of all functions")
        orden.add_argument("--yes", action="store_true", help="do it; without it this only says what it would do")
        orden.add_argument("--operator", metavar="NAME", help="who does it, for the audit; default: the system's user")
    for orden in (listar, reenviar, descartar):
        _filtros(orden)
    return todo


def _filtros(orden: argparse.ArgumentParser) -> None:
    grupo = orden.add_argument_group("filters", "a letter must match all of them")
    grupo.add_argument("--function", action="append", metavar="NAME", help="<namespace>/<name> or <name>; repeatable")
    grupo.add_argument("--reason-matches", type=tipo(re.compile), metavar="REGEX", help="somewhere in its reason")
    grupo.add_argument("--topic", metavar="TOPIC", help="that the message was on: <namespace>/<topic> or the full name")
    grupo.add_argument("--order", type=tipo(leer), metavar="UUID", help="the message's id_orden, if it can be read")
    grupo.add_argument("--transaction", type=tipo(leer), metavar="UUID", help="likewise its transaction_id")
    grupo.add_argument("--since", type=tipo(momento), metavar="TIME", help="quarantined since 2026-11-24T07:00Z")
    grupo.add_argument(
        "--until", type=tipo(momento), metavar="TIME", help="and before; local time, if it names no zone"
    )


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
