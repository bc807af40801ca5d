"""A chaos run: prepare, load and faults for a while, drain, check."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tests.chaos import carga, fallas, foto, invariantes
from tests.chaos.entregas import Contador, Repeticiones
from tests.chaos.foto import Prometido
from tests.chaos.registro import Registro
from tests.chaos.reparador import Reparador
from tests.plataforma import Plataforma

COLA: Final = 5.0
"""So long orders go on after the last service is back, in s: to see it recover."""
ESTADO: Final = 10.0
"""A line about the state of things so often, in s."""
MUCHO_LOG: Final = 20
"""MB that no service writes within a run, unless something is wrong."""


@dataclass(frozen=True, slots=True)
class Ajustes:
    """`segundos` of faults, or until each kind had its turn, one every `cada` s on average, while `ritmo` orders a
    second come."""

    segundos: float
    cada: float
    ritmo: float
    semilla: int
    plazo: float = 300
    """To drain, in s."""


@dataclass(frozen=True)
class Resultado:
    ajustes: Ajustes
    registro: Registro
    prometido: Prometido
    drenaje: float
    """From the last request until all invariants held, in s."""
    violaciones: dict[str, set[str]]
    foto: foto.Foto
    repeticiones: Repeticiones


def correr(platform: Plataforma, ajustes: Ajustes) -> Resultado:
    """Leaves the platform running and healthy, unless something was lost. What was wrong with it before, such as
    dead letters of other tests, is not held against it."""
    # connections that were killed under it are nothing to complain about
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    antes = invariantes.violaciones(foto.tomar(platform), Prometido())
    catalogo = carga.preparar(platform)
    registro = Registro()
    registro.decir(f"seed {ajustes.semilla}: {ajustes.ritmo:g} orders/s, a fault every {ajustes.cada:g} s")
    contador = Contador(platform)
    vigia = carga.Vigia(platform, registro)
    try:
        with _informando(registro):
            perdidos = _bajo_carga(platform, ajustes, registro, catalogo, contador)
            prometido = Prometido(registro.aceptadas, registro.conductores, catalogo.iniciales)
            comienzo = time.monotonic()
            final, rotas = _drenar(platform, prometido, antes, registro, 0 if perdidos else ajustes.plazo)
        drenaje = time.monotonic() - comienzo
    finally:
        vigia.parar()
        repeticiones = contador.parar()
    if perdidos:
        rotas["todo_servicio_vuelve"] = set(perdidos)
    for log in sorted((platform.data / "logs").glob("*.log*")):
        if (megas := log.stat().st_size / 1e6) > MUCHO_LOG:
            registro.incidente(f"{log.name} has {megas:.0f} MB: something goes round in circles")
    return Resultado(ajustes, registro, prometido, drenaje, rotas, final, repeticiones)


def _bajo_carga(
    platform: Plataforma, ajustes: Ajustes, registro: Registro, catalogo: carga.Catalogo, contador: Contador
) -> list[str]:
    """Faults while orders come, until the last service is back; the services that can't be started any more."""
    clientes = carga.Carga(platform, registro, catalogo, ajustes.ritmo, ajustes.semilla)
    reparador = Reparador(platform, registro)
    golpeador = fallas.Fallas(platform, registro, reparador)
    espera = threading.Event()
    try:
        fin = time.monotonic() + ajustes.segundos
        for numero, golpe in enumerate(fallas.plan(ajustes.semilla, ajustes.cada)):
            siguiente = time.monotonic() + golpe.pausa
            while not reparador.acabado() and ((ahora := time.monotonic()) < fin or numero < len(fallas.PESOS)):
                if ahora >= siguiente and golpeador.derribar(golpe, contador.muestra):
                    break
                espera.wait(max(0.2, siguiente - ahora))
            else:
                break
        reparador.parar()
        if not reparador.perdidas:
            espera.wait(COLA)
    finally:
        try:
            reparador.parar()
        finally:
            clientes.parar()
    return reparador.perdidas


def _drenar(
    platform: Plataforma, prometido: Prometido, antes: dict[str, set[str]], registro: Registro, plazo: float
) -> tuple[foto.Foto, dict[str, set[str]]]:
    """Waits until all invariants hold; the last picture, and what breaks them when the time is over."""
    limite = time.monotonic() + plazo
    while True:
        try:
            ultima = foto.tomar(platform)
        except (SQLAlchemyError, OSError, HTTPException) as error:
            ultima, rotas = foto.Foto(), {"todo_responde": {str(error)}}
        else:
            encontradas = invariantes.violaciones(ultima, prometido)
            rotas = {nombre: nuevas for nombre, v in encontradas.items() if (nuevas := v - antes.get(nombre, set()))}
        if (not rotas and not registro.abiertas()) or time.monotonic() > limite:
            return ultima, rotas
        threading.Event().wait(1)


@contextmanager
def _informando(registro: Registro) -> Iterator[None]:
    """A status line every ESTADO s."""
    fin = threading.Event()

    def informar() -> None:
        while not fin.wait(ESTADO):
            abiertas = len(registro.abiertas())
            registro.decir(
                f"-- accepted {len(registro.aceptadas)}, ended {len(registro.terminadas)}, open {abiertas}, "
                f"faults {len(registro.fallas)}"
            )

    hilo = threading.Thread(target=informar, name="informe")
    hilo.start()
    try:
        yield
    finally:
        fin.set()
        hilo.join()
