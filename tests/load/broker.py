"""What the benchmark asks the broker's and the functions worker's admin API."""

import json
from typing import Any, Final
from urllib.request import Request, urlopen

from tests.chaos.entregas import TENANT, topics
from tests.plataforma import Plataforma, esperar

PREFIJO: Final = f"persistent://{TENANT}/"
PLAZO: Final = ("ordenes/comando-verificar-orden", "verificar-orden")
"""Topic and subscription of what comes two minutes after each order."""


def pedir(url: str, metodo: str = "GET", cuerpo: object = None) -> Any:
    """The decoded answer; `cuerpo` is sent as JSON."""
    datos = None if cuerpo is None else json.dumps(cuerpo).encode()
    peticion = Request(url, datos, {"Content-Type": "application/json"}, method=metodo)
    with urlopen(peticion, timeout=30) as respuesta:
        crudo = respuesta.read()
    return json.loads(crudo) if crudo else None


def parar(platform: Plataforma, *funciones: str) -> None:
    """Returns when no instance of the functions "<namespace>/<name>" runs any more."""
    for funcion in funciones:
        pedir(f"{platform.functions_url}/admin/v3/functions/{TENANT}/{funcion}/stop", "POST")
    nombres = [funcion.partition("/")[2] for funcion in funciones]
    esperar(f"the end of {nombres}", lambda: not any(map(platform.instancias, nombres)))


def iniciar(platform: Plataforma, *funciones: str) -> None:
    """Returns at once."""
    for funcion in funciones:
        pedir(f"{platform.functions_url}/admin/v3/functions/{TENANT}/{funcion}/start", "POST")


def pendientes(platform: Plataforma) -> dict[tuple[str, str], int]:
    """Unacknowledged messages by topic and subscription, of functions only, those for later included."""
    return {
        (topic.removeprefix(PREFIJO), nombre): cifras["msgBacklog"]
        for topic, datos in topics(platform).items()
        if not topic.endswith("-dlq")
        for nombre, cifras in datos["subscriptions"].items()
        if cifras["msgBacklog"]
    }


def por_verificar(platform: Plataforma) -> int:
    """Orders whose check is still to come, in one cheap question."""
    topic, suscripcion = PLAZO
    datos = pedir(f"{platform.admin_url}/admin/v2/persistent/{TENANT}/{topic}/stats")
    return int(datos["subscriptions"][suscripcion]["msgBacklog"])


def guardado(platform: Plataforma) -> int:
    """Bytes that all topics take."""
    return sum(int(datos["storageSize"]) for datos in topics(platform).values())


def aquietar(platform: Plataforma) -> None:
    """Waits until nothing is left to do; what is to come two minutes later is thrown away. For orders that have ended
    it does nothing, and in the next measurement it would be the work of others.
    """
    esperar("a quiet broker", lambda: not set(pendientes(platform)) - {PLAZO}, 120)
    topic, suscripcion = PLAZO
    url = f"{platform.admin_url}/admin/v2/persistent/{TENANT}/{topic}/subscription/{suscripcion}/skip_all"
    pedir(url, "POST")
