"""ordenes/comando-verificar-orden → productos/comando-disminuir-stock, ordenes/comando-verificar-orden;
or, at the last deadline, conductores/comando-liberar-conductor, ordenes/evento-orden.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from functions.comun import mensajes
from functions.comun.engine import Funcion
from functions.comun.lote import Salidas, decidir
from functions.comun.mensajes import Mensaje
from functions.ordenes import dominio, tablas


class VerificarOrden(Funcion):
    lote = 20  # messages of up to 500 orders

    def manejar(self, tx: Any, lote: Sequence[Mensaje[mensajes.VerificarOrden]]) -> Salidas:
        cada_una = [
            replace(mensaje, data=replace(mensaje.data, id_orden=id_orden, otras=None))
            for mensaje in lote
            for id_orden in mensaje.data.ordenes
        ]
        salidas = iter(decidir(tx, cada_una, tablas.cargar, dominio.verificar, tablas.guardar))
        return [list(chain(*dominio.juntar([next(salidas) for _ in mensaje.data.ordenes]))) for mensaje in lote]
