"""productos/comando-disminuir-stock → conductores/comando-asignar-conductor, productos/evento-producto;
or, refused, ordenes/comando-revertir-orden-creada.
"""

from collections.abc import Sequence
from typing import Any

from functions.comun import mensajes
from functions.comun.engine import Funcion
from functions.comun.lote import Salidas, ninguno
from functions.comun.mensajes import Mensaje
from functions.productos import dominio, tablas


class DisminuirStock(Funcion):
    def manejar(self, tx: Any, lote: Sequence[Mensaje[mensajes.DisminuirStock]]) -> Salidas:
        return tablas.cambiar_stock(tx, lote, dominio.disminuir)

    def manejar_nuevos(self, tx: Any, lote: Sequence[Mensaje[mensajes.DisminuirStock]]) -> Salidas:
        return tablas.cambiar_stock(tx, lote, dominio.disminuir, cargar_reservas=ninguno)
