"""The client of the HTTP API: against the application on a real server, and against servers that fail.

Longer than 200 lines: it mirrors one module, and its tests share the servers that fail.
"""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
import waitress.server

from bff import client as module
from bff.app import create_app
from bff.backends.broker import BrokerUnavailable
from bff.client import Accepted, Client, Conductor, Movimiento, NoResponse, Orden, Problem, Producto, Step
from functions.messages.ids import Id
from functions.messages.payloads import (
    ComandoAjustarStock,
    ComandoCrearOrden,
    ComandoCrearProducto,
    ComandoEliminarProducto,
    ComandoRegistrarConductor,
    ComandoRenombrarConductor,
    ComandoRenombrarProducto,
    ComandoRetirarConductor,
)
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ID

TIMESTAMP: Final = datetime(2026, 3, 1, 12, 30, 0, 120_000, UTC)
ORDEN: Final[dict[str, Any]] = {
    "id_orden": UUID(ID),
    "id_producto": UUID(int=1),
    "user_id": "ana",
    "time_stamp": TIMESTAMP,
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
    "fecha_creacion": TIMESTAMP,
    "fecha_actualizacion": TIMESTAMP,
}
CONDUCTOR: Final[dict[str, Any]] = {
    "id_conductor": UUID(ID),
    "nombre": None,
    "estado": "asignado",
    "id_orden": UUID(int=3),
    "desde": TIMESTAMP,
}
STEP: Final[dict[str, Any]] = {
    "transaction_id": None,
    "timestamp": TIMESTAMP,
    "is_compensation": False,
    "evento": "comando-crear-orden",
    "contenido": {"cantidad": 2},
}
NEW_ORDEN: Final = (UUID(int=1), "ana", 2, "Calle 45 # 13-40")


def row(data: dict[str, Any]) -> dict[str, Any]:
    """A row as a read model returns it: ids are texts."""
    return {name: str(value) if isinstance(value, UUID) else value for name, value in data.items()}


def to_json(data: dict[str, Any]) -> bytes:
    return json.dumps(data, default=lambda v: v.isoformat() if isinstance(v, datetime) else str(v)).encode()


@contextmanager
def serving_app(app: Any) -> Iterator[str]:
    """Serves the application, and yields its URL."""
    served = through_door.application(app)
    server = waitress.server.create_server(served, {}, host="127.0.0.1", port=0, threads=8)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            server.asyncore.loop(timeout=0.05, map=server._map, count=1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        stop.set()
        thread.join()
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)


@pytest.fixture
def read_models() -> FakeReadModels:
    return FakeReadModels([row(ORDEN)], [row(PRODUCTO)], [STEP], conductor_rows=[row(CONDUCTOR)])


@pytest.fixture
def client(publisher: FakePublisher, read_models: FakeReadModels) -> Iterator[Client]:
    with serving_app(create_app(publisher, read_models)) as url:
        yield Client(url, timeout=0.3)


def test_what_is_read_has_types(client: Client) -> None:
    assert client.orden(UUID(ID)) == Orden(**ORDEN)
    assert list(client.ordenes()) == [Orden(**ORDEN)]
    assert client.saga(UUID(ID)) == [Step(**STEP)]
    assert client.producto(UUID(ID)) == Producto(**PRODUCTO)
    assert list(client.productos()) == [Producto(**PRODUCTO)]
    assert client.conductor(UUID(ID)) == Conductor(**CONDUCTOR)
    assert list(client.conductores(estado="libre")) == [Conductor(**CONDUCTOR)]
    assert client.conductor(UUID(int=9)) is None


def test_what_there_is_not_is_none(client: Client, read_models: FakeReadModels) -> None:
    read_models.steps.clear()
    assert (client.orden(UUID(int=9)), client.producto(UUID(int=9)), client.saga(UUID(int=9))) == (None, None, [])


def test_an_order_is_moved_on_and_whoever_waits_gets_it_or_the_reason(
    client: Client, publisher: FakePublisher, read_models: FakeReadModels
) -> None:
    id_orden, accepted = UUID(ID), Accepted(UUID(ID), UUID(int=3))
    assert client.cancelar_orden(id_orden, motivo="Ya no") == accepted
    assert client.despachar_orden(id_orden) == accepted
    assert client.entregar_orden(id_orden, recibido_por="Eva") == accepted
    assert client.devolver_orden(id_orden, "Nadie") == accepted
    assert [outgoing.topic.partition("-")[2] for outgoing in publisher.published] == [
        *("cancelar-orden", "despachar-orden", "entregar-orden", "devolver-orden")
    ]
    read_models.orden_rows = [row({**ORDEN, "estado": "entregada", "despachada_en": TIMESTAMP})]
    assert client.entregar_orden(id_orden, wait=5) == Orden(**{**ORDEN, "estado": "entregada"}, despachada_en=TIMESTAMP)
    with pytest.raises(Problem, match="it can't become cancelada") as raised:
        client.cancelar_orden(id_orden, wait=5)
    assert (raised.value.status, raised.value.document["estado"]) == (409, "entregada")


