"""ordenes/comando-crear-orden → productos/comando-disminuir-stock, ordenes/evento-orden,
ordenes/comando-verificar-orden.
"""

from collections.abc import Sequence
from typing import Any

from functions.comun import mensajes
from functions.comun.engine import Funcion
from functions.comun.lote import Salidas, decidir, ninguno
from functions.comun.mensajes import Mensaje
from functions.ordenes import dominio, tablas


class CrearOrden(Funcion):
    def manejar(self, tx: Any, lote: Sequence[Mensaje[mensajes.CrearOrden]]) -> Salidas:
        return dominio.juntar(decidir(tx, lote, tablas.cargar, dominio.crear, tablas.guardar))

    def manejar_nuevos(self, tx: Any, lote: Sequence[Mensaje[mensajes.CrearOrden]]) -> Salidas:
        return dominio.juntar(decidir(tx, lote, ninguno, dominio.crear, tablas.guardar))
