"""Every error becomes an RFC 9457 problem document, in the media type that the client asked for."""

from typing import Any, Final, NoReturn

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException, NotFound

from bff.access.jwks import KeysUnavailable
from bff.access.tokens import Unauthenticated
from bff.backends.broker import BrokerUnavailable
from bff.backends.read_models import DatabaseUnavailable
from bff.bodies import formats
from bff.bodies.fields import InvalidFields
from bff.bodies.formats import MAX_BODY
from bff.following import event_stream
from bff.telemetry.cutting import MAX_TEXT, cut
from functions.messages.ids import Id
from functions.messages.payloads import MAX_INT


class Impossible(Exception):
    """An order is in a state from which it can't come to the one that was asked for.

    Attributes:
      estado: the order's state.
    """

    def __init__(self, id_orden: Id, estado: str, wanted: str) -> None:
        super().__init__(f"order {id_orden} is {estado}: it can't become {wanted}")
        self.estado = estado


class StockRefused(Exception):
    """An adjustment of a product's stock was refused.

    Attributes:
      stock: the stock then.
    """

    def __init__(self, id_producto: Id, cantidad: int, stock: int) -> None:
        is_possible = 0 <= stock + cantidad <= MAX_INT
        reason = "was deleted" if is_possible else f"had {stock}, and must have from 0 to {MAX_INT}"
        super().__init__(f"the stock was not adjusted by {cantidad}: product {id_producto} {reason}")
        self.stock = stock


_DETAILS: Final = {
    404: "there is nothing at {0.path}: ids are UUIDs",
    405: "{0.method} is not allowed at {0.path}: the header Allow names what is",
    413: f"the body has {{0.content_length}} bytes: at most {MAX_BODY} are allowed",
    500: "the server failed, and has logged why: try again, or tell its operator the X-Request-Id of this answer",
}
"""The texts for errors that Flask and Werkzeug raise by themselves, by status. {0} is the request."""


def not_found(what: str, wanted_id: Id) -> NoReturn:
    """Raises 404: there is no such thing, or not yet, or none that the caller may see."""
    raise NotFound(f"there is no {what} {wanted_id}. If it was accepted a moment ago, ask again")


def register(app: Flask) -> None:
    """Lets the application answer its errors with problem documents."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InvalidFields, _invalid_fields)
    app.register_error_handler(BrokerUnavailable, _broker_unavailable)
    app.register_error_handler(DatabaseUnavailable, _database_unavailable)
    app.register_error_handler(Impossible, _impossible)
    app.register_error_handler(StockRefused, _stock_refused)
    app.register_error_handler(Unauthenticated, _unauthenticated)
    app.register_error_handler(KeysUnavailable, _keys_unavailable)


def _problem(status: int, detail: str, headers: dict[str, str] | None = None, **extra: Any) -> Response:
    if (
        status in (429, 503)
        and request.endpoint == "queries.stream_events"
        and event_stream.is_all_that_is_accepted(request)
    ):
        return event_stream.refusal(cut(detail, MAX_TEXT), int((headers or {}).get("Retry-After", 1)))
    body, media_type = formats.problem(status, cut(detail, MAX_TEXT), g.media_type, **extra)
    return Response(body, status, headers, content_type=media_type)


def _http_error(error: HTTPException) -> Response:
    detail = str(error.description)
    # Werkzeug's own texts are meant for people in front of a browser
    if error.description == type(error).description:
        detail = _DETAILS.get(error.code or 500, detail).format(request)
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    return _problem(error.code or 500, detail, headers)


def _invalid_fields(error: InvalidFields) -> Response:
    errors = [{"campo": field, "detail": detail} for field, detail in error.errors.items()]
    extra: dict[str, Any] = {"campo": errors[0]["campo"], "errores": errors}
    return _problem(400, str(error), None, **extra)


def _impossible(error: Impossible) -> Response:
    return _problem(409, str(error), None, estado=error.estado)


def _stock_refused(error: StockRefused) -> Response:
    return _problem(409, str(error), None, stock=error.stock)


def _unauthenticated(error: Unauthenticated) -> Response:
    challenge = "" if error.error is None else f', error="{error.error}", error_description="{error}"'
    return _problem(401, str(error), {"WWW-Authenticate": f'Bearer realm="orders"{challenge}'})


def _keys_unavailable(error: KeysUnavailable) -> Response:
    current_app.logger.warning("%s", error)
    return _problem(503, "tokens can't be verified now: try again", {"Retry-After": "5"})


def _database_unavailable(error: DatabaseUnavailable) -> Response:
    current_app.logger.warning("%s", error)
    return _problem(503, "the database does not answer: try again", {"Retry-After": "1"})


def _broker_unavailable(error: BrokerUnavailable) -> Response:
    """503. If the message may have been stored, the ids are named, so that the client can look for its outcome."""
    if not error.sent:
        return _problem(503, f"{error}. Nothing was done: try again", {"Retry-After": "1"})
    detail = f"{error}. The request may be carried out nevertheless: look for its id before trying again"
    return _problem(503, detail, {"Retry-After": "1"}, **g.ids)
