"""conductores/comando-liberar-conductor → productos/comando-revertir-disminuir-stock."""

from collections.abc import Sequence
from typing import Any

from functions.comun import mensajes
from functions.comun.engine import Funcion
from functions.comun.lote import Salidas, decidir
from functions.comun.mensajes import Mensaje
from functions.conductores import dominio, tablas


class LiberarConductor(Funcion):
    def manejar(self, tx: Any, lote: Sequence[Mensaje[mensajes.LiberarConductor]]) -> Salidas:
        return decidir(tx, lote, tablas.cargar, dominio.liberar, tablas.guardar)
