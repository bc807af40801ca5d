"""What people see of dead letters: tables and details."""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from dlq_letters import Carta
from terminal import hora, seguro
from topics import corto
from writer_schemas import Lectura

VOLCADO: Final = 1024
"""Bytes of an unreadable message that are shown, at most."""
GRUPOS: Final = 20
"""Totals that are shown, at most."""
CABEZA: Final = ("ID", "FUNCTION", "TIME", "TRIES", "TOPIC", "ORDER", "REASON")
_PROPIO: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+", re.IGNORECASE)
"""What makes the reasons of two letters differ that have the same cause."""


def numero(cuantas: int) -> str:
    return f"{cuantas} letter" + ("" if cuantas == 1 else "s")


class Progreso:
    """Says on stderr how far reading has come, every 2 s."""

    def __init__(self, total: int) -> None:
        self._total, self._leidas, self._dicho = total, 0, time.monotonic()

    def contar(self, cartas: Iterable[Carta]) -> Iterator[Carta]:
        for carta in cartas:
            self._leidas += 1
            if time.monotonic() > self._dicho + 2:
                self._dicho = time.monotonic()
                print(f"read {self._leidas} of {numero(self._total)} …", file=sys.stderr, flush=True)
            yield carta


class Tabla:
    """One line for each letter, as they come; then the totals."""

    def __init__(self, funciones: Iterable[str]) -> None:
        ancho = max(len(funcion) for funcion in funciones)
        self._formato = f"{{:<{ancho + 6}}}  {{:<{ancho}}}  {{:<24}}  {{:>5}}  {{:<33}}  {{:<36}}  {{}}"
        self._totales: Counter[tuple[str, str]] = Counter()

    def linea(self, carta: Carta, lectura: Lectura) -> str:
        """The first one comes with the table's head."""
        cabeza = "" if self._totales else self._formato.format(*CABEZA) + "\n"
        motivo = seguro(carta.motivo) or "-"
        self._totales[carta.funcion, _PROPIO.sub("…", motivo)[:100]] += 1
        intentos = "-" if carta.intentos is None else carta.intentos
        orden = seguro(str(lectura.datos.get("id_orden") or "-"))
        topic = seguro(corto(carta.topic or "-"))
        return cabeza + self._formato.format(
            carta.id, carta.funcion, hora(carta.hora), intentos, topic, orden, motivo[:100]
        )

    def resumen(self) -> str:
        """How many letters of each function with each reason."""
        if not (total := self._totales.total()):
            return "no dead letters"
        lineas = [f"  {veces:>6}  {f}  {motivo}" for (f, motivo), veces in self._totales.most_common(GRUPOS)]
        if (otros := len(self._totales) - GRUPOS) > 0:
            lineas.append(f"  and {otros} more reasons")
        return "\n".join(["", f"{numero(total)}:", *lineas])


def objeto(carta: Carta, lectura: Lectura) -> dict[str, Any]:
    """A letter's line of `list --json`."""
    return {
        "id": carta.id,
        "function": carta.funcion,
        "topic": carta.topic,
        "message_id": carta.propiedades.get("dlq-message-id"),
        "time": hora(carta.hora),
        "attempts": carta.intentos,
        "reason": carta.motivo,
        "order": lectura.datos.get("id_orden"),
        "transaction": lectura.datos.get("transaction_id"),
        "redriven": carta.reenvios,
        "bytes": len(carta.cuerpo),
    }


def objeto_entero(carta: Carta, lectura: Lectura) -> dict[str, Any]:
    """A letter of `show --json`."""
    return objeto(carta, lectura) | {
        "key": carta.clave,
        "properties": dict(carta.propiedades),
        "schema": lectura.esquema or None,
        "problem": lectura.problema or None,
        "message": lectura.sobre or None,
        "hex": carta.cuerpo.hex(),
    }


def detalle(carta: Carta, lectura: Lectura) -> str:
    """Everything about a letter, for people."""
    propias = {clave: valor for clave, valor in carta.propiedades.items() if clave != "dlq-traceback"}
    lineas = [f"letter      {carta.id}", f"function    {carta.funcion}", f"time        {hora(carta.hora)}"]
    lineas += [f"reason      {seguro(carta.motivo) or '-'}", f"key         {seguro(carta.clave) or '-'}"]
    lineas += ["properties"] + [f"  {seguro(clave)}: {seguro(valor)}" for clave, valor in sorted(propias.items())]
    if traza := carta.propiedades.get("dlq-traceback"):
        lineas += ["traceback"] + [f"  {linea}" for linea in seguro(traza, "\n").splitlines()]
    if lectura.problema:
        lineas.append(f"note        {seguro(lectura.problema)}")
    if lectura.sobre:
        lineas.append(f"message     {len(carta.cuerpo)} bytes, read with {seguro(lectura.esquema)}")
        texto = json.dumps(lectura.sobre, indent=2, ensure_ascii=False, default=str)
        return "\n".join([*lineas, seguro(texto, "\n")])
    return "\n".join([*lineas, f"message     {len(carta.cuerpo)} bytes", *volcado(carta.cuerpo)])


def volcado(cuerpo: bytes) -> Iterator[str]:
    """The first bytes, as `hexdump -C` shows them."""
    for inicio in range(0, min(len(cuerpo), VOLCADO), 16):
        fila = cuerpo[inicio : min(inicio + 16, VOLCADO)]
        letras = "".join(chr(b) if 32 <= b < 127 else "." for b in fila)
        yield f"  {inicio:08x}  {fila.hex(' '):<47}  |{letras}|"
    if len(cuerpo) > VOLCADO:
        yield f"  … {len(cuerpo) - VOLCADO} bytes more: --json has them all"
