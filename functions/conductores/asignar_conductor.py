"""conductores/comando-asignar-conductor → ordenes/comando-marcar-listo-despacho;
or, refused, productos/comando-revertir-disminuir-stock.
"""

from collections.abc import Callable, Sequence
from typing import Any

from functions.comun.engine import Funcion
from functions.comun.ids import Id
from functions.comun.lote import Salidas, ids, ninguno
from functions.comun.mensajes import AsignarConductor as Comando
from functions.comun.mensajes import Mensaje
from functions.conductores import dominio, tablas


class AsignarConductor(Funcion):
    def manejar(self, tx: Any, lote: Sequence[Mensaje[Comando]]) -> Salidas:
        return _asignar(tx, lote, tablas.cargar)

    def manejar_nuevos(self, tx: Any, lote: Sequence[Mensaje[Comando]]) -> Salidas:
        return _asignar(tx, lote, ninguno)


def _asignar(
    tx: Any, lote: Sequence[Mensaje[Comando]], cargar: Callable[[Any, Sequence[Id]], dict[Id, dominio.Asignacion]]
) -> Salidas:
    ordenes = ids(lote, "id_orden")
    antes, salidas = cargar(tx, ordenes), []
    libres = iter(tablas.libres(tx, len(ordenes) - len(antes)))
    despues = dict(antes)
    for mensaje in lote:
        id_orden = mensaje.data.id_orden
        libre = next(libres, None) if id_orden not in despues else None
        despues[id_orden], publicar = dominio.asignar(despues.get(id_orden), libre, mensaje.data)
        salidas.append(publicar)
    tablas.guardar(tx, antes, despues)
    return salidas
