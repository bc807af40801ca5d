"""Every command of the order saga, and what became of quarantined messages → database saga, the saga log."""

from collections.abc import Sequence
from typing import Any, Final

from functions.comun.engine import Funcion
from functions.comun.lote import Salidas
from functions.comun.mensajes import LiberarConductor, Mensaje, RevertirDisminuirStock, RevertirOrdenCreada
from functions.saga import tablas

COMPENSACIONES: Final = (LiberarConductor, RevertirDisminuirStock, RevertirOrdenCreada)


def paso(mensaje: Mensaje[Any]) -> tablas.Paso:
    """The log entry of one message."""
    datos = mensaje.data
    return tablas.Paso(
        id_mensaje=mensaje.id,
        transaction_id=datos.transaction_id,
        id_orden=datos.id_orden,
        ms=mensaje.time,
        is_compensation=isinstance(datos, COMPENSACIONES),
        evento=datos.topic.partition("/")[2],
        contenido={campo: getattr(datos, campo) for campo in datos.__slots__},
    )


class RegistrarSaga(Funcion):
    recibos = False
    reposo = 0.02

    def manejar(self, tx: Any, lote: Sequence[Mensaje[Any]]) -> Salidas:
        tablas.anotar(tx, [paso(mensaje) for mensaje in lote])
        return []
