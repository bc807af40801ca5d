"""What the fields of a request may hold."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from bff.formatos import BLANCOS, Texto
from functions.comun.codec import valores
from functions.comun.ids import Id, leer
from functions.comun.mensajes import ENTERO_MAXIMO


@dataclass(frozen=True, slots=True)
class Campo:
    """A field. `leer` makes its value out of what came, None if it didn't come; ValueError says what must change.
    `esquema`: the same for people and programs, as JSON Schema; `optativo`: it may be left out.
    """

    leer: Callable[[Any], Any]
    esquema: Mapping[str, Any]
    optativo: bool = False


_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_ENTERO: Final = re.compile(r"[+-]?[0-9]{1,20}")
_CONTROL: Final = r"\x00-\x1f\x7f-\x9f"
_ESPACIO: Final = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_PATRON: Final = rf"^[ \t\r\n]*[^{_CONTROL}]*[^{_CONTROL}{_ESPACIO}][^{_CONTROL}]*[ \t\r\n]*$"
"""Of a text, beside its length."""


class CamposInvalidos(Exception):
    """`errores`: for each wrong field, in the fields' order, what is wrong with it."""

    def __init__(self, errores: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{campo} {error}" for campo, error in errores.items()))
        self.errores = errores


def validar(cuerpo: Mapping[str, Any], campos: Mapping[str, Campo]) -> dict[str, Any]:
    """The fields' values; what else the body holds is ignored. Raises CamposInvalidos."""
    leidos, errores = {}, {}
    for nombre, campo in campos.items():
        try:
            leidos[nombre] = campo.leer(cuerpo.get(nombre))
        except ValueError as error:
            que = f"is {repr(cuerpo[nombre])[:80]}" if nombre in cuerpo else "is missing"
            errores[nombre] = f"{que}: {error}"
    if errores:
        raise CamposInvalidos(errores)
    return leidos


def _identificador(valor: Any) -> Id:
    if not isinstance(valor, str) or not _UUID.fullmatch(valor):
        raise ValueError(f"it must be a UUID, such as {EJEMPLO}")
    return leer(valor)


def texto(largo: int) -> Campo:
    """Text of 1 to `largo` characters, without control characters; spaces around it don't count."""

    def leer(valor: Any) -> str:
        limpio = valor.strip(BLANCOS) if isinstance(valor, str) else ""
        if not 1 <= len(limpio) <= largo or limpio.isspace():
            raise ValueError(f"it must be text of 1 to {largo} characters")
        if any(unicodedata.category(letra) in ("Cc", "Cs") for letra in limpio):
            raise ValueError("it must not hold control characters or lone surrogates")
        return str(limpio)

    return Campo(leer, {"type": "string", "minLength": 1, "maxLength": largo, "pattern": _PATRON})


def entero(minimo: int, maximo: int = ENTERO_MAXIMO) -> Campo:
    """A whole number; 2.0 is one too, as JSON Schema has it and clients without integers write it."""

    def leer(valor: Any) -> int:
        if isinstance(valor, Texto) and _ENTERO.fullmatch(valor):
            valor = int(valor)
        if isinstance(valor, float) and valor.is_integer():
            valor = int(valor)
        if type(valor) is not int or not minimo <= valor <= maximo:
            raise ValueError(f"it must be a whole number from {minimo} to {maximo}")
        return valor

    return Campo(leer, {"type": "integer", "minimum": minimo, "maximum": maximo})


def _hora(valor: Any) -> datetime:
    if isinstance(valor, str) and "T" in valor:
        momento = datetime.fromisoformat(valor)  # its ValueError is as good a text
        if momento.tzinfo is not None:
            return en_utc(momento)
    raise ValueError("it must be a time with its zone, such as 2026-11-24T07:00:00Z")


def en_utc(momento: datetime) -> datetime:
    """ValueError if that is before year 1 or after 9999."""
    try:
        return momento.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("in UTC it must be in the years 1 to 9999") from error


def uno_de(valores: Collection[str]) -> Campo:
    def leer(valor: Any) -> str:
        if valor not in valores:
            raise ValueError(f"it must be one of {', '.join(valores)}")
        return str(valor)

    return Campo(leer, {"type": "string", "enum": list(valores)})


def ejemplo(valor: Any, campo: Campo) -> Campo:
    return replace(campo, esquema={**campo.esquema, "examples": [valor]})


def opcional(campo: Campo) -> Campo:
    return Campo(lambda valor: None if valor is None else campo.leer(valor), campo.esquema, optativo=True)


EJEMPLO: Final = "6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"
IDENTIFICADOR: Final = Campo(_identificador, {"type": "string", "format": "uuid", "examples": [EJEMPLO]})
HORA: Final = Campo(_hora, {"type": "string", "format": "date-time", "examples": ["2026-11-24T07:00:00Z"]})


@cache
def orden(max_cantidad: int) -> dict[str, Campo]:
    return {
        "id_producto": IDENTIFICADOR,
        "user_id": ejemplo("ana", texto(255)),
        "cantidad": ejemplo(2, entero(1, max_cantidad)),
        "direccion_entrega": ejemplo("Calle 45 # 13-40", texto(1000)),
        "instrucciones_entrega": opcional(ejemplo("Timbre 2", texto(1000))),
    }


PRODUCTO: Final[dict[str, Campo]] = {
    "nombre": ejemplo("Café de Nariño, 500 g", texto(255)),
    "stock": ejemplo(10, entero(0)),
}
CONDUCTOR: Final[dict[str, Campo]] = {"nombre": opcional(ejemplo("Ana", texto(255)))}
FILTROS: Final[dict[str, Campo]] = {
    "estado": opcional(uno_de(valores("ordenes/evento-orden", "estado"))),
    "user_id": opcional(ejemplo("ana", texto(255))),
    "id_producto": opcional(IDENTIFICADOR),
    "desde": opcional(HORA),
    "hasta": opcional(HORA),
}
"""What a list of orders can be asked for: `desde` ≤ time_stamp < `hasta`."""
