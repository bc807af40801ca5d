"""conductores/comando-liberar-conductor → productos/comando-revertir-disminuir-stock."""

from collections.abc import Sequence
from typing import Any

from functions.comun import mensajes
from functions.comun.engine import Funcion
from functions.comun.lote import Salidas, aplicar, ids
from functions.comun.mensajes import Mensaje
from functions.conductores import dominio, tablas


class LiberarConductor(Funcion):
    def manejar(self, tx: Any, lote: Sequence[Mensaje[mensajes.LiberarConductor]]) -> Salidas:
        antes = tablas.cargar(tx, ids(lote, "id_orden"))
        despues, salidas = aplicar(antes, lote, dominio.liberar)
        tablas.guardar(tx, antes, despues)
        return salidas
