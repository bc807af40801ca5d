"""Serves the HTTP API until SIGTERM or SIGINT.

Environment, with defaults:
  BFF_HOST (127.0.0.1), BFF_PORT (3000)                     where to listen
  BFF_WORKERS (1), BFF_THREADS (16)                         processes, and requests at once in each
  BFF_MAX_CANTIDAD (10000)          units in one order, at most
  PULSAR_SERVICE_URL                the broker; or BROKER_HOST (127.0.0.1) and BROKER_PORT (6650)
  BFF_PULSAR_LOG (/dev/null)        file for the Pulsar client's own log
  DB_USERNAME (bff), DB_PASSWORD, DB_HOSTNAME (127.0.0.1), DB_PORT (5432), DB_NAME (saga)   the saga log
  DB_READ_HOSTNAME (DB_HOSTNAME), DB_READ_NAME (ordenes_lectura),
  DB_READ_NAME_PRODUCTOS (productos_lectura)                the read models
"""

import os
import sys
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Ajustes:
    """The environment."""

    host: str
    port: int
    trabajadores: int
    hilos: int
    max_cantidad: int
    pulsar: str
    saga: sa.URL
    ordenes: sa.URL
    productos: sa.URL

    @classmethod
    def del_entorno(cls) -> "Ajustes":
        """Ends the program with an error that names the variable if it can't be."""
        entorno = os.environ.get
        broker = f"pulsar://{entorno('BROKER_HOST', '127.0.0.1')}:{_entero('BROKER_PORT', 6650)}"
        escritura = entorno("DB_HOSTNAME", "127.0.0.1")
        lectura = entorno("DB_READ_HOSTNAME", escritura)
        return cls(
            host=entorno("BFF_HOST", "127.0.0.1"),
            port=_entero("BFF_PORT", 3000, 65535),
            trabajadores=_entero("BFF_WORKERS", 1, 64),
            hilos=_entero("BFF_THREADS", 16, 500),
            max_cantidad=_entero("BFF_MAX_CANTIDAD", 10_000),
            pulsar=entorno("PULSAR_SERVICE_URL", broker),
            saga=_base(escritura, entorno("DB_NAME", "saga")),
            ordenes=_base(lectura, entorno("DB_READ_NAME", "ordenes_lectura")),
            productos=_base(lectura, entorno("DB_READ_NAME_PRODUCTOS", "productos_lectura")),
        )


def _entero(nombre: str, defecto: int, maximo: int = 2**31 - 1) -> int:
    valor = os.environ.get(nombre, str(defecto))
    if not valor.isdecimal() or not 1 <= int(valor) <= maximo:
        sys.exit(f"error: {nombre} is {valor!r}: it must be a whole number from 1 to {maximo}")
    return int(valor)


def _base(host: str, nombre: str) -> sa.URL:
    usuario, clave = os.environ.get("DB_USERNAME", "bff"), os.environ.get("DB_PASSWORD")
    return sa.URL.create("postgresql+pg8000", usuario, clave, host, _entero("DB_PORT", 5432, 65535), nombre)
