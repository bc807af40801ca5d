"""ordenes/comando-revertir-orden-creada → ordenes/evento-orden."""

from collections.abc import Sequence
from typing import Any

from functions.comun import mensajes
from functions.comun.engine import Funcion
from functions.comun.lote import Salidas, decidir
from functions.comun.mensajes import Mensaje
from functions.ordenes import dominio, tablas


class RevertirOrdenCreada(Funcion):
    def manejar(self, tx: Any, lote: Sequence[Mensaje[mensajes.RevertirOrdenCreada]]) -> Salidas:
        return decidir(tx, lote, tablas.cargar, dominio.revertir, tablas.guardar)
