"""Where PostgreSQL is: one server, or several of which one is the primary. Of functions, BFF and scripts alike.

DB_HOSTNAME (127.0.0.1): a name or an address, or several, separated by commas. As of libpq's multiple hosts, that
server is used which is the primary then.
DB_PORT (5432): the port of all of them, or as many ports, separated by commas, in the same order.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

DEFAULT_HOSTNAME: Final = "127.0.0.1"
DEFAULT_PORT: Final = "5432"
Address = tuple[str, int]
"""A server's name or address, and its port."""


class InvalidServers(ValueError):
    """DB_HOSTNAME, DB_READ_HOSTNAME or DB_PORT can't be used. The text says which, and why."""


class Servers:
    """Servers of which one is to be used, for all threads of a process. Which one worked last is remembered, so that
    one that is away costs its time once, not at each connection.
    """

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = tuple(addresses)
        self._last = self._addresses[0]

    @property
    def are_several(self) -> bool:
        """False for one server."""
        return len(self._addresses) > 1

    @property
    def in_order(self) -> tuple[Address, ...]:
        """All of them, in the order to try them in: the one that worked last, then the others as they were named."""
        last = self._last
        return (last, *(address for address in self._addresses if address != last))

    def remember(self, address: Address) -> None:
        """Has this one tried first from now on."""
        self._last = address


def addresses(config: Mapping[str, Any], variable: str = "DB_HOSTNAME") -> tuple[Address, ...]:
    """The servers that `config`, which is userConfig or the environment, names in this variable and DB_PORT. Raises
    InvalidServers.
    """
    hostnames = [name.strip() for name in str(config.get(variable, DEFAULT_HOSTNAME)).split(",")]
    for hostname in hostnames:
        if not _is_hostname(hostname):
            raise InvalidServers(
                f"{variable} is {config[variable]!r}: it must be a name or an address, or several separated by commas;"
                " ports are for DB_PORT"
            )
    given = config.get("DB_PORT", DEFAULT_PORT)
    ports = [port.strip() for port in str(int(given) if isinstance(given, float) else given).split(",")]
    for port in ports:
        if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535):
            raise InvalidServers(
                f"DB_PORT is {given!r}: it must be a whole number from 1 to 65535, or as many of them, separated by"
                f" commas, as {variable} names servers"
            )
    if len(ports) not in (1, len(hostnames)):
        raise InvalidServers(
            f"DB_PORT is {given!r}: these are {len(ports)} ports, and {variable} names {len(hostnames)} servers;"
            " it must be one port for all of them, or one for each"
        )
    ports = ports * len(hostnames) if len(ports) == 1 else ports
    return tuple((hostname, int(port)) for hostname, port in zip(hostnames, ports, strict=True))


def hostnames(servers: Sequence[Address]) -> tuple[str, ...]:
    """The names and addresses, each once."""
    return tuple(dict.fromkeys(hostname for hostname, _ in servers))


def text(servers: Sequence[Address]) -> str:
    """The servers, for people."""
    return ", ".join(f"{hostname}:{port}" for hostname, port in servers)


def url(servers: Sequence[Address], username: str, password: str | None, database: str) -> sa.URL:
    """What SQLAlchemy is told of the servers: several as it writes them for drivers that know several by themselves."""
    where: dict[str, Any] = {"host": servers[0][0], "port": servers[0][1]}
    if len(servers) > 1:
        where = {"query": {"host": [f"{hostname}:{port}" for hostname, port in servers]}}
    return sa.URL.create("postgresql+pg8000", username, password, database=database, **where)


def servers_of(url: sa.URL) -> Servers:
    """The servers that `url` made this of; the same object for the same ones."""
    several = url.query.get("host", ())
    found = [address.rpartition(":") for address in ([several] if isinstance(several, str) else several)]
    return _shared(tuple((hostname, int(port)) for hostname, _, port in found) or ((str(url.host), url.port or 5432),))


@cache
def _shared(addresses: tuple[Address, ...]) -> Servers:
    return Servers(addresses)


def _is_hostname(text: str) -> bool:
    if ":" not in text:
        return re.fullmatch(r"[^\s/@\[\]]+", text) is not None
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False
