"""productos/evento-producto → database productos_lectura."""

from collections.abc import Sequence
from typing import Any

from functions.comun.engine import Funcion
from functions.comun.lote import Salidas, ultimos
from functions.comun.mensajes import EventoProducto, Mensaje
from functions.productos import tablas


class ProyectarProducto(Funcion):
    recibos = False
    reposo = 0.02

    def manejar(self, tx: Any, lote: Sequence[Mensaje[EventoProducto]]) -> Salidas:
        tablas.proyectar(tx, ultimos(lote))
        return []
