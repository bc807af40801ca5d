"""ordenes/comando-verificar-orden → productos/comando-disminuir-stock, ordenes/comando-verificar-orden;
or, at the last deadline, conductores/comando-liberar-conductor, ordenes/evento-orden.
"""

from collections.abc import Sequence
from typing import Any

from functions.comun import mensajes
from functions.comun.engine import Funcion
from functions.comun.lote import Salidas, decidir
from functions.comun.mensajes import Mensaje
from functions.ordenes import dominio, tablas


class VerificarOrden(Funcion):
    def manejar(self, tx: Any, lote: Sequence[Mensaje[mensajes.VerificarOrden]]) -> Salidas:
        return decidir(tx, lote, tablas.cargar, dominio.verificar, tablas.guardar)
