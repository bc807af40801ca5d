"""Engines of any function on a real PostgreSQL, with a fake of Pulsar."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from package import configuraciones

from functions.comun.engine import Funcion, Motor
from tests.plataforma import Plataforma, esperar
from tests.pulsar_falso import ClienteFalso, ContextoFalso

Iniciar = Callable[..., tuple[Motor, ContextoFalso]]


@cache
def _configuraciones() -> dict[str, dict[str, Any]]:
    return configuraciones()


def configuracion(nombre: str) -> dict[str, Any]:
    """A function's configuration, as it is deployed."""
    return _configuraciones()[nombre]


def funcion(nombre: str) -> Funcion:
    """A function, as its configuration names its class."""
    modulo, _, clase = configuracion(nombre)["className"].rpartition(".")
    hecha: Funcion = getattr(import_module(modulo), clase)()
    return hecha


def contexto(bases: Plataforma, nombre: str, cliente: ClienteFalso | None = None) -> ContextoFalso:
    """The context that a deployed function has, on these databases."""
    config = configuracion(nombre)
    base = config["userConfig"]["DB_NAME"]
    conexion = {"DB_HOSTNAME": "127.0.0.1", "DB_PORT": float(bases.puerto_postgres)}
    return ContextoFalso(
        config["namespace"], nombre, config["userConfig"] | conexion, bases.clave(base), cliente or ClienteFalso()
    )


def esperar_acks(contexto: ContextoFalso, cuantos: int) -> None:
    esperar(f"{cuantos} acks", lambda: len(contexto.acks) >= cuantos)
    assert len(contexto.acks) == cuantos


def recibos(bases: Plataforma) -> int:
    return int(bases.sql("ordenes", "select count(*) from recibos where salidas is not null")[0][0])


def esperando_un_candado(bases: Plataforma, funcion: str) -> bool:
    """True while another transaction holds up the function's."""
    consulta = "select 1 from pg_stat_activity where application_name = :funcion and wait_event_type = 'Lock'"
    return bool(bases.sql("postgres", consulta, funcion=funcion))
