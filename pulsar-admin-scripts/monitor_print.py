"""One look for people who read a page, and for programs."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from monitor_health import Queja
from monitor_rows import Cuadro, Funcion, Suscripcion, Topic
from monitor_table import IZQUIERDA, hojas
from rich.console import Console
from rich.table import Table
from rich.text import Text
from terminal import en_json, hora, seguro


def en_tabla(url: str, cuadro: Cuadro, quejas: Sequence[Queja]) -> None:
    """As wide as it must be, unless there is a terminal; what is wrong goes to stderr."""
    consola = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=220)
    for hoja in hojas(cuadro, quejas):
        tabla = Table(box=None, title=hoja.titulo.upper(), title_justify="left", title_style="bold")
        tabla.add_column("STATE", no_wrap=True)
        for cabeza in hoja.cabezas:
            izquierda = cabeza in IZQUIERDA
            tabla.add_column(cabeza, justify="left" if izquierda else "right", no_wrap=True, overflow="ellipsis")
        for fila in hoja.filas:
            tabla.add_row(*map(Text, (fila.estado, *fila.celdas)), style="" if fila.estado == "ok" else "bold red")
        consola.print(tabla)
        consola.print()
    consola.print(f"{_momento(cuadro.hora)} {seguro(url)}: {'unhealthy' if quejas else 'healthy'}")
    sys.stdout.flush()
    for queja in quejas:
        print(f"unhealthy: {seguro(queja.texto)}", file=sys.stderr)


def en_documento(url: str, cuadro: Cuadro, quejas: Sequence[Queja]) -> None:
    """One JSON document on one line; times are RFC 3339, ages in s, rates in messages a second, sizes in bytes."""
    documento = {
        "time": _momento(cuadro.hora),
        "cluster": url,
        "reachable": True,
        "healthy": not quejas,
        "unhealthy": [queja.texto for queja in quejas],
        "topics": [_topic(topic) for topic in cuadro.topics],
        "functions": [_funcion(funcion) for funcion in cuadro.funciones],
        "dead_letters": [_topic(carta) for carta in cuadro.cartas],
    }
    print(en_json(documento))


def sin_cluster(url: str, motivo: str) -> None:
    print(en_json({"cluster": url, "reachable": False, "healthy": False, "unhealthy": [motivo]}))


def _topic(topic: Topic) -> dict[str, Any]:
    return {
        "topic": topic.nombre,
        "exists": topic.presente,
        "expected": topic.esperado,
        "problem": topic.ilegible or None,
        "rate_in": topic.entrada,
        "rate_out": topic.salida,
        "messages": topic.mensajes,
        "storage": topic.guardado,
        "backlog": topic.atraso,
        "oldest_age": topic.edad,
        "subscriptions": [_suscripcion(una) for una in topic.suscripciones],
    }


def _suscripcion(una: Suscripcion) -> dict[str, Any]:
    return {
        "subscription": una.nombre,
        "function": una.funcion,
        "exists": una.presente,
        "durable": una.durable,
        "backlog": una.atraso,
        "delayed": una.para_luego,
        "oldest_age": una.edad,
        "unacked": una.sin_acuse,
        "rate_redelivered": una.reentregas,
        "consumers": una.consumidores,
        "last_acked": _momento(una.ultimo_acuse),
        "last_consumed": _momento(una.ultimo_consumo),
    }


def _funcion(una: Funcion) -> dict[str, Any]:
    return {
        "function": una.nombre,
        "exists": una.presente,
        "expected": una.esperada,
        "problem": una.ilegible or None,
        "running": una.corriendo,
        "instances": una.instancias,
        "restarts": una.reinicios,
        "restarts_since": una.reinicios_nuevos,
        "processed": una.procesados,
        "exceptions": una.excepciones,
        "last_error": una.ultimo_error or None,
        "last_invocation": _momento(una.ultima_invocacion),
    }


def _momento(segundos: float | None) -> str | None:
    return None if segundos is None else hora(datetime.fromtimestamp(segundos, UTC))
