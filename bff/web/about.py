"""The routes about the API itself: whether it works, its metrics, and its documentation."""

from functools import cache

from flask import Blueprint, Response, g, render_template

from bff.backends.broker import BrokerUnavailable
from bff.backends.read_models import DatabaseUnavailable
from bff.bodies import formats
from bff.bodies.formats import PREFERRED
from bff.contract import openapi
from bff.telemetry import metrics
from bff.web.services import respond, services

about = Blueprint("about", __name__)


@about.get("/health")
def health() -> Response:
    """200 whenever the process serves requests, whatever the broker and the databases do."""
    return respond({"status": "ok"})


@about.get("/ready")
def ready() -> Response:
    """200 if the broker answers, because then commands are accepted; else 503. Both say which databases can be read:
    no replica could read one that is away, so none is taken out of service for it.
    """
    states = services().states
    states.ask()
    failure: BrokerUnavailable | None = None
    try:
        services().publisher.check()
    except BrokerUnavailable as error:
        failure = error
    read_models = {name: "ok" if answers else "away" for name, answers in states.answers().items()}
    if failure is None:
        return respond({"status": "ok", "read_models": read_models})
    body, media_type = formats.problem(503, f"{failure}: try again", g.media_type, read_models=read_models)
    return Response(body, 503, {"Retry-After": "1"}, content_type=media_type)


@about.get("/metrics")
def get_metrics() -> Response:
    """The metrics for Prometheus, without those of waiting orders, or of drivers, while their database is
    unavailable.
    """
    services().states.ask()
    states = services().states.answers()
    read_models = services().read_models
    waiting: dict[str, tuple[int, float]] = {}
    drivers: dict[str, int] = {}
    if states["ordenes"]:
        try:
            waiting = {"open": read_models.open_ordenes(), "dispatched": read_models.dispatched_ordenes()}
        except DatabaseUnavailable:
            states["ordenes"] = False
    if states["conductores"]:
        try:
            drivers = read_models.count_conductores()
        except DatabaseUnavailable:
            states["conductores"] = False
    return Response(metrics.text(waiting, states, drivers), content_type=metrics.MEDIA_TYPE)


@about.get("/openapi.json")
def get_openapi() -> Response:
    """The API as an OpenAPI document."""
    return Response(_openapi(services().max_cantidad), mimetype=PREFERRED)


@about.get("/docs")
def get_docs() -> Response:
    """The OpenAPI document as a page for people, which runs no scripts and loads nothing from elsewhere."""
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(_docs(services().max_cantidad), headers=headers, mimetype="text/html")


@cache
def _openapi(max_cantidad: int) -> bytes:
    return formats.FORMATS[PREFERRED].write(openapi.document(max_cantidad))


@cache
def _docs(max_cantidad: int) -> bytes:
    return render_template("docs.html", api=openapi.document(max_cantidad)).encode()
