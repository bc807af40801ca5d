"""The routes about the API itself: whether it works, its metrics, and its documentation."""

from flask import Blueprint, Response, render_template

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
    """200 if the broker and the databases answer; else 503, as for any other request."""
    services().read_models.check()
    services().publisher.check()
    return respond({"status": "ok"})


@about.get("/metrics")
def get_metrics() -> Response:
    """The metrics for Prometheus, without those of open orders while their database is unavailable."""
    try:
        open_ordenes = services().read_models.open_ordenes()
    except DatabaseUnavailable:
        open_ordenes = None
    return Response(metrics.text(open_ordenes), content_type=metrics.MEDIA_TYPE)


@about.get("/openapi.json")
def get_openapi() -> Response:
    """The API as an OpenAPI document."""
    return formats.response(openapi.document(services().max_cantidad), PREFERRED)


@about.get("/docs")
def get_docs() -> Response:
    """The OpenAPI document as a page for people, which runs no scripts and loads nothing from elsewhere."""
    page = render_template("docs.html", api=openapi.document(services().max_cantidad))
    return Response(page, headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})
