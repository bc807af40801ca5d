"""The ids of what a request asks for: random, or, under an Idempotency-Key, the same ones each time that it comes.

Nothing is stored: ids come from the key, and receipts and natural keys let only the first request have effects.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from flask import Request
from werkzeug.exceptions import BadRequest, UnprocessableEntity

from bff.autenticacion import Autor
from bff.formatos import a_texto
from functions.comun.ids import Id, nuevo

_ESPACIO: Final = UUID("0f5d5cf2-6d5b-4f0e-8f0a-3b6a0c1c9a57")
_CLAVE: Final = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?', re.ASCII)


class Ids:
    """Of one request."""

    def __init__(self, peticion: Request, autor: Autor | None) -> None:
        """Raises 400 if the key can't be one. Each caller has keys of their own."""
        self._base: UUID | None = None
        if (dicha := peticion.headers.get("Idempotency-Key")) is not None:
            if not (leida := _CLAVE.fullmatch(dicha)):
                raise BadRequest(
                    "Idempotency-Key must be 1 to 255 visible ASCII characters without spaces, such as a UUID"
                )
            de_quien = "" if autor is None else f"\n{autor.nombre}"
            self._base = uuid5(_ESPACIO, f"{peticion.method} {peticion.path.rstrip('/')}\n{leida[1]}{de_quien}")

    def nuevo(self, que: str) -> Id:
        return nuevo() if self._base is None else Id(str(uuid5(self._base, que)))

    def mensaje(self, campos: Mapping[str, Any]) -> Id:
        """The command's. The same body again is the same message, which has a receipt; another one is another message,
        about something that exists by then.
        """
        return nuevo() if self._base is None else self.nuevo(json.dumps(campos, default=a_texto, sort_keys=True))

    def exigir_iguales(
        self, buscar: Callable[[Id], Mapping[str, Any] | None], id_hecho: Id, campos: Mapping[str, Any]
    ) -> None:
        """Raises 422 if what was made under this key, as far as it can be read yet, is not what is asked for now."""
        antes = None if self._base is None else buscar(id_hecho)
        distintos = [nombre for nombre, valor in campos.items() if antes is not None and antes[nombre] != valor]
        if distintos:
            raise UnprocessableEntity(
                f"this Idempotency-Key was used for a request with another {', '.join(distintos)}: "
                "nothing was done; use a new key for a new request"
            )
