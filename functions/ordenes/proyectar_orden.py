"""ordenes/evento-orden → database ordenes_lectura."""

from collections.abc import Sequence
from typing import Any

from functions.comun.engine import Funcion
from functions.comun.lote import Salidas, ultimos
from functions.comun.mensajes import EventoOrden, Mensaje
from functions.ordenes import tablas


class ProyectarOrden(Funcion):
    recibos = False

    def manejar(self, tx: Any, lote: Sequence[Mensaje[EventoOrden]]) -> Salidas:
        tablas.proyectar(tx, ultimos(lote))
        return []
