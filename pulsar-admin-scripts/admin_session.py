"""One pulsar-shell that stays: its start costs seconds, a command in it milliseconds."""

import os
import re
import select
import subprocess
import threading
import time
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Final

PROMPT: Final = re.compile(rb"(?:^|\n)[^\s()]+\([^\s()]*\)> $")
"""What the shell writes when it waits for a command."""


class Sesion:
    """Raises TimeoutError if a command takes longer than `plazo`, EOFError with what was said if the shell ends."""

    def __init__(self, programa: Sequence[str], plazo: float, carpeta: TemporaryDirectory[str]) -> None:
        """`carpeta`, with what the shell reads at its start, is removed at the end."""
        self._plazo, self._candado, self._listo, self._carpeta = plazo, threading.Lock(), False, carpeta
        self._proceso = subprocess.Popen(
            programa, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def ejecutar(self, lineas: Sequence[str]) -> list[str]:
        """What each printed; one caller at a time."""
        with self._candado:
            if not self._listo:
                self._hasta_el_prompt()
                self._listo = True
            return [self._una(linea) for linea in lineas]

    def cerrar(self) -> None:
        self._proceso.kill()  # it holds nothing
        self._proceso.wait()
        for tubo in (self._proceso.stdin, self._proceso.stdout):
            if tubo:
                tubo.close()
        self._carpeta.cleanup()

    def _una(self, linea: str) -> str:
        assert self._proceso.stdin
        self._proceso.stdin.write(f"{linea}\n".encode())
        self._proceso.stdin.flush()
        return self._hasta_el_prompt()

    def _hasta_el_prompt(self) -> str:
        assert self._proceso.stdout
        leido, limite, salida = b"", time.monotonic() + self._plazo, self._proceso.stdout.fileno()
        while (fin := PROMPT.search(leido[-200:])) is None:
            if not select.select([salida], [], [], max(0.0, limite - time.monotonic()))[0]:
                raise TimeoutError
            if not (trozo := os.read(salida, 1 << 16)):
                raise EOFError(leido.decode(errors="replace"))
            leido += trozo
        return leido[: len(leido) - len(fin.group(0))].decode(errors="replace") + "\n"
