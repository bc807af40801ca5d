"""productos/comando-crear-producto → productos/evento-producto."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.comun import mensajes
from functions.comun.engine import Funcion
from functions.comun.lote import Salidas, decidir
from functions.comun.mensajes import Mensaje, ahora
from functions.productos import dominio, tablas


class CrearProducto(Funcion):
    def manejar(self, tx: Any, lote: Sequence[Mensaje[mensajes.CrearProducto]]) -> Salidas:
        return decidir(tx, lote, tablas.cargar, partial(dominio.crear, ahora=ahora()), tablas.guardar)