def test_the_stock_is_adjusted_and_whoever_waits_gets_the_movement_or_the_reason(
    client: Client, publisher: FakePublisher, read_models: FakeReadModels
) -> None:
    id_ajuste = client.ajustar_stock(UUID(ID), -2, "Inventario", idempotency_key="a")
    data = publisher.only(ComandoAjustarStock).data
    assert (data.id_ajuste, data.cantidad, data.motivo) == (str(id_ajuste), -2, "Inventario")
    movimiento = Movimiento(
        UUID(ID), 2, TIMESTAMP, "ajuste", None, UUID(data.id_ajuste), -2, 1, "Inventario", rechazado=False
    )
    read_models.movimiento_rows = [row(asdict(movimiento))]
    assert client.ajustar_stock(UUID(ID), -2, "Inventario", idempotency_key="a", wait=1) == movimiento
    assert list(client.movimientos(UUID(ID))) == [movimiento]
    read_models.movimiento_rows[0]["rechazado"] = True
    with pytest.raises(Problem, match="was not adjusted") as raised:
        client.ajustar_stock(UUID(ID), -2, "Inventario", idempotency_key="a", wait=1)
    assert (raised.value.status, raised.value.document["stock"]) == (409, 1)
    with pytest.raises(Problem, match="no product"):
        list(client.movimientos(UUID(int=9)))


def test_an_order_is_accepted_and_done_once_for_each_key(client: Client, publisher: FakePublisher) -> None:
    accepted = client.crear_orden(*NEW_ORDEN, instrucciones_entrega="Timbre 2", idempotency_key="a")
    data = publisher.only(ComandoCrearOrden).data
    assert accepted == Accepted(UUID(data.id_orden), UUID(data.transaction_id))
    assert (UUID(data.id_producto), data.user_id, data.cantidad, data.direccion_entrega) == NEW_ORDEN
    assert data.instrucciones_entrega == "Timbre 2"
    assert client.crear_orden(*NEW_ORDEN, instrucciones_entrega="Timbre 2", idempotency_key="a") == accepted
    assert len({client.crear_orden(*NEW_ORDEN).id_orden for _ in range(3)} | {accepted.id_orden}) == 4


def test_who_waits_gets_the_order_if_it_ends_in_time(client: Client, read_models: FakeReadModels) -> None:
    accepted = client.crear_orden(*NEW_ORDEN, idempotency_key="a")
    final = ORDEN | {"id_orden": accepted.id_orden}
    read_models.orden_rows.append(row(final) | {"estado": "creada"})
    assert type(client.crear_orden(*NEW_ORDEN, idempotency_key="a", wait=1)) is Accepted
    read_models.orden_rows[-1] = row(final)
    assert client.crear_orden(*NEW_ORDEN, idempotency_key="a", wait=1) == Orden(**final)


@pytest.mark.parametrize(
    ("call", "type_", "fields"),
    [
        (lambda c: c.crear_producto("Té", 3), ComandoCrearProducto, {"nombre": "Té", "stock": 3}),
        (lambda c: c.registrar_conductor("Ana"), ComandoRegistrarConductor, {"nombre": "Ana"}),
        (lambda c: c.registrar_conductor(), ComandoRegistrarConductor, {"nombre": None}),
        (lambda c: c.renombrar_producto(UUID(ID), "Café"), ComandoRenombrarProducto, {"nombre": "Café"}),
        (lambda c: c.eliminar_producto(UUID(ID)), ComandoEliminarProducto, {"id_producto": ID}),
        (lambda c: c.renombrar_conductor(UUID(ID), "Eva"), ComandoRenombrarConductor, {"nombre": "Eva"}),
        (lambda c: c.retirar_conductor(UUID(ID)), ComandoRetirarConductor, {"id_conductor": ID}),
    ],
)
def test_other_commands(
    client: Client, publisher: FakePublisher, call: Callable[[Client], Any], type_: Any, fields: dict[str, Any]
) -> None:
    created_id = call(client)
    data = publisher.only(type_).data
    assert {name: getattr(data, name) for name in fields} == fields
    assert created_id in (None, UUID(getattr(data, type_.key)))


