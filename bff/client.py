"""A client of the HTTP API.

Longer than 200 lines: it is one file and needs the standard library only, so that other projects can copy it as it is.
"""

import json
import re
import ssl
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, fields
from datetime import datetime
from email.message import Message
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from math import inf
from random import uniform
from typing import Any, Final, TypeVar, get_args
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

_PARSERS: Final[dict[Any, Any]] = {UUID: UUID, datetime: datetime.fromisoformat}
_NEXT: Final = re.compile(r'<[^>?]*\?([^>]*)>\s*;\s*rel="?next\b')


class NoResponse(Exception):
    """No answer came in time, so it is unknown what the request did. To repeat it under the same key is safe."""


class Problem(Exception):
    """The API answered with an error.

    Attributes:
      status: the HTTP status.
      document: the problem document (RFC 9457).
      detail: its text for people.
    """

    def __init__(self, request: str, status: int, document: dict[str, Any]) -> None:
        super().__init__(request, status, document)
        self.status = status
        self.document = document
        self.detail = str(document.get("detail", ""))

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.status} {self.detail}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The ids of an order that was accepted."""

    id_orden: UUID
    transaction_id: UUID


@dataclass(frozen=True, slots=True)
class Orden(Accepted):
    """An order. `estado` is "creada" until its saga ends, then "iniciada" or "fallida". What is iniciada becomes
    "despachada", and then "entregada" or "devuelta"; until it is dispatched it can be "cancelada". `motivo` says why it
    is fallida, devuelta or cancelada; the times, when it came into these states, `finalizada_en` into its last one.
    """

    id_producto: UUID
    user_id: str
    time_stamp: datetime
    cantidad: int
    direccion_entrega: str
    estado: str
    id_driver: UUID | None = None
    motivo: str | None = None
    instrucciones_entrega: str | None = None
    creada_en: datetime | None = None
    iniciada_en: datetime | None = None
    despachada_en: datetime | None = None
    finalizada_en: datetime | None = None
    recibido_por: str | None = None


@dataclass(frozen=True, slots=True)
class Producto:
    """A product."""

    id: UUID
    nombre: str
    stock: int
    fecha_creacion: datetime
    fecha_actualizacion: datetime


@dataclass(frozen=True, slots=True)
class Movimiento:
    """A change of a product's stock by `cantidad`, which led to its `version` and left `stock`. `causa`: "creacion",
    "reserva" or "reversion" of the order `id_orden`, "ajuste" by hand; `motivo` says why. What was `rechazado` left the
    stock as it was.
    """

    id_producto: UUID
    version: int
    fecha: datetime
    causa: str
    id_orden: UUID | None
    id_ajuste: UUID | None
    cantidad: int
    stock: int
    motivo: str | None
    rechazado: bool


@dataclass(frozen=True, slots=True)
class Conductor:
    """A driver. `estado` is "libre", "asignado" or "retirado", `desde` when; `id_orden` is the order at hand, which one
    who is retirado may still have.
    """

    id_conductor: UUID
    nombre: str | None
    estado: str
    id_orden: UUID | None
    desde: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an order's saga: the message `evento`, a topic's name, with its payload `contenido`."""

    transaction_id: UUID | None
    timestamp: datetime
    is_compensation: bool
    evento: str
    contenido: dict[str, Any]
    id_mensaje: UUID | None = None


T = TypeVar("T", Accepted, Orden, Producto, Movimiento, Conductor, Step)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as it came.

    Attributes:
      request: the request's method and URL, for error messages.
      status: the HTTP status.
      lines: the lines of an event stream as they come, instead of `body`; None for any other answer.
    """

    request: str
    status: int
    headers: Message
    body: bytes = b""
    lines: Generator[bytes, None, None] | None = None

    def json(self) -> Any:
        """The body as JSON; raises Problem if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise self.problem() from None

    def problem(self) -> Problem:
        """The error that the body describes."""
        with suppress(ValueError):
            document = json.loads(self.body)
            if isinstance(document, dict):
                return Problem(self.request, self.status, document)
        return Problem(self.request, self.status, {"detail": f"this is not from the API: {self.body[:200]!r}"})


