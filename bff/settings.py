"""Serves the HTTP API until SIGTERM or SIGINT.

Environment, with defaults:
  BFF_HOST (127.0.0.1), BFF_PORT (3000)                     where to listen
  BFF_TLS_CERTIFICATE, BFF_TLS_KEY  files in PEM, for https: the server's certificate, followed by those between it and
                                    its authority, and its key, not encrypted. Unset: http. After SIGHUP the files as
                                    they are then are used; workers are replaced one by one for that
  BFF_WORKERS (1), BFF_THREADS (16)                         processes, and requests at once in each, without those that
                                    are sent or read slowly, wait, or follow an order: these need no thread
  BFF_MAX_CANTIDAD (10000)          most units in one order
  BFF_JWT_SECRET, or BFF_JWKS_URL   how bearer tokens are verified: HS256 with a secret, or RS256 and ES256 with an
                                    identity provider's keys. Without either everybody may do everything, and BFF_HOST
                                    must be a loopback address
  BFF_JWT_ISSUER, BFF_JWT_AUDIENCE  the issuer and the audience that tokens must name; unset: any issuer, and no
                                    audience. Set both with a JWKS: the provider signs tokens for other applications
                                    with the same keys
  BFF_RATE                          most requests of one client, such as 100/second; unset: any number. A client is a
                                    user, or without tokens an address; each worker counts for itself
  BFF_WAITS (4000), BFF_WAITS_PER_USER (half of them)       most requests at once in a worker that wait or follow an
                                    order: in all, and of one user, who has a token
  BFF_REQUESTS_PER_ADDRESS (4000)   most requests of one address at once in a worker. An address is that of the
                                    connection: behind a proxy it is the proxy's
  BFF_PROXIES (0)                   number of proxies before this server: their X-Forwarded-For names the client's
                                    address
  BFF_CORS_ORIGINS                  origins whose web pages may use the API, separated by commas; * for all
  BFF_PANEL (on)                    whether to serve the page /panel: on or off
  PULSAR_ADMIN_URL                  the broker's admin API, such as http://127.0.0.1:8080, for the panel's figures;
                                    unset: the panel shows none
  PULSAR_SERVICE_URL                the broker's URL; unset: BROKER_HOST (127.0.0.1) and BROKER_PORT (6650)
  PULSAR_CLIENT_CONF                a client.conf with the cluster's authentication and TLS, as pulsar-admin and the
                                    scripts read it
  BFF_PULSAR_LOG (/dev/null)        file for the Pulsar client's own log
  DB_USERNAME (bff), DB_PASSWORD, DB_HOSTNAME (127.0.0.1), DB_PORT (5432), DB_NAME (saga)   the saga log
  DB_READ_HOSTNAME (DB_HOSTNAME), DB_READ_NAME (ordenes_lectura),
  DB_READ_NAME_PRODUCTOS (productos_lectura),
  DB_READ_NAME_CONDUCTORES (conductores_lectura)            the read models
                                    Each of the two hostnames may be several, separated by commas: the primary of them
                                    is read from. DB_PORT is the port of all, or as many, separated by commas
  DB_SSLMODE, DB_SSLROOTCERT        TLS to PostgreSQL: disable, require, verify-ca or verify-full, and the certificates
                                    of its authority, or a file with them, or system. Unset: verify-full, but disable
                                    on a loopback address
"""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bff.access.certificate import Certificate, InvalidCertificate
from bff.access.rate import RateLimit
from bff.access.tokens import Authentication
from functions.postgres import servers, tls
from functions.postgres.servers import Address


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration, as the environment has it. The module's docstring says what each variable means."""

    host: str
    port: int
    certificate: Certificate | None
    workers: int
    threads: int
    max_cantidad: int
    authentication: Authentication | None
    rate_limit: RateLimit | None
    waits: int
    waits_per_user: int
    requests_per_address: int
    proxies: int
    origins: tuple[str, ...]
    panel: bool
    admin: str | None
    pulsar: str
    saga: sa.URL
    ordenes: sa.URL
    productos: sa.URL
    conductores: sa.URL
    tls: tls.Tls

    @classmethod
    def from_env(cls) -> "Settings":
        """Reads the environment. Ends the program with an error that names the variable if one can't be used."""
        getenv = os.environ.get
        broker = f"pulsar://{getenv('BROKER_HOST', '127.0.0.1')}:{_integer('BROKER_PORT', 6650)}"
        written = _servers("DB_HOSTNAME")
        read = _servers("DB_READ_HOSTNAME") if "DB_READ_HOSTNAME" in os.environ else written
        waits = _integer("BFF_WAITS", 4000, 8000)
        return cls(
            host=getenv("BFF_HOST", "127.0.0.1"),
            port=_integer("BFF_PORT", 3000, 65535),
            certificate=_certificate(getenv("BFF_TLS_CERTIFICATE"), getenv("BFF_TLS_KEY")),
            workers=_integer("BFF_WORKERS", 1, 64),
            threads=_integer("BFF_THREADS", 16, 500),
            max_cantidad=_integer("BFF_MAX_CANTIDAD", 10_000),
            authentication=_authentication(),
            rate_limit=_rate_limit(getenv("BFF_RATE")),
            waits=waits,
            waits_per_user=_integer("BFF_WAITS_PER_USER", max(1, waits // 2), 8000),
            requests_per_address=_integer("BFF_REQUESTS_PER_ADDRESS", 4000, 8000),
            proxies=_integer("BFF_PROXIES", 0, 10, minimum=0),
            origins=_origins(getenv("BFF_CORS_ORIGINS", "")),
            panel=_switch("BFF_PANEL"),
            admin=_admin(getenv("PULSAR_ADMIN_URL")),
            pulsar=_service_url(getenv("PULSAR_SERVICE_URL", broker)),
            saga=_database_url(written, getenv("DB_NAME", "saga")),
            ordenes=_database_url(read, getenv("DB_READ_NAME", "ordenes_lectura")),
            productos=_database_url(read, getenv("DB_READ_NAME_PRODUCTOS", "productos_lectura")),
            conductores=_database_url(read, getenv("DB_READ_NAME_CONDUCTORES", "conductores_lectura")),
            tls=_tls(*written, *read),
        )


def _integer(name: str, default: int, maximum: int = 2**31 - 1, minimum: int = 1) -> int:
    value = os.environ.get(name, str(default))
    if not value.isdecimal() or not minimum <= int(value) <= maximum:
        sys.exit(f"error: {name} is {value!r}: it must be a whole number from {minimum} to {maximum}")
    return int(value)


def _certificate(chain: str | None, key: str | None) -> Certificate | None:
    if not (chain or key):
        return None
    if not (chain and key):
        sys.exit("error: set BFF_TLS_CERTIFICATE and BFF_TLS_KEY, for https, or neither of them, for http")
    certificate = Certificate(Path(chain), Path(key))
    try:
        certificate.check()
    except InvalidCertificate as error:
        sys.exit(f"error: {error}")
    return certificate


def _authentication() -> Authentication | None:
    names = ("BFF_JWT_SECRET", "BFF_JWKS_URL", "BFF_JWT_ISSUER", "BFF_JWT_AUDIENCE")
    secret, jwks_url, issuer, audience = (os.environ.get(name) or None for name in names)
    if not (secret or jwks_url or issuer or audience):
        return None
    try:
        return Authentication(secret=secret, jwks_url=jwks_url, issuer=issuer, audience=audience)
    except ValueError as error:
        sys.exit(f"error: BFF_JWT_SECRET, BFF_JWKS_URL: {error}")


def _rate_limit(limit: str | None) -> RateLimit | None:
    try:
        return RateLimit(limit) if limit else None
    except ValueError:
        sys.exit(f"error: BFF_RATE is {limit!r}: it must be such as 100/second or 1000/minute")


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(origin.strip() for origin in text.split(",") if origin.strip())
    for origin in origins:
        if not re.fullmatch(r"\*|https?://[^/\s*?#@]+", origin):
            sys.exit(f"error: BFF_CORS_ORIGINS has {origin!r}: it must be such as https://shop.example, or *")
    return origins


def _switch(name: str) -> bool:
    """Whether the variable is on, as it is by default."""
    value = os.environ.get(name, "on")
    if value not in ("on", "off"):
        sys.exit(f"error: {name} is {value!r}: it must be on or off")
    return value == "on"


def _admin(url: str | None) -> str | None:
    if url and not re.fullmatch(r"https?://[^/\s?#@]+(/[^\s?#]*)?", url):
        sys.exit(f"error: PULSAR_ADMIN_URL is {url!r}: it must be such as http://127.0.0.1:8080")
    return url.rstrip("/") if url else None


def _service_url(url: str) -> str:
    if not re.fullmatch(r"(pulsar(\+ssl)?|https?)://[^/\s?#@]+/?", url):
        sys.exit(f"error: PULSAR_SERVICE_URL is {url!r}: it must be such as pulsar://127.0.0.1:6650 or pulsar+ssl://…")
    return url


def _servers(variable: str) -> tuple[Address, ...]:
    try:
        return servers.addresses(os.environ, variable)
    except servers.InvalidServers as error:
        sys.exit(f"error: {error}")


def _database_url(addresses: Sequence[Address], name: str) -> sa.URL:
    return servers.url(addresses, os.environ.get("DB_USERNAME", "bff"), os.environ.get("DB_PASSWORD"), name)


def _tls(*addresses: Address) -> tls.Tls:
    try:
        return tls.context(os.environ, *servers.hostnames(addresses))
    except tls.InvalidTls as error:
        sys.exit(f"error: {error}")