def test_filters_are_sent_and_what_is_refused_is_a_problem(client: Client, read_models: FakeReadModels) -> None:
    desde = TIMESTAMP.astimezone() - timedelta(days=1)
    list(client.ordenes(estado="creada", user_id="a & b", id_producto=UUID(ID), desde=desde))
    assert read_models.requests[-1][1:] == (
        {"estado": "creada", "user_id": "a & b", "id_producto": ID, "desde": desde},
        None,
    )
    with pytest.raises(Problem, match="400 cantidad is 0: it must be a whole number from 1 to 10000") as error:
        client.crear_orden(UUID(ID), "ana", 0, "X")
    assert (error.value.status, error.value.document["campo"]) == (400, "cantidad")


def test_a_list_is_read_page_by_page_and_only_as_far_as_it_is_needed(
    client: Client, read_models: FakeReadModels
) -> None:
    read_models.producto_rows = [row(PRODUCTO)] * 3
    productos = client.productos(limit=2)
    assert read_models.requests == []
    assert next(productos) == next(productos) == Producto(**PRODUCTO)
    assert len(read_models.requests) == 1
    next(productos)
    assert read_models.requests[1] == (3, {}, (TIMESTAMP, Id(ID)))


def test_threads_share_a_client(client: Client) -> None:
    with ThreadPoolExecutor(8) as executor:
        assert set(executor.map(lambda _: client.orden(UUID(ID)), range(80))) == {Orden(**ORDEN)}


def test_what_goes_on_failing_is_raised_with_the_servers_text(client: Client, publisher: FakePublisher) -> None:
    publisher.failure = BrokerUnavailable("the broker is on holiday", sent=False)
    with pytest.raises(Problem, match="holiday") as error:
        client.crear_producto("Té", 3)
    assert error.value.status == 503


def test_xml_goes_through_the_low_level(client: Client, publisher: FakePublisher) -> None:
    body = "<p><nombre>Té</nombre><stock>3</stock></p>".encode()
    response = client.request("POST", "/productos", body, "application/xml", Accept="text/xml")
    assert (response.status, response.headers.get_content_type()) == (202, "text/xml")
    assert publisher.only(ComandoCrearProducto).data.nombre == "Té"


def test_one_file_is_all_that_it_needs(tmp_path: Path) -> None:
    shutil.copy(str(module.__file__), tmp_path / "copiado.py")
    subprocess.run([sys.executable, "-S", "-E", "-c", "import copiado"], cwd=tmp_path, check=True, timeout=30)


Reply = Callable[["Script"], None]
"""How a scripted server answers one request."""


class Script(BaseHTTPRequestHandler):
    """Answers each request with the next step of the script; without one the test fails."""

    protocol_version = "HTTP/1.1"
    steps: list[Reply]
    seen: list[tuple[str, str, dict[str, str]]]

    def respond(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.command, self.path, dict(self.headers)))
        self.steps.pop(0)(self)

    do_GET = do_POST = do_DELETE = respond

    def log_message(self, *_: object) -> None:
        pass


def answering(status: int, body: bytes = b"{}", type_: str = "application/json", **headers: str) -> Reply:
    def respond(script: Script) -> None:
        script.send_response(status)
        for name, value in {"Content_Type": type_, "Content_Length": str(len(body)), **headers}.items():
            script.send_header(name.replace("_", "-"), value)
        script.end_headers()
        script.wfile.write(body)

    return respond


def cut(script: Script) -> None:
    script.close_connection = True


def stream(*events: str) -> Reply:
    """A reply with these events, after which the connection ends."""

    def respond(script: Script) -> None:
        answering(200, "".join(events).encode(), "text/event-stream", Content_Length="10000", Connection="close")(
            script
        )
        script.close_connection = True

    return respond


ACCEPTED: Final = answering(202, to_json({"id_orden": ID, "transaction_id": ID, "nuevo": 1}))
ONE_EVENT: Final = f"id: 1\nevent: paso\ndata: {to_json(STEP).decode()}\n\n"
MORE_EVENTS: Final = (
    f": ping\n\nid: 2\nevent: nuevo\ndata: x\n\nid: 3\r\nevent:paso\r\ndata:{to_json(STEP).decode()}\r\n\r\n"
)
END: Final = f"id: 4\nevent: orden\ndata: {to_json(ORDEN).decode()}\n\n"


