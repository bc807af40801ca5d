"""An order that goes well, without platform: the real decisions about it, and what they have sent and stored."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeVar
from uuid import NAMESPACE_OID, uuid5

from functions.comun import traza
from functions.comun.codec import Publicacion, publicacion
from functions.comun.engine import LOTE
from functions.comun.ids import Id, derivado, leer, nuevo
from functions.comun.lote import Salidas
from functions.comun.mensajes import (
    AsignarConductor,
    CrearOrden,
    Datos,
    DisminuirStock,
    MarcarListoDespacho,
    VerificarOrden,
    ahora,
)
from functions.conductores import dominio as conductores
from functions.ordenes import dominio as ordenes
from functions.productos import dominio as productos
from tests.load import siembra

ID_TRANSACCION: Final = leer(str(uuid5(NAMESPACE_OID, "techo")))
IDS_PRODUCTO: Final = [derivado(ID_TRANSACCION, str(numero)) for numero in range(siembra.PRODUCTOS)]
DIRECCION: Final = "Calle 45 # 13-40, techo"
"""Of these orders only: that is how they are found afterwards."""
D = TypeVar("D", bound=Datos)


@dataclass(frozen=True, slots=True)
class Cadena:
    """The commands in their order, and each state that is stored."""

    comandos: tuple[CrearOrden, DisminuirStock, AsignarConductor, MarcarListoDespacho]
    verificar: VerificarOrden
    creada: ordenes.Orden
    iniciada: ordenes.Orden
    disminuido: productos.Producto
    reserva: productos.Reserva
    asignacion: conductores.Asignacion

    def salidas(self) -> dict[tuple[str, str], tuple[Datos, ...]]:
        """What each sender, of a service, says."""
        crear, disminuir, asignar, marcar = self.comandos
        return {
            ("bff", "bff"): (crear,),
            ("ordenes", "crear-orden"): (disminuir, self.creada, self.verificar),
            ("productos", "disminuir-stock"): (asignar, self.disminuido),
            ("conductores", "asignar-conductor"): (marcar,),
            ("ordenes", "marcar-listo-despacho"): (self.iniciada,),
        }

    def publicaciones(self) -> dict[str, list[Publicacion]]:
        """By sender."""
        return {funcion: _publicar(servicio, dichas) for (servicio, funcion), dichas in self.salidas().items()}


def surtido() -> dict[Id, productos.Producto]:
    """The products, before any order."""
    momento = ahora()
    return {
        i: productos.Producto(i, f"Producto {numero}", siembra.STOCK, momento, momento, False, 1)
        for numero, i in enumerate(IDS_PRODUCTO)
    }


def cadenas(cuantas: int) -> Iterator[Cadena]:
    """One after the other, of all products in turn."""
    estados = surtido()
    for numero in range(cuantas):
        una = _una(estados[IDS_PRODUCTO[numero % len(IDS_PRODUCTO)]], numero)
        estados[una.disminuido.id_producto] = una.disminuido
        yield una


def _una(producto: productos.Producto, numero: int) -> Cadena:
    cliente, momento = f"cliente-{numero % 1000}", ahora()
    crear = CrearOrden(nuevo(), producto.id_producto, cliente, momento, 1, DIRECCION, ID_TRANSACCION)
    creada, pedidos = ordenes.crear(None, crear)
    disminuir = _el(DisminuirStock, pedidos)
    disminuido, reserva, pedidos_stock = productos.disminuir(producto, None, disminuir, momento)
    assert disminuido is not None
    asignar = _el(AsignarConductor, pedidos_stock)
    asignacion, pedidos_conductor = conductores.asignar(None, nuevo(), asignar)
    marcar = _el(MarcarListoDespacho, pedidos_conductor)
    iniciada, _ = ordenes.marcar_listo(creada, marcar)
    comandos = (crear, disminuir, asignar, marcar)
    return Cadena(comandos, _el(VerificarOrden, pedidos), creada, iniciada, disminuido, reserva, asignacion)


def _el(tipo: type[D], lista: Iterable[Datos]) -> D:
    return next(datos for datos in lista if isinstance(datos, tipo))


def por_topic(muestra: Sequence[Cadena]) -> dict[str, list[Publicacion]]:
    """All that these orders lead to, in full batches: what functions say once for a whole batch is there once."""
    ordenadas: dict[str, list[Publicacion]] = {}
    for desde in range(0, len(muestra), LOTE):
        for (servicio, _), listas in _de_un_lote(muestra[desde : desde + LOTE]).items():
            for dicha in _publicar(servicio, list(chain(*listas))):
                ordenadas.setdefault(dicha.topic, []).append(dicha)
    return ordenadas


def _de_un_lote(lote: Sequence[Cadena]) -> dict[tuple[str, str], Salidas]:
    dichas: dict[tuple[str, str], Salidas] = {}
    for una in lote:
        for quien, datos in una.salidas().items():
            dichas.setdefault(quien, []).append(list(datos))
    crear, disminuir = ("ordenes", "crear-orden"), ("productos", "disminuir-stock")
    ultimos = {una.disminuido.id_producto: una.disminuido for una in lote}
    juntas = {crear: ordenes.juntar(dichas[crear]), disminuir: productos.resumir(dichas[disminuir], ultimos)}
    return dichas | juntas


def _publicar(servicio: str, dichas: Sequence[Datos]) -> list[Publicacion]:
    rastro, ingestion = traza.nueva(), time.time_ns() // 1_000_000
    return [publicacion(nuevo(), ingestion, servicio, datos, rastro) for datos in dichas]
