"""The routes: commands are published, reads come from the read models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol, cast

from flask import Blueprint, Response, current_app, g, render_template, request, stream_with_context
from werkzeug.exceptions import NotFound, ServiceUnavailable

from bff import espera, eventos, formatos, metricas, openapi, paginas, permisos, validacion
from bff.espera import Turnos
from bff.eventos import PRINCIPIO, Flujo
from bff.formatos import PREFERIDO, Texto, leer
from bff.idempotencia import Ids
from bff.lecturas import Fila, Lecturas, SinBaseDeDatos
from bff.paginas import MAX_FILAS, PAGINA
from bff.validacion import Campo, validar
from functions.comun import traza
from functions.comun.codec import Publicacion, publicacion
from functions.comun.ids import Id, nuevo
from functions.comun.mensajes import CrearOrden, CrearProducto, Datos, EliminarProducto, RegistrarConductor, ahora
from functions.comun.rastreo import Rastreador

rutas = Blueprint("rutas", __name__)


class Publicador(Protocol):
    def publicar(self, mensaje: Publicacion) -> None: ...

    def comprobar(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Servicios:
    """What the routes need."""

    publicador: Publicador
    lecturas: Lecturas
    max_cantidad: int
    esperas: Turnos
    rastros: Rastreador | None = None


@rutas.post("/orders")
def crear_orden() -> Response:
    ids, datos = Ids(request, g.autor), validar(leer(request), validacion.orden(_servicios().max_cantidad))
    permisos.exigir_propia(g.autor, datos["user_id"])
    id_orden, transaction_id = ids.nuevo("orden"), ids.nuevo("transaccion")
    ids.exigir_iguales(_servicios().lecturas.orden, id_orden, datos)
    orden = CrearOrden(id_orden=id_orden, transaction_id=transaction_id, time_stamp=ahora(), **datos)
    ubicacion = f"/orders/{id_orden}"
    aceptada = _encargar(orden, ids.mensaje(datos), ubicacion, id_orden=id_orden, transaction_id=transaction_id)
    return _terminada(id_orden, ubicacion) or aceptada


@rutas.get("/orders")
def ver_ordenes() -> Response:
    pedido = _pedido(PAGINA | validacion.FILTROS)
    limite, despues = pedido.pop("limit"), pedido.pop("cursor")
    unico = permisos.solo_de(g.autor) or pedido["user_id"]
    es_ajeno = pedido["user_id"] not in (None, unico)
    filas = [] if es_ajeno else _servicios().lecturas.ordenes(limite + 1, pedido | {"user_id": unico}, despues)
    return _respuesta(filas[:limite], cabeceras=_enlaces(filas, limite, "time_stamp", "id_orden"))


@rutas.get("/orders/<uuid:id_orden>")
def ver_orden(id_orden: Id) -> Response:
    return _respuesta(_orden(id_orden) or _falta("order", id_orden))


@rutas.get("/orders/<uuid:id_orden>/saga")
def ver_saga(id_orden: Id) -> Response:
    return _respuesta(_saga(id_orden) or _falta("saga of an order", id_orden))


@rutas.get("/orders/<uuid:id_orden>/events")
def ver_eventos(id_orden: Id) -> Response:
    """Waits for the first event: until then there may be an error."""
    vistos, turnos = eventos.vistos(request.headers.get("Last-Event-ID")), _servicios().esperas
    flujo = Flujo(lambda: (_orden(id_orden), _saga(id_orden)), vistos)
    if not turnos.tomar():
        raise ServiceUnavailable("too many requests wait for sagas already: try again", retry_after=1)
    siguen, sigue = flujo.eventos(), False
    try:
        primero = next(siguen, b"")
        sigue = bool(primero) and request.method == "GET"
    finally:
        if not sigue:
            turnos.dejar()
    if not flujo.visto:
        _falta("saga of an order", id_orden)
    if not sigue:
        return Response(status=204) if flujo.completo and not primero else Response(PRINCIPIO, mimetype=eventos.TIPO)
    salida = Response(stream_with_context(chain([PRINCIPIO, primero], siguen)), mimetype=eventos.TIPO)
    salida.call_on_close(turnos.dejar)
    return salida


@rutas.post("/productos")
def crear_producto() -> Response:
    ids, datos = Ids(request, g.autor), validar(leer(request), validacion.PRODUCTO)
    id_producto = ids.nuevo("producto")
    ids.exigir_iguales(_servicios().lecturas.producto, id_producto, {"nombre": datos["nombre"]})  # stock changes
    return _encargar(
        CrearProducto(id_producto, **datos), ids.mensaje(datos), f"/productos/{id_producto}", id=id_producto
    )


@rutas.get("/productos")
def ver_productos() -> Response:
    pedido = _pedido(PAGINA)
    filas = _servicios().lecturas.productos(pedido["limit"] + 1, pedido["cursor"])
    enlaces = _enlaces(filas, pedido["limit"], "fecha_creacion", "id")
    return _respuesta({"resultado": filas[: pedido["limit"]]}, cabeceras=enlaces)


@rutas.get("/productos/<uuid:id_producto>")
def ver_producto(id_producto: Id) -> Response:
    return _respuesta({"resultado": _servicios().lecturas.producto(id_producto) or _falta("product", id_producto)})


@rutas.delete("/productos/<uuid:id_producto>")
def eliminar_producto(id_producto: Id) -> Response:
    return _encargar(EliminarProducto(id_producto), nuevo(), f"/productos/{id_producto}", id=id_producto)


@rutas.post("/conductores")
def registrar_conductor() -> Response:
    ids, datos = Ids(request, g.autor), validar(leer(request), validacion.CONDUCTOR)
    id_conductor = ids.nuevo("conductor")
    conductor = RegistrarConductor(id_conductor, **datos)
    return _encargar(conductor, ids.mensaje(datos), f"/conductores/{id_conductor}", id_conductor=id_conductor)


@rutas.get("/conductores/<uuid:id_conductor>")
def ver_conductor(id_conductor: Id) -> Response:
    raise NotFound(f"driver {id_conductor} can't be read: drivers have no read model. Orders show their id_driver")


@rutas.get("/health")
def health() -> Response:
    return _respuesta({"status": "ok"})


@rutas.get("/ready")
def ready() -> Response:
    """503, as for any other request, if one of them is away."""
    _servicios().lecturas.comprobar()
    _servicios().publicador.comprobar()
    return _respuesta({"status": "ok"})


@rutas.get("/metrics")
def ver_metricas() -> Response:
    try:
        abiertas = _servicios().lecturas.abiertas()
    except SinBaseDeDatos:
        abiertas = None
    return Response(metricas.texto(abiertas), content_type=metricas.TIPO)


@rutas.get("/openapi.json")
def ver_openapi() -> Response:
    return formatos.respuesta(openapi.documento(_servicios().max_cantidad), PREFERIDO)


@rutas.get("/docs")
def ver_docs() -> Response:
    """The same for people: a page without scripts, that asks nobody for anything."""
    pagina = render_template("docs.html", api=openapi.documento(_servicios().max_cantidad))
    return Response(pagina, headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})


def _servicios() -> Servicios:
    return cast(Servicios, current_app.extensions["bff"])


def _orden(id_orden: Id) -> Fila | None:
    """None also for an order that the caller may not see."""
    orden, unico = _servicios().lecturas.orden(id_orden), permisos.solo_de(g.autor)
    return orden if orden is None or unico is None or unico == orden["user_id"] else None


def _saga(id_orden: Id) -> Sequence[Fila]:
    """None of an order that the caller may not see."""
    es_visible = permisos.solo_de(g.autor) is None or _orden(id_orden) is not None
    return _servicios().lecturas.saga(id_orden) if es_visible else ()


def _encargar(datos: Datos, id_mensaje: Id, ubicacion: str, **ids: Id) -> Response:
    """Publishes a command; 202 when the broker has it."""
    g.ids = ids
    mensaje = publicacion(id_mensaje, g.ingestion, "bff", datos, g.traza)
    with metricas.publicacion(mensaje.topic):
        _servicios().publicador.publicar(mensaje)
    if rastros := _servicios().rastros:
        padre = traza.padre(request.headers.get(traza.PROPIEDAD))
        rastros.peticion(f"{request.method} {metricas.ruta(request)}", mensaje, g.traza, padre, 1_000_000 * g.ingestion)
    return _respuesta({"mssg": "Procesando mensaje", **ids}, 202, {"Location": ubicacion})


def _terminada(id_orden: Id, ubicacion: str) -> Response | None:
    """The order as it ended, if the client prefers to wait for that and it did in time."""
    segundos, servicios = espera.preferida(request), _servicios()
    orden = espera.terminada(lambda: servicios.lecturas.orden(id_orden), segundos, servicios.esperas)
    aplicada = {"Location": ubicacion, "Content-Location": ubicacion, "Preference-Applied": f"wait={segundos}"}
    return None if orden is None else _respuesta(orden, cabeceras=aplicada)


def _pedido(campos: Mapping[str, Campo]) -> dict[str, Any]:
    """What the query says of these fields; a limit there always is."""
    return validar({"limit": MAX_FILAS, **{nombre: Texto(valor) for nombre, valor in request.args.items()}}, campos)


def _enlaces(filas: Sequence[Fila], limite: int, hora: str, identidad: str) -> dict[str, str]:
    """Of a page of which one row more than is shown was read."""
    siguiente = None
    if len(filas) > limite:
        ultima = filas[limite - 1]
        siguiente = (ultima[hora], ultima[identidad])
    return paginas.enlaces(request.path, request.args, siguiente)


def _falta(que: str, id_buscado: Id) -> Any:
    raise NotFound(f"there is no {que} {id_buscado}. If it was accepted a moment ago, ask again")


def _respuesta(datos: object, estado: int = 200, cabeceras: Mapping[str, str] | None = None) -> Response:
    return formatos.respuesta(datos, g.tipo, estado, cabeceras)
