"""Fakes of what the BFF publishes to and reads from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bff.lecturas import Fila, Lecturas
from bff.paginas import Lugar
from functions.comun.codec import Publicacion, codec
from functions.comun.ids import Id
from functions.comun.mensajes import Datos, Mensaje

D = TypeVar("D", bound=Datos)


@dataclass
class PublicadorFalso:
    """Keeps what is published; raises `fallo` instead, if there is one."""

    publicados: list[Publicacion] = field(default_factory=list)
    fallo: Exception | None = None

    def publicar(self, mensaje: Publicacion) -> None:
        if self.fallo is not None:
            raise self.fallo
        self.publicados.append(mensaje)

    def comprobar(self) -> None:
        if self.fallo is not None:
            raise self.fallo

    def unico(self, tipo: type[D]) -> Mensaje[D]:
        """The only message published so far, decoded."""
        (publicado,) = self.publicados
        mensaje: Any = codec(publicado.topic).decodificar(publicado.crudo)
        assert type(mensaje.data) is tipo
        assert publicado.clave == str(getattr(mensaje.data, mensaje.data.clave))
        return mensaje  # type: ignore[no-any-return]


@dataclass
class LecturasFalsas(Lecturas):
    """Read models in memory; raises `fallo` instead of answering, if there is one."""

    las_ordenes: list[Fila] = field(default_factory=list)
    los_productos: list[Fila] = field(default_factory=list)
    pasos: list[Fila] = field(default_factory=list)
    fallo: Exception | None = None
    pedidos: list[tuple[int, dict[str, Any], Lugar | None]] = field(default_factory=list)
    """Of lists: limit, filters, and the place after which they begin."""

    def comprobar(self) -> None:
        self._filas([])

    def ordenes(self, limite: int, filtros: Mapping[str, Any], despues: Lugar | None = None) -> list[Fila]:
        self.pedidos.append(
            (limite, {nombre: valor for nombre, valor in filtros.items() if valor is not None}, despues)
        )
        return self._filas(self.las_ordenes)[:limite]

    def orden(self, id_orden: Id) -> Fila | None:
        return next((f for f in self._filas(self.las_ordenes) if f["id_orden"] == id_orden), None)

    def abiertas(self) -> tuple[int, float]:
        return len(self._filas([f for f in self.las_ordenes if f["estado"] == "creada"])), 0.0

    def saga(self, id_orden: Id) -> list[Fila]:
        return self._filas(self.pasos)

    def productos(self, limite: int, despues: Lugar | None = None) -> list[Fila]:
        self.pedidos.append((limite, {}, despues))
        return self._filas(self.los_productos)[:limite]

    def producto(self, id_producto: Id) -> Fila | None:
        return next((f for f in self._filas(self.los_productos) if f["id"] == id_producto), None)

    def _filas(self, filas: list[Fila]) -> list[Fila]:
        if self.fallo is not None:
            raise self.fallo
        return filas
