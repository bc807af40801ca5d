"""Serves the HTTP API until SIGTERM or SIGINT.

Environment, with defaults:
  BFF_HOST (127.0.0.1), BFF_PORT (3000)                     where to listen
  BFF_WORKERS (1), BFF_THREADS (16)                         processes, and requests at once in each
  BFF_MAX_CANTIDAD (10000)          units in one order, at most
  BFF_JWT_SECRET, or BFF_JWKS_URL   how bearer tokens are verified: HS256 with a secret, or RS256 and ES256 with an
                                    identity provider's keys. Without either everybody may do everything, and BFF_HOST
                                    must be a loopback address
  BFF_JWT_ISSUER, BFF_JWT_AUDIENCE  what tokens must say; unset: any issuer, and no audience. Set both with a JWKS: the
                                    provider signs tokens for other applications with the same keys
  BFF_RATE                          requests of one client, such as 100/second; unset: any number. A client is a user,
                                    without tokens an address; each worker counts for itself
  BFF_PROXIES (0)                   proxies before this server, whose X-Forwarded-For says the client's address
  BFF_CORS_ORIGINS                  origins whose web pages may use the API, with commas between; * for all
  BFF_PANEL (on)                    the page /panel; off: there is none
  PULSAR_ADMIN_URL                  the broker's admin API, such as http://127.0.0.1:8080, for the panel's figures;
                                    unset: it shows none
  PULSAR_SERVICE_URL                the broker; or BROKER_HOST (127.0.0.1) and BROKER_PORT (6650)
  PULSAR_CLIENT_CONF                a client.conf with what else the cluster wants, as pulsar-admin and the scripts read
                                    it: authentication, TLS
  BFF_PULSAR_LOG (/dev/null)        file for the Pulsar client's own log
  DB_USERNAME (bff), DB_PASSWORD, DB_HOSTNAME (127.0.0.1), DB_PORT (5432), DB_NAME (saga)   the saga log
  DB_READ_HOSTNAME (DB_HOSTNAME), DB_READ_NAME (ordenes_lectura),
  DB_READ_NAME_PRODUCTOS (productos_lectura)                the read models
"""

import os
import re
import sys
from dataclasses import dataclass

import sqlalchemy as sa

from bff.autenticacion import Autenticacion
from bff.ritmo import Ritmo


@dataclass(frozen=True, slots=True)
class Ajustes:
    """The environment."""

    host: str
    port: int
    trabajadores: int
    hilos: int
    max_cantidad: int
    autenticacion: Autenticacion | None
    ritmo: Ritmo | None
    proxies: int
    origenes: tuple[str, ...]
    panel: bool
    admin: str | None
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
            autenticacion=_autenticacion(),
            ritmo=_ritmo(entorno("BFF_RATE")),
            proxies=_entero("BFF_PROXIES", 0, 10, minimo=0),
            origenes=_origenes(entorno("BFF_CORS_ORIGINS", "")),
            panel=_interruptor("BFF_PANEL"),
            admin=_admin(entorno("PULSAR_ADMIN_URL")),
            pulsar=_pulsar(entorno("PULSAR_SERVICE_URL", broker)),
            saga=_base(escritura, entorno("DB_NAME", "saga")),
            ordenes=_base(lectura, entorno("DB_READ_NAME", "ordenes_lectura")),
            productos=_base(lectura, entorno("DB_READ_NAME_PRODUCTOS", "productos_lectura")),
        )


def _entero(nombre: str, defecto: int, maximo: int = 2**31 - 1, minimo: int = 1) -> int:
    valor = os.environ.get(nombre, str(defecto))
    if not valor.isdecimal() or not minimo <= int(valor) <= maximo:
        sys.exit(f"error: {nombre} is {valor!r}: it must be a whole number from {minimo} to {maximo}")
    return int(valor)


def _autenticacion() -> Autenticacion | None:
    nombres = ("BFF_JWT_SECRET", "BFF_JWKS_URL", "BFF_JWT_ISSUER", "BFF_JWT_AUDIENCE")
    secreto, jwks_url, emisor, audiencia = (os.environ.get(nombre) or None for nombre in nombres)
    if not (secreto or jwks_url or emisor or audiencia):
        return None
    try:
        return Autenticacion(secreto=secreto, jwks_url=jwks_url, emisor=emisor, audiencia=audiencia)
    except ValueError as error:
        sys.exit(f"error: BFF_JWT_SECRET, BFF_JWKS_URL: {error}")


def _ritmo(limite: str | None) -> Ritmo | None:
    try:
        return Ritmo(limite) if limite else None
    except ValueError:
        sys.exit(f"error: BFF_RATE is {limite!r}: it must be such as 100/second or 1000/minute")


def _origenes(lista: str) -> tuple[str, ...]:
    origenes = tuple(origen.strip() for origen in lista.split(",") if origen.strip())
    for origen in origenes:
        if not re.fullmatch(r"\*|https?://[^/\s*?#@]+", origen):
            sys.exit(f"error: BFF_CORS_ORIGINS has {origen!r}: it must be such as https://shop.example, or *")
    return origenes


def _interruptor(nombre: str) -> bool:
    """On if nothing is said."""
    if (valor := os.environ.get(nombre, "on")) not in ("on", "off"):
        sys.exit(f"error: {nombre} is {valor!r}: it must be on or off")
    return valor == "on"


def _admin(url: str | None) -> str | None:
    if url and not re.fullmatch(r"https?://[^/\s?#@]+(/[^\s?#]*)?", url):
        sys.exit(f"error: PULSAR_ADMIN_URL is {url!r}: it must be such as http://127.0.0.1:8080")
    return url.rstrip("/") if url else None


def _pulsar(url: str) -> str:
    if not re.fullmatch(r"(pulsar(\+ssl)?|https?)://[^/\s?#@]+/?", url):
        sys.exit(f"error: PULSAR_SERVICE_URL is {url!r}: it must be such as pulsar://127.0.0.1:6650 or pulsar+ssl://…")
    return url


def _base(host: str, nombre: str) -> sa.URL:
    usuario, clave = os.environ.get("DB_USERNAME", "bff"), os.environ.get("DB_PASSWORD")
    return sa.URL.create("postgresql+pg8000", usuario, clave, host, _entero("DB_PORT", 5432, 65535), nombre)
