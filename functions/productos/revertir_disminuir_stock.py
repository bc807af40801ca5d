"""productos/comando-revertir-disminuir-stock → ordenes/comando-revertir-orden-creada, productos/evento-producto."""

from collections.abc import Sequence
from typing import Any

from functions.comun import mensajes
from functions.comun.engine import Funcion
from functions.comun.lote import Salidas
from functions.comun.mensajes import Mensaje
from functions.productos import dominio, tablas


class RevertirDisminuirStock(Funcion):
    def manejar(self, tx: Any, lote: Sequence[Mensaje[mensajes.RevertirDisminuirStock]]) -> Salidas:
        return tablas.cambiar_stock(tx, lote, dominio.revertir)
