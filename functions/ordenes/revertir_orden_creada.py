"""ordenes/comando-revertir-orden-creada → ordenes/evento-orden."""

from collections.abc import Sequence
from typing import Any

from functions.comun import mensajes
from functions.comun.engine import Funcion
from functions.comun.lote import Salidas, aplicar, ids
from functions.comun.mensajes import Mensaje
from functions.ordenes import dominio, tablas


class RevertirOrdenCreada(Funcion):
    def manejar(self, tx: Any, lote: Sequence[Mensaje[mensajes.RevertirOrdenCreada]]) -> Salidas:
        antes = tablas.cargar(tx, ids(lote, "id_orden"))
        despues, salidas = aplicar(antes, lote, dominio.revertir)
        tablas.guardar(tx, antes, despues)
        return salidas
