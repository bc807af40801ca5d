"""Who sends what, and who receives it: what the functions' configurations and the schemas say together."""

from dataclasses import dataclass
from typing import Any, Final

import schemas_files
from package import FUNCIONES, configuraciones
from topics import corto

from functions.comun.codec import payload

BFF: Final = "bff"
DLQ: Final = "dlq.py"
CUARENTENA: Final = "saga/evento-cuarentena"


@dataclass(frozen=True, slots=True)
class Funcion:
    """One function; topics as "<namespace>/<topic>". `demoras`: those it sends for later, in s."""

    nombre: str
    que_hace: str
    recibe: tuple[str, ...]
    publica: tuple[str, ...]
    demoras: dict[str, int]
    suscripcion: str
    cartas: str


@dataclass(frozen=True, slots=True)
class Flujo:
    esquemas: dict[str, Any]
    funciones: tuple[Funcion, ...]

    def envian(self, topic: str) -> list[str]:
        """Those who publish on a topic. A command that no function publishes comes from a request."""
        funciones = [f.nombre for f in self.funciones if topic in f.publica]
        if topic == CUARENTENA:
            return [*(f.nombre for f in self.funciones if self.de_saga(f)), DLQ]
        return funciones or [BFF]

    def servicio(self, quien: str) -> str:
        """What its messages say in `service_name`."""
        return next((f.cartas.partition("/")[0] for f in self.funciones if f.nombre == quien), quien)

    def de_saga(self, funcion: Funcion) -> bool:
        """True if messages that it may quarantine belong to a saga, which is then told."""
        return any("id_orden" in campos(self.esquemas[t]) for t in funcion.recibe if t != CUARENTENA)

    def compensa(self, topic: str) -> bool:
        """A command that gives a reason undoes something."""
        return "/comando-" in topic and "motivo" in campos(self.esquemas[topic])

    def demorado(self, topic: str) -> bool:
        return any(topic in f.demoras for f in self.funciones)


def campos(esquema: Any) -> dict[str, Any]:
    """The payload's fields."""
    return {campo["name"]: campo for campo in payload(esquema)}


def leer() -> Flujo:
    """From the files."""
    funciones = tuple(_funcion(nombre, config) for nombre, config in configuraciones().items())
    return Flujo({topic: schemas_files.actual(topic) for topic in schemas_files.topics()}, funciones)


def _funcion(nombre: str, config: dict[str, Any]) -> Funcion:
    return Funcion(
        nombre=nombre,
        que_hace=(FUNCIONES / f"{nombre}.yaml").read_text("utf-8").partition("\n")[0].removeprefix("# "),
        recibe=tuple(corto(topic) for topic in config["inputSpecs"]),
        publica=tuple(config["userConfig"].get("PUBLICA", ())),
        demoras=config["userConfig"].get("DEMORAS", {}),
        suscripcion=config["subName"],
        cartas=f"{config['namespace']}/{nombre}-dlq",
    )
