"""What the cluster that pulsar-admin is set up for (admin.py) says; ends the program if it doesn't answer."""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

from admin import TENANT, url_admin, url_functions

from functions.comun.cluster.admin_rest import HILOS, Api, NoContesta

R = TypeVar("R")


def brokers(*rutas: str) -> list[Any]:
    """What the brokers say to each; None for what does not exist."""
    return juntas(api(url_admin()).leer, rutas)


def de_funciones(configs: Sequence[Mapping[str, Any]], que: str = "") -> list[Any]:
    """What the functions workers say of each function: its configuration, or its "/status" or "/stats"."""
    return juntas(api(url_functions()).leer, [ruta(config) + que for config in configs])


def paquetes(configs: Sequence[Mapping[str, Any]]) -> list[bytes | None]:
    """What was deployed of each."""
    return juntas(api(url_functions()).bajar, [f"{ruta(config)}/download" for config in configs])


def ruta(config: Mapping[str, Any]) -> str:
    return f"/admin/v3/functions/{TENANT}/{config['namespace']}/{config['name']}"


def juntas(pregunta: Callable[[str], R], rutas: Sequence[str]) -> list[R]:
    """The answers, several at a time."""
    with ThreadPoolExecutor(HILOS) as hilos:
        try:
            return list(hilos.map(pregunta, rutas))
        except NoContesta as error:
            sys.exit(f"error: {error}")


@cache
def api(url: str) -> Api:
    """Ends the program if the settings can't be used."""
    try:
        return Api.de_entorno(url)
    except (ValueError, OSError) as error:
        sys.exit(f"error: can't use PULSAR_ADMIN_URL, PULSAR_FUNCTIONS_URL, PULSAR_CLIENT_CONF: {error}")
