"""Orders as the BFF publishes them, straight to the broker."""

import time
from typing import Final

import pulsar

from functions.comun import traza
from functions.comun.codec import Publicacion, publicacion
from functions.comun.ids import leer, nuevo
from functions.comun.mensajes import CrearOrden, ahora
from functions.comun.publicador import Publicador
from tests.plataforma import Plataforma

TANDA: Final = 1000


def publicar(platform: Plataforma, cuantas: int, productos: list[str]) -> list[str]:
    """Returns their ids, in order, once the broker has stored them all."""
    cliente = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        publicador, ids = Publicador(cliente), []
        for desde in range(0, cuantas, TANDA):
            ordenes = [_orden(productos, i) for i in range(desde, min(desde + TANDA, cuantas))]
            publicador.publicar([_mensaje(orden) for orden in ordenes])
            ids += [str(orden.id_orden) for orden in ordenes]
        return ids
    finally:
        cliente.close()


def _orden(productos: list[str], numero: int) -> CrearOrden:
    id_producto, calle = leer(productos[numero % len(productos)]), f"Calle {numero % 100} # 13-40"
    return CrearOrden(nuevo(), id_producto, f"cliente-{numero % 1000}", ahora(), 1, calle, nuevo())


def _mensaje(orden: CrearOrden) -> Publicacion:
    return publicacion(nuevo(), time.time_ns() // 1_000_000, "bff", orden, traza.nueva())
