"""What people and programs see of a message that came: a live table, JSON, CloudEvents."""

import json
import shutil
import sys
from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

import topics
from avro_json import a_json
from cloudevents_json import a_evento
from dlq_letters import Carta, Posicion
from rich.live import Live
from rich.table import Table
from rich.text import Text
from terminal import en_json, hora, seguro
from writer_schemas import Esquemas, Lectura

from functions.comun.publicador import texto


@dataclass(frozen=True, slots=True)
class Leido:
    """A message with all that there is to know of it. `origen`: of a dead letter, the topic that its message was on."""

    topic: str
    origen: str
    clave: str
    publicado: str
    id: str
    version: int | None
    propiedades: Mapping[str, str]
    cuerpo: bytes
    lectura: Lectura


def leido(esquemas: Esquemas, topic: str, mensaje: Any) -> Leido:
    """Raises the client's errors if the registry can't be asked for the schema that it was written in."""
    crudo = mensaje._message
    propiedades: Mapping[str, str] = texto(crudo.properties, {})
    carta = Carta(topic, Posicion(-1, -1), "", b"", propiedades, 0)
    es_carta = topic in topics.cartas()
    origen = carta.topic if es_carta else topics.PREFIJO + topic
    version = carta.version if es_carta else crudo.int_schema_version()
    return Leido(
        topic,
        topics.corto(origen or ""),
        texto(crudo.partition_key, ""),
        _hora(crudo.publish_timestamp()),
        str(crudo.message_id()),
        version if version is not None and version >= 0 else None,
        propiedades,
        crudo.data(),
        esquemas.leer(origen, version, crudo.data()),
    )


def _hora(ms: int) -> str:
    """Of the sender's clock, which may be anything."""
    try:
        return hora(datetime.fromtimestamp(ms / 1000, UTC))
    except (OverflowError, OSError, ValueError):
        return f"{ms} ms since 1970"


def objeto(uno: Leido) -> dict[str, Any]:
    """Of an unreadable message, what is wrong and its bytes."""
    fila = {
        "topic": uno.topic,
        "key": uno.clave,
        "publish_time": uno.publicado,
        "message_id": uno.id,
        "schema_version": uno.version,
        "message": a_json(dict(uno.lectura.sobre)) or None,
        "properties": dict(uno.propiedades),
    }
    if uno.lectura.problema:
        fila["problem"] = uno.lectura.problema
    return fila if uno.lectura.sobre else fila | {"base64": b64encode(uno.cuerpo).decode()}


def como_json(uno: Leido) -> None:
    print(en_json(objeto(uno)))


def como_evento(uno: Leido) -> None:
    """What can't be one goes to stderr, whole."""
    try:
        print(en_json(a_evento(uno.origen, uno.lectura.sobre)))
    except (KeyError, ValueError) as error:
        print(f"warning: no CloudEvent: {seguro(str(error))}: {en_json(objeto(uno))}", file=sys.stderr)


CABEZAS: Final = ("TIME (UTC)", "TOPIC", "KEY", "DATA")


def como_fila(uno: Leido) -> tuple[str, ...]:
    """Its cells under CABEZAS."""
    texto = json.dumps(a_json(uno.lectura.datos), ensure_ascii=False) if uno.lectura.sobre else ""
    que = (uno.lectura.problema, texto) if uno.lectura.problema else (texto,)
    return tuple(map(seguro, (uno.publicado[11:], uno.topic, uno.clave, ": ".join(que))))


class Tabla:
    """The newest messages, as many as the terminal has room for."""

    def __init__(self) -> None:
        self._filas: deque[tuple[str, ...]] = deque(maxlen=200)
        self._cuantos = 0
        self._vivo = Live(get_renderable=self._dibujar, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._vivo.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._vivo.stop()

    def mostrar(self, uno: Leido) -> None:
        self._cuantos += 1
        self._filas.append(como_fila(uno))

    def _dibujar(self) -> Table:
        tabla = Table(box=None, title=f"{self._cuantos} messages", expand=True)
        for cabeza in CABEZAS[:-1]:
            tabla.add_column(cabeza, no_wrap=True)
        tabla.add_column(CABEZAS[-1], no_wrap=True, overflow="ellipsis", ratio=1)
        for fila in list(self._filas)[-max(1, shutil.get_terminal_size().lines - 4) :]:
            tabla.add_row(*map(Text, fila))
        return tabla
