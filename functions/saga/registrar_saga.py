"""Every command of the order saga, and what became of quarantined messages → database saga, the saga log."""

from collections.abc import Sequence
from typing import Any

from functions.comun.engine import Funcion
from functions.comun.lote import Salidas
from functions.comun.mensajes import Mensaje
from functions.saga import tablas


class RegistrarSaga(Funcion):
    recibos = False
    reposo = 0.02

    def manejar(self, tx: Any, lote: Sequence[Mensaje[Any]]) -> Salidas:
        tablas.anotar(tx, lote)
        return []
