"""The WSGI application: its routes, and what happens to every request before and after them."""

from collections.abc import Sequence
from typing import Final

from flask import Flask
from flask_cors import CORS
from werkzeug.routing import UUIDConverter

from bff.access.rate import RateLimit
from bff.access.scopes import PUBLIC_ROUTES
from bff.access.shares import Shares
from bff.access.tokens import Authentication
from bff.backends.read_models import ReadModels
from bff.backends.states import States
from bff.bodies.formats import MAX_BODY
from bff.following.followings import Followings
from bff.panel import routes as panel
from bff.web import problems
from bff.web.about import about
from bff.web.after_request import finish
from bff.web.before_request import admit, begin
from bff.web.changes import changes
from bff.web.commands import commands
from bff.web.queries import queries
from bff.web.services import Publisher, Services
from functions.cluster.admin_rest import Api
from functions.messages.ids import Id, parse
from functions.telemetry.spans import Tracer

SINGLE_FORMAT_ENDPOINTS: Final = (
    *("about.get_openapi", "about.get_docs", "about.get_metrics", "queries.stream_events"),
    *panel.SINGLE_FORMAT_ENDPOINTS,
)
"""Flask's names of the routes that answer in one format, whatever Accept asks for."""
ALLOWED_HEADERS: Final = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "Prefer", "traceparent"),
)
"""Headers that web pages of other origins may send."""
EXPOSED_HEADERS: Final = (
    *("ETag", "Link", "Location", "Content-Location", "Preference-Applied", "Retry-After", "WWW-Authenticate"),
    "X-Request-Id",
)
"""Headers that web pages of other origins may read."""


class _IdConverter(UUIDConverter):
    """Reads ids in paths as ids in bodies are read: to one spelling."""

    def to_python(self, value: str) -> Id:  # type: ignore[override]
        return parse(value)


def create_app(
    publisher: Publisher,
    read_models: ReadModels,
    *,
    max_cantidad: int = 10_000,
    followings: Followings | None = None,
    max_waiting: int = 1000,
    max_waiting_per_user: int | None = None,
    authentication: Authentication | None = None,
    rate_limit: RateLimit | None = None,
    origins: Sequence[str] = (),
    tracer: Tracer | None = None,
    with_panel: bool = True,
    admin: Api | None = None,
) -> Flask:
    """The WSGI application, which server.door.Door makes complete: it waits for answers that come later.

    Parameters:
      publisher: where commands go.
      read_models: where queries are answered from.
      max_cantidad: most units in one order.
      followings: follow what is waited for; None lets nobody tell them of anything, so that they look often.
      max_waiting: requests that may wait for a saga, or follow one, at once.
      max_waiting_per_user: those of one user; None for as many.
      authentication: verifies tokens; None lets everybody do everything.
      rate_limit: limits each client's requests; None does not.
      origins: web origins whose pages may use the API; "*" stands for all.
      tracer: records the span of every command; None records none, and marks new traces as not recorded.
      with_panel: whether to serve the panel.
      admin: the broker's admin API, for the panel's figures; None shows none.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.url_map.converters["uuid"] = _IdConverter
    places, states = Shares(max_waiting, max_waiting_per_user), States(read_models.check)
    followings = followings or Followings(read_models)
    app.extensions["bff"] = Services(publisher, read_models, max_cantidad, places, followings, states, tracer)
    for blueprint in (commands, changes, queries, about):
        app.register_blueprint(blueprint)
    if with_panel:
        app.register_blueprint(panel.create_blueprint(admin))
    flags = "00" if tracer is None else "01"
    public_routes = {*PUBLIC_ROUTES, *panel.FILES}
    app.before_request(lambda: begin(flags, SINGLE_FORMAT_ENDPOINTS))
    app.before_request(lambda: admit(authentication, rate_limit, public_routes))
    app.after_request(finish)
    problems.register(app)
    if origins:
        _allow_origins(app, origins)
    return app


def _allow_origins(app: Flask, origins: Sequence[str]) -> None:
    CORS(
        app,
        origins=list(origins),
        allow_headers=list(ALLOWED_HEADERS),
        expose_headers=list(EXPOSED_HEADERS),
        max_age=600,
    )