@contextmanager
def script(*steps: Reply, timeout: float = 5, **options: Any) -> Iterator[tuple[Client, list[Any]]]:
    """A client of a server that follows the script, and the requests that the server got. All steps must be used."""
    cls = type("OneScript", (Script,), {"steps": [*steps], "seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), cls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            new_client = Client(f"http://127.0.0.1:{server.server_port}", timeout=timeout, **options)
            yield new_client, cls.seen  # type: ignore[attr-defined]
            assert cls.steps == []  # type: ignore[attr-defined]
        finally:
            new_client._thread.__dict__.clear()  # closes its connection: the server waits for open ones
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("first", [answering(503), answering(429, Retry_After="0"), cut], ids=["503", "429", "cut"])
def test_a_post_is_repeated_under_the_same_key(first: Reply) -> None:
    with script(first, ACCEPTED) as (client, seen):
        assert client.crear_orden(*NEW_ORDEN) == Accepted(UUID(ID), UUID(ID))
    keys = [headers["Idempotency-Key"] for _, _, headers in seen]
    assert len(keys) == 2
    assert UUID(keys[0]) == UUID(keys[1])


def test_it_waits_as_long_as_it_is_told() -> None:
    with script(answering(503, Retry_After="1"), answering(202)) as (client, seen):
        started = time.monotonic()
        client.eliminar_producto(UUID(ID))
        assert time.monotonic() - started >= 1
    assert [method for method, _, _ in seen] == ["DELETE"] * 2


def test_it_does_not_wait_for_what_comes_too_late() -> None:
    with script(answering(503, Retry_After="9"), timeout=2) as (client, _), pytest.raises(Problem):
        client.saga(UUID(ID))


def test_a_connection_that_the_server_closed_meanwhile_is_replaced_without_delay() -> None:
    with script(answering(404), cut, answering(404)) as (client, seen):
        assert client.orden(UUID(ID)) is None
        started = time.monotonic()
        assert client.orden(UUID(ID)) is None
        assert time.monotonic() - started < 0.2
    assert len(seen) == 3


def test_other_errors_are_raised_at_once_and_a_token_is_sent() -> None:
    with script(answering(401, b"<html>"), token="secreto") as (client, seen), pytest.raises(Problem) as error:
        client.orden(UUID(ID))
    assert (error.value.status, "<html>" in error.value.detail) == (401, True)
    assert seen[0][2]["Authorization"] == "Bearer secreto"
    assert "secreto" not in str(error.value)


def test_no_answer_at_all_is_an_error_with_url_and_cause() -> None:
    with script() as (client, _):
        pass
    client = Client(client._url, timeout=0.1)
    with pytest.raises(NoResponse, match=rf"GET {client._url}/orders/{ID}: .*Connection refused"):
        client.orden(UUID(ID))


def test_a_url_that_can_not_be_one_is_refused() -> None:
    with pytest.raises(ValueError, match="url is 'localhost:3000': it must be such as"):
        Client("localhost:3000")


def test_events_go_on_where_the_last_stream_ended_until_the_order_comes() -> None:
    with script(stream(ONE_EVENT, MORE_EVENTS[:-40]), cut, stream(), stream(MORE_EVENTS, END)) as (client, seen):
        assert list(client.events(UUID(ID))) == [Step(**STEP), Step(**STEP), Orden(**ORDEN)]
    assert {path for _, path, _ in seen} == {f"/orders/{ID}/events"}
    assert [headers.get("Last-Event-ID") for _, _, headers in seen] == [None, "2", "2", "2"]
    assert seen[0][2]["Accept"] == "text/event-stream, application/json"


def test_a_stream_is_taken_up_again_when_the_server_says() -> None:
    with script(stream("retry: 300\n\n"), stream(END)) as (client, _):
        before = time.monotonic()
        assert list(client.events(UUID(ID))) == [Orden(**ORDEN)]
        assert time.monotonic() - before >= 0.3


def test_events_come_as_they_happen_and_leave_the_client_free() -> None:
    proceed = threading.Event()

    def trickle(script: Script) -> None:
        stream(ONE_EVENT)(script)
        script.wfile.flush()
        assert proceed.wait(5)
        script.wfile.write(END.encode())

    with script(trickle, answering(404)) as (client, _):
        events = client.events(UUID(ID))
        assert next(events) == Step(**STEP)
        assert client.orden(UUID(ID)) is None
        proceed.set()
        assert list(events) == [Orden(**ORDEN)]


def test_events_end_with_204_and_an_unknown_order_is_a_problem() -> None:
    with script(stream(ONE_EVENT), answering(204, b""), answering(404)) as (client, seen):
        assert list(client.events(UUID(ID))) == [Step(**STEP)]
        assert seen[1][2]["Last-Event-ID"] == "1"
        with pytest.raises(Problem):
            next(client.events(UUID(ID)))