class Client:
    """Sends requests, from any number of threads; each thread keeps one connection.

    A request is repeated while it gets no answer, or 429 or 503. A POST or PATCH is repeated under the same
    Idempotency-Key (the caller's `idempotency_key` or a random one), so that it has its effect once. Errors are raised
    as Problem or NoResponse.

    "Accepted" says that the broker has stored a command, not that it was carried out; what is read may lag behind.

    Parameters:
      url: the API's base URL; ValueError if it is none.
      token: a bearer token.
      tls: for https another context than ssl.create_default_context(), such as one with `cafile`, which trusts an
        authority that the operating system does not know.
      timeout: seconds for which a request is repeated. The last attempt is given at least 12 seconds, because the
        server may wait for the end of an order for 10.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:3000",
        *,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
        timeout: float = 15,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url is {url!r}: it must be such as http://127.0.0.1:3000 or https://example.org")
        connection_type = partial(HTTPSConnection, context=tls) if parts.scheme == "https" else HTTPConnection
        self._connect = partial(connection_type, parts.hostname, parts.port, timeout=max(12, timeout))
        self._url = url.rstrip("/")
        self._base_path = parts.path.rstrip("/")
        self._timeout = timeout
        self._default_headers = {"Accept": "application/json"}
        if token:
            self._default_headers["Authorization"] = f"Bearer {token}"
        self._thread = threading.local()

    def crear_orden(
        self,
        id_producto: UUID,
        user_id: str,
        cantidad: int,
        direccion_entrega: str,
        *,
        instrucciones_entrega: str | None = None,
        idempotency_key: str | None = None,
        wait: int = 0,
    ) -> Accepted:
        """Places an order. Returns the Orden itself if it ends within `wait` seconds, at most 10."""
        fields = {"id_producto": id_producto, "user_id": user_id, "cantidad": cantidad}
        fields |= {"direccion_entrega": direccion_entrega, "instrucciones_entrega": instrucciones_entrega}
        response = self._send_command("/orders", fields, idempotency_key, wait)
        return _parse(Orden if response.status == 200 else Accepted, response.json())

    def cancelar_orden(
        self, id_orden: UUID, *, motivo: str | None = None, idempotency_key: str | None = None, wait: int = 0
    ) -> Accepted:
        """Cancels an order that was not dispatched. Returns the Orden itself if that is done within `wait` seconds, at
        most 10; if it turns out within them that it can't be done, Problem 409 says why. So do the next three.
        """
        return self._change(id_orden, "cancelacion", {"motivo": motivo}, idempotency_key, wait)

    def despachar_orden(self, id_orden: UUID, *, idempotency_key: str | None = None, wait: int = 0) -> Accepted:
        """Says that the driver has set off with the order."""
        return self._change(id_orden, "despacho", {}, idempotency_key, wait)

    def entregar_orden(
        self, id_orden: UUID, *, recibido_por: str | None = None, idempotency_key: str | None = None, wait: int = 0
    ) -> Accepted:
        """Says that the customer has got the order."""
        return self._change(id_orden, "entrega", {"recibido_por": recibido_por}, idempotency_key, wait)

    def devolver_orden(
        self, id_orden: UUID, motivo: str, *, idempotency_key: str | None = None, wait: int = 0
    ) -> Accepted:
        """Says that the order could not be delivered and is back."""
        return self._change(id_orden, "devolucion", {"motivo": motivo}, idempotency_key, wait)

    def orden(self, id_orden: UUID) -> Orden | None:
        """The order; None if there is none yet."""
        found = self._fetch(f"/orders/{id_orden}")
        return _parse(Orden, found) if found else None

    def ordenes(self, **filters: str | int | UUID | datetime) -> Iterator[Orden]:
        """The orders, newest first, read page by page as needed.

        Filters: estado, user_id, id_producto, desde, hasta (desde ≤ time_stamp < hasta). limit: rows of a page.
        """
        return (_parse(Orden, row) for page in self._pages("/orders", filters) for row in page)

    def saga(self, id_orden: UUID) -> list[Step]:
        """The steps of the order's saga so far; empty if there is none yet."""
        return [_parse(Step, step) for step in self._fetch(f"/orders/{id_orden}/saga") or []]

    def events(self, id_orden: UUID, wait: float = inf, *, until_final: bool = False) -> Iterator[Step | Orden]:
        """The order's steps as they happen, and at last the order: when its saga has ended, or, `until_final`, when it
        is in its last state.

        Ends without the order if that takes longer than about `wait` seconds: the time is checked whenever the server
        ends a stream, which it does after 10 seconds.
        """
        last_id = ""
        pause = 0.1
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            path = f"/orders/{id_orden}/events{'?hasta=fin' if until_final else ''}"
            # application/json for errors: who accepts only event streams gets an empty one instead of 503
            accept = "text/event-stream, application/json"
            lines = self.request("GET", path, Accept=accept, Last_Event_ID=last_id).lines
            if lines is None:
                return
            with closing(lines):
                for event in _events(lines):
                    last_id = event.get("id", last_id)
                    if event.get("retry", "").isdecimal():
                        pause = int(event["retry"]) / 1000
                    if event.get("event") == "paso":
                        yield _parse(Step, json.loads(event["data"]))
                    elif event.get("event") == "orden":
                        yield _parse(Orden, json.loads(event["data"]))
                        return
            time.sleep(pause)

    def crear_producto(self, nombre: str, stock: int, *, idempotency_key: str | None = None, wait: int = 0) -> UUID:
        """Creates a product and returns its id. Waits up to `wait` seconds, at most 10, until it can be read: an order
        that is placed before may fail as `producto desconocido`.
        """
        fields = {"nombre": nombre, "stock": stock}
        return UUID(self._send_command("/productos", fields, idempotency_key, wait).json()["id"])

    def productos(self, **filters: int) -> Iterator[Producto]:
        """The products, oldest first, read page by page as needed. Filter: limit, the rows of a page."""
        return (_parse(Producto, p) for page in self._pages("/productos", filters) for p in page["resultado"])

    def producto(self, id_producto: UUID) -> Producto | None:
        """The product; None if there is none, or none yet."""
        found = self._fetch(f"/productos/{id_producto}")
        return _parse(Producto, found["resultado"]) if found else None

    def ajustar_stock(
        self, id_producto: UUID, cantidad: int, motivo: str, *, idempotency_key: str | None = None, wait: int = 0
    ) -> UUID | Movimiento:
        """Adds units to a product's stock, or, below 0, takes some away. Returns the Movimiento if it can be read
        within `wait` seconds, at most 10, else the adjustment's id; if it was refused by then, Problem 409 says the
        stock.
        """
        fields = {"cantidad": cantidad, "motivo": motivo}
        response = self._send_command(f"/productos/{id_producto}/stock", fields, idempotency_key, wait)
        answer = response.json()
        return _parse(Movimiento, answer["resultado"]) if response.status == 200 else UUID(answer["id_ajuste"])

    def movimientos(self, id_producto: UUID, **filters: int) -> Iterator[Movimiento]:
        """The changes of a product's stock, newest first, read page by page as needed. Filter: limit, the rows of a
        page. Problem 404 if there never was such a product.
        """
        pages = self._pages(f"/productos/{id_producto}/movimientos", filters)
        return (_parse(Movimiento, row) for page in pages for row in page["resultado"])

    def renombrar_producto(
        self, id_producto: UUID, nombre: str, *, idempotency_key: str | None = None, wait: int = 0
    ) -> None:
        """Gives a product another name. Waits up to `wait` seconds, at most 10, until it can be read."""
        path = f"/productos/{id_producto}"
        self._send_command(path, {"nombre": nombre}, idempotency_key, wait, method="PATCH")

    def eliminar_producto(self, id_producto: UUID) -> None:
        """Deletes a product: orders of it fail from then on."""
        self.request("DELETE", f"/productos/{id_producto}")

    def registrar_conductor(
        self, nombre: str | None = None, *, idempotency_key: str | None = None, wait: int = 0
    ) -> UUID:
        """Registers a driver and returns the id. Waits up to `wait` seconds, at most 10, until it can be read."""
        response = self._send_command("/conductores", {"nombre": nombre}, idempotency_key, wait)
        return UUID(response.json()["id_conductor"])

    def conductores(self, **filters: str | int) -> Iterator[Conductor]:
        """The drivers, those first who have been longest in their state, read page by page as needed.

        Filters: estado. limit: rows of a page.
        """
        return (_parse(Conductor, row) for page in self._pages("/conductores", filters) for row in page)

    def conductor(self, id_conductor: UUID) -> Conductor | None:
        """The driver; None if there is none, or none yet."""
        found = self._fetch(f"/conductores/{id_conductor}")
        return _parse(Conductor, found) if found else None

    def renombrar_conductor(
        self, id_conductor: UUID, nombre: str, *, idempotency_key: str | None = None, wait: int = 0
    ) -> None:
        """Gives a driver another name. Waits up to `wait` seconds, at most 10, until it can be read."""
        self._send_command(f"/conductores/{id_conductor}", {"nombre": nombre}, idempotency_key, wait, "PATCH")

    def retirar_conductor(self, id_conductor: UUID) -> None:
        """Retires a driver, who gets no more orders; the one at hand goes on."""
        self.request("DELETE", f"/conductores/{id_conductor}")

    def request(
        self, method: str, path: str, body: bytes | None = None, type_: str = "", **headers: str | None
    ) -> Response:
        """Any request, repeated as the class says. `type_`: the body's media type.

        Headers are written with underscores: Last_Event_ID="7" is the header Last-Event-ID. Empty ones are not sent.
        """
        request_headers = dict(self._default_headers)
        if method in ("POST", "PATCH"):
            request_headers["Idempotency-Key"] = str(uuid4())
        for name, value in ({"Content_Type": type_} | headers).items():
            if value:
                request_headers[name.replace("_", "-")] = value
        deadline = time.monotonic() + self._timeout
        pause = 0.0
        while True:
            failure: Exception
            try:
                response = self._attempt(method, path, body, request_headers)
                if response.status < 300:
                    return response
                failure = response.problem()
                if response.status not in (429, 503):
                    raise failure
                retry_after = response.headers.get("Retry-After", "")
                pause = max(pause, int(retry_after) if retry_after.isdecimal() else 0)
            except (OSError, HTTPException) as error:
                failure = NoResponse(f"{method} {self._url}{path}: no answer within {self._timeout:g} s: {error!r}")
            if time.monotonic() + pause > deadline:
                raise failure
            time.sleep(pause * uniform(1, 1.2))  # so that clients don't all come back at once
            pause = min(1.0, 2 * pause + 0.05)

    def _attempt(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Response:
        """Sends a request once.

        An event stream keeps its connection for itself, so that its reader can send other requests meanwhile.
        """
        connection: HTTPConnection = self._thread.__dict__.pop("connection", None) or self._connect()
        try:
            connection.request(method, self._base_path + path, body, headers)
            raw = connection.getresponse()
            is_stream = raw.headers.get_content_type() == "text/event-stream"
            content = b"" if is_stream else raw.read()
        except BaseException:
            connection.close()
            raise
        lines = None
        if is_stream:
            lines = _lines(connection, raw)
        else:
            self._thread.connection = connection
        return Response(f"{method} {self._url}{path}", raw.status, raw.headers, content, lines)

    def _send_command(
        self, path: str, fields: dict[str, Any], idempotency_key: str | None, wait: int = 0, method: str = "POST"
    ) -> Response:
        body = json.dumps(fields, default=str).encode()
        prefer = f"wait={wait}" if wait else None
        return self.request(method, path, body, "application/json", Idempotency_Key=idempotency_key, Prefer=prefer)

    def _change(
        self, id_orden: UUID, change: str, fields: dict[str, Any], idempotency_key: str | None, wait: int
    ) -> Accepted:
        response = self._send_command(f"/orders/{id_orden}/{change}", fields, idempotency_key, wait)
        return _parse(Orden if response.status == 200 else Accepted, response.json())

    def _fetch(self, path: str) -> Any:
        """The answer's JSON; None if it is 404."""
        try:
            return self.request("GET", path).json()
        except Problem as problem:
            if problem.status == 404:
                return None
            raise

    def _pages(self, path: str, filters: Mapping[str, Any]) -> Iterator[Any]:
        """The JSON of one page after the other, as the header Link leads on."""
        params = {name: v.isoformat() if isinstance(v, datetime) else v for name, v in filters.items()}
        query: str | None = urlencode(params)
        while query is not None:
            response = self.request("GET", f"{path}?{query}")
            yield response.json()
            next_page = _NEXT.search(response.headers.get("Link", ""))
            query = next_page[1] if next_page else None


def _parse(type_: type[T], members: Mapping[str, Any]) -> T:
    """An object of this class. Members that the class does not know are ignored: later versions may add some."""
    values = {}
    for field in fields(type_):
        if field.name in members:
            value = members[field.name]
            field_type = (get_args(field.type) or (field.type,))[0]  # UUID, if it is UUID | None
            parser = _PARSERS.get(field_type)
            values[field.name] = parser(value) if parser and value is not None else value
    return type_(**values)


def _lines(connection: HTTPConnection, raw: HTTPResponse) -> Generator[bytes, None, None]:
    """The lines of a stream until it ends or breaks off; the connection is closed then."""
    with closing(connection), closing(raw), suppress(OSError, HTTPException):
        yield from raw


def _events(lines: Iterable[bytes]) -> Iterator[dict[str, str]]:
    """The fields of each Server-Sent Event, and of each block with `retry`, the ms until the next connection. One
    without an id gets the last id. This API writes `data` in one line.
    """
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode(errors="replace").rstrip("\r\n").partition(":")
        if line.strip():
            fields[name] = value.removeprefix(" ")
        elif fields.keys() & {"data", "retry"}:
            yield fields
            fields = {"id": fields["id"]} if "id" in fields else {}
