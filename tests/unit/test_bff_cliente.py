"""The client of the HTTP API: against the application on a real server, and against servers that fail."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
import waitress.server

from bff import cliente as modulo
from bff.app import crear_app
from bff.broker import SinBroker
from bff.cliente import Aceptada, Cliente, Orden, Paso, Problema, Producto, SinRespuesta
from functions.comun.ids import Id
from functions.comun.mensajes import CrearOrden, CrearProducto, EliminarProducto, RegistrarConductor
from tests.fakes import LecturasFalsas, PublicadorFalso
from tests.unit.test_bff_comandos import ID

HORA: Final = datetime(2026, 3, 1, 12, 30, 0, 120_000, UTC)
ORDEN: Final[dict[str, Any]] = {
    "id_orden": UUID(ID),
    "id_producto": UUID(int=1),
    "user_id": "ana",
    "time_stamp": HORA,
    "cantidad": 2,
    "direccion_entrega": "Calle 45 # 13-40",
    "estado": "iniciada",
    "id_driver": UUID(int=2),
    "motivo": None,
    "transaction_id": UUID(int=3),
    "instrucciones_entrega": None,
}
PRODUCTO: Final[dict[str, Any]] = {
    "id": UUID(ID),
    "nombre": "Té",
    "stock": 3,
    "fecha_creacion": HORA,
    "fecha_actualizacion": HORA,
}
PASO: Final[dict[str, Any]] = {
    "transaction_id": None,
    "timestamp": HORA,
    "is_compensation": False,
    "evento": "comando-crear-orden",
    "contenido": {"cantidad": 2},
}
PEDIDO: Final = (UUID(int=1), "ana", 2, "Calle 45 # 13-40")


def fila(datos: dict[str, Any]) -> dict[str, Any]:
    """As a database gives it."""
    return {nombre: str(valor) if isinstance(valor, UUID) else valor for nombre, valor in datos.items()}


def en_json(datos: dict[str, Any]) -> bytes:
    return json.dumps(datos, default=lambda v: v.isoformat() if isinstance(v, datetime) else str(v)).encode()


@contextmanager
def servida(app: Any) -> Iterator[str]:
    """The URL of a server of the application."""
    servidor = waitress.server.create_server(app, {}, host="127.0.0.1", port=0, threads=8)
    fin = threading.Event()

    def atender() -> None:
        while not fin.is_set():
            servidor.asyncore.loop(timeout=0.05, map=servidor._map, count=1)

    hilo = threading.Thread(target=atender)
    hilo.start()
    try:
        yield f"http://127.0.0.1:{servidor.effective_port}"
    finally:
        fin.set()
        hilo.join()
        servidor.task_dispatcher.shutdown()
        servidor.asyncore.close_all(servidor._map)


@pytest.fixture
def publicador() -> PublicadorFalso:
    return PublicadorFalso()


@pytest.fixture
def lecturas() -> LecturasFalsas:
    return LecturasFalsas([fila(ORDEN)], [fila(PRODUCTO)], [PASO])


@pytest.fixture
def cliente(publicador: PublicadorFalso, lecturas: LecturasFalsas) -> Iterator[Cliente]:
    with servida(crear_app(publicador, lecturas)) as url:
        yield Cliente(url, plazo=0.3)


def test_what_is_read_has_types(cliente: Cliente) -> None:
    assert cliente.orden(UUID(ID)) == Orden(**ORDEN)
    assert list(cliente.ordenes()) == [Orden(**ORDEN)]
    assert cliente.saga(UUID(ID)) == [Paso(**PASO)]
    assert cliente.producto(UUID(ID)) == Producto(**PRODUCTO)
    assert list(cliente.productos()) == [Producto(**PRODUCTO)]


def test_what_there_is_not_is_none(cliente: Cliente, lecturas: LecturasFalsas) -> None:
    lecturas.pasos.clear()
    assert (cliente.orden(UUID(int=9)), cliente.producto(UUID(int=9)), cliente.saga(UUID(int=9))) == (None, None, [])


def test_an_order_is_accepted_and_done_once_for_each_key(cliente: Cliente, publicador: PublicadorFalso) -> None:
    aceptada = cliente.crear_orden(*PEDIDO, instrucciones_entrega="Timbre 2", clave="a")
    datos = publicador.unico(CrearOrden).data
    assert aceptada == Aceptada(UUID(datos.id_orden), UUID(datos.transaction_id))
    assert (UUID(datos.id_producto), datos.user_id, datos.cantidad, datos.direccion_entrega) == PEDIDO
    assert datos.instrucciones_entrega == "Timbre 2"
    assert cliente.crear_orden(*PEDIDO, instrucciones_entrega="Timbre 2", clave="a") == aceptada
    assert len({cliente.crear_orden(*PEDIDO).id_orden for _ in range(3)} | {aceptada.id_orden}) == 4


def test_who_waits_gets_the_order_if_it_ends_in_time(cliente: Cliente, lecturas: LecturasFalsas) -> None:
    aceptada = cliente.crear_orden(*PEDIDO, clave="a")
    final = ORDEN | {"id_orden": aceptada.id_orden}
    lecturas.las_ordenes.append(fila(final) | {"estado": "creada"})
    assert type(cliente.crear_orden(*PEDIDO, clave="a", segundos=1)) is Aceptada
    lecturas.las_ordenes[-1] = fila(final)
    assert cliente.crear_orden(*PEDIDO, clave="a", segundos=1) == Orden(**final)


@pytest.mark.parametrize(
    ("llamar", "tipo", "campos"),
    [
        (lambda c: c.crear_producto("Té", 3), CrearProducto, {"nombre": "Té", "stock": 3}),
        (lambda c: c.registrar_conductor("Ana"), RegistrarConductor, {"nombre": "Ana"}),
        (lambda c: c.registrar_conductor(), RegistrarConductor, {"nombre": None}),
        (lambda c: c.eliminar_producto(UUID(ID)), EliminarProducto, {"id_producto": ID}),
    ],
)
def test_other_commands(
    cliente: Cliente, publicador: PublicadorFalso, llamar: Callable[[Cliente], Any], tipo: Any, campos: dict[str, Any]
) -> None:
    identidad = llamar(cliente)
    datos = publicador.unico(tipo).data
    assert {nombre: getattr(datos, nombre) for nombre in campos} == campos
    assert identidad in (None, UUID(getattr(datos, tipo.clave)))


def test_filters_are_sent_and_what_is_refused_is_a_problem(cliente: Cliente, lecturas: LecturasFalsas) -> None:
    desde = HORA.astimezone() - timedelta(days=1)
    list(cliente.ordenes(estado="creada", user_id="a & b", id_producto=UUID(ID), desde=desde))
    assert lecturas.pedidos[-1][1:] == (
        {"estado": "creada", "user_id": "a & b", "id_producto": ID, "desde": desde},
        None,
    )
    with pytest.raises(Problema, match="400 cantidad is 0: it must be a whole number from 1 to 10000") as error:
        cliente.crear_orden(UUID(ID), "ana", 0, "X")
    assert (error.value.estado, error.value.documento["campo"]) == (400, "cantidad")


def test_a_list_is_read_page_by_page_and_only_as_far_as_it_is_needed(
    cliente: Cliente, lecturas: LecturasFalsas
) -> None:
    lecturas.los_productos = [fila(PRODUCTO)] * 3
    productos = cliente.productos(limit=2)
    assert lecturas.pedidos == []
    assert next(productos) == next(productos) == Producto(**PRODUCTO)
    assert len(lecturas.pedidos) == 1
    next(productos)
    assert lecturas.pedidos[1] == (3, {}, (HORA, Id(ID)))


def test_threads_share_a_client(cliente: Cliente) -> None:
    with ThreadPoolExecutor(8) as hilos:
        assert set(hilos.map(lambda _: cliente.orden(UUID(ID)), range(80))) == {Orden(**ORDEN)}


def test_what_goes_on_failing_is_raised_with_the_servers_text(cliente: Cliente, publicador: PublicadorFalso) -> None:
    publicador.fallo = SinBroker("the broker is on holiday", enviado=False)
    with pytest.raises(Problema, match="holiday") as error:
        cliente.crear_producto("Té", 3)
    assert error.value.estado == 503


def test_xml_goes_through_the_low_level(cliente: Cliente, publicador: PublicadorFalso) -> None:
    cuerpo = "<p><nombre>Té</nombre><stock>3</stock></p>".encode()
    respuesta = cliente.pedir("POST", "/productos", cuerpo, "application/xml", Accept="text/xml")
    assert (respuesta.estado, respuesta.cabeceras.get_content_type()) == (202, "text/xml")
    assert publicador.unico(CrearProducto).data.nombre == "Té"


def test_one_file_is_all_that_it_needs(tmp_path: Path) -> None:
    shutil.copy(str(modulo.__file__), tmp_path / "copiado.py")
    subprocess.run([sys.executable, "-S", "-E", "-c", "import copiado"], cwd=tmp_path, check=True, timeout=30)


Jugada = Callable[["Guion"], None]
"""How a scripted server answers one request."""


class Guion(BaseHTTPRequestHandler):
    """Answers each request with the next step of the script; without one the test fails."""

    protocol_version = "HTTP/1.1"
    pasos: list[Jugada]
    vistas: list[tuple[str, str, dict[str, str]]]

    def responder(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.vistas.append((self.command, self.path, dict(self.headers)))
        self.pasos.pop(0)(self)

    do_GET = do_POST = do_DELETE = responder

    def log_message(self, *_: object) -> None:
        pass


def con(estado: int, cuerpo: bytes = b"{}", tipo: str = "application/json", **cabeceras: str) -> Jugada:
    def responder(guion: Guion) -> None:
        guion.send_response(estado)
        for nombre, valor in {"Content_Type": tipo, "Content_Length": str(len(cuerpo)), **cabeceras}.items():
            guion.send_header(nombre.replace("_", "-"), valor)
        guion.end_headers()
        guion.wfile.write(cuerpo)

    return responder


def cortar(guion: Guion) -> None:
    guion.close_connection = True


def flujo(*eventos: str) -> Jugada:
    """These events, and then the connection ends."""

    def responder(guion: Guion) -> None:
        con(200, "".join(eventos).encode(), "text/event-stream", Content_Length="10000", Connection="close")(guion)
        guion.close_connection = True

    return responder


ACEPTADA: Final = con(202, en_json({"id_orden": ID, "transaction_id": ID, "nuevo": 1}))
UNA: Final = f"id: 1\nevent: paso\ndata: {en_json(PASO).decode()}\n\n"
OTRA: Final = f": ping\n\nid: 2\nevent: nuevo\ndata: x\n\nid: 3\r\nevent:paso\r\ndata:{en_json(PASO).decode()}\r\n\r\n"
FIN: Final = f"id: 4\nevent: orden\ndata: {en_json(ORDEN).decode()}\n\n"


@contextmanager
def guion(*pasos: Jugada, plazo: float = 5, **opciones: Any) -> Iterator[tuple[Cliente, list[Any]]]:
    """A client of a server that answers so, and what it was asked. All of the script must be used."""
    clase = type("UnGuion", (Guion,), {"pasos": [*pasos], "vistas": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), clase) as servidor:
        hilo = threading.Thread(target=servidor.serve_forever, args=(0.02,))
        hilo.start()
        try:
            un_cliente = Cliente(f"http://127.0.0.1:{servidor.server_port}", plazo=plazo, **opciones)
            yield un_cliente, clase.vistas  # type: ignore[attr-defined]
            assert clase.pasos == []  # type: ignore[attr-defined]
        finally:
            un_cliente._hilo.__dict__.clear()  # its connection; the server waits for them
            servidor.shutdown()
            hilo.join()


@pytest.mark.parametrize("primera", [con(503), con(429, Retry_After="0"), cortar], ids=["503", "429", "cut"])
def test_a_post_is_repeated_under_the_same_key(primera: Jugada) -> None:
    with guion(primera, ACEPTADA) as (cliente, vistas):
        assert cliente.crear_orden(*PEDIDO) == Aceptada(UUID(ID), UUID(ID))
    claves = [cabeceras["Idempotency-Key"] for _, _, cabeceras in vistas]
    assert len(claves) == 2
    assert UUID(claves[0]) == UUID(claves[1])


def test_it_waits_as_long_as_it_is_told() -> None:
    with guion(con(503, Retry_After="1"), con(202)) as (cliente, vistas):
        inicio = time.monotonic()
        cliente.eliminar_producto(UUID(ID))
        assert time.monotonic() - inicio >= 1
    assert [metodo for metodo, _, _ in vistas] == ["DELETE"] * 2


def test_it_does_not_wait_for_what_comes_too_late() -> None:
    with guion(con(503, Retry_After="9"), plazo=2) as (cliente, _), pytest.raises(Problema):
        cliente.saga(UUID(ID))


def test_a_connection_that_the_server_closed_meanwhile_is_replaced_without_delay() -> None:
    with guion(con(404), cortar, con(404)) as (cliente, vistas):
        assert cliente.orden(UUID(ID)) is None
        inicio = time.monotonic()
        assert cliente.orden(UUID(ID)) is None
        assert time.monotonic() - inicio < 0.2
    assert len(vistas) == 3


def test_other_errors_are_raised_at_once_and_a_token_is_sent() -> None:
    with guion(con(401, b"<html>"), token="secreto") as (cliente, vistas), pytest.raises(Problema) as error:
        cliente.orden(UUID(ID))
    assert (error.value.estado, "<html>" in error.value.detalle) == (401, True)
    assert vistas[0][2]["Authorization"] == "Bearer secreto"
    assert "secreto" not in str(error.value)


def test_no_answer_at_all_is_an_error_with_url_and_cause() -> None:
    with guion() as (cliente, _):
        pass
    cliente = Cliente(cliente._url, plazo=0.1)
    with pytest.raises(SinRespuesta, match=rf"GET {cliente._url}/orders/{ID}: .*Connection refused"):
        cliente.orden(UUID(ID))


def test_a_url_that_can_not_be_one_is_refused() -> None:
    with pytest.raises(ValueError, match="url is 'localhost:3000': it must be such as"):
        Cliente("localhost:3000")


def test_events_go_on_where_the_last_stream_ended_until_the_order_comes() -> None:
    with guion(flujo(UNA, OTRA[:-40]), cortar, flujo(), flujo(OTRA, FIN)) as (cliente, vistas):
        assert list(cliente.eventos(UUID(ID))) == [Paso(**PASO), Paso(**PASO), Orden(**ORDEN)]
    assert {ruta for _, ruta, _ in vistas} == {f"/orders/{ID}/events"}
    assert [cabeceras.get("Last-Event-ID") for _, _, cabeceras in vistas] == [None, "2", "2", "2"]
    assert vistas[0][2]["Accept"] == "text/event-stream"


def test_events_come_as_they_happen_and_leave_the_client_free() -> None:
    seguir = threading.Event()

    def poco_a_poco(guion: Guion) -> None:
        flujo(UNA)(guion)
        guion.wfile.flush()
        assert seguir.wait(5)
        guion.wfile.write(FIN.encode())

    with guion(poco_a_poco, con(404)) as (cliente, _):
        eventos = cliente.eventos(UUID(ID))
        assert next(eventos) == Paso(**PASO)
        assert cliente.orden(UUID(ID)) is None
        seguir.set()
        assert list(eventos) == [Orden(**ORDEN)]


def test_events_end_with_204_and_an_unknown_order_is_a_problem() -> None:
    with guion(flujo(UNA), con(204, b""), con(404)) as (cliente, vistas):
        assert list(cliente.eventos(UUID(ID))) == [Paso(**PASO)]
        assert vistas[1][2]["Last-Event-ID"] == "1"
        with pytest.raises(Problema):
            next(cliente.eventos(UUID(ID)))
