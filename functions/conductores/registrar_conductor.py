"""conductores/comando-registrar-conductor → database conductores."""

from collections.abc import Sequence
from typing import Any

from functions.comun import mensajes
from functions.comun.engine import Funcion
from functions.comun.lote import Salidas
from functions.comun.mensajes import Mensaje
from functions.conductores import tablas


class RegistrarConductor(Funcion):
    recibos = False

    def manejar(self, tx: Any, lote: Sequence[Mensaje[mensajes.RegistrarConductor]]) -> Salidas:
        tablas.registrar(tx, [mensaje.data for mensaje in lote])
        return []
