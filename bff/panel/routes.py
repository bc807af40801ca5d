"""The panel: a page that shows the topology with its figures, orders as they proceed, and those that failed."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, request

from bff.bodies import formats
from bff.bodies.formats import PREFERRED
from bff.panel.figures import Figures
from functions.cluster.admin_rest import Api

_STATIC: Final = Path(__file__).parents[1] / "static"
_MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
FILES: Final = {"/panel": _STATIC / "panel.html"} | {
    f"/panel/{path.name}": path
    for path in sorted(_STATIC.iterdir())
    if path.suffix in _MEDIA_TYPES and path.suffix != ".html"
}
"""The page and the files that it loads, by path. They are public: they hold nothing that a token would protect."""
SINGLE_FORMAT_ENDPOINTS: Final = ("panel.get_file", "panel.get_topics")
"""Flask's names of the routes that answer in one format, whatever Accept asks for."""
_CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'"),
        *("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
    )
)


def create_blueprint(admin: Api | None) -> Blueprint:
    """The routes. `admin`: the broker's admin API; None shows the topology without figures."""
    panel = Blueprint("panel", __name__)
    figures = Figures(admin, _topics())
    for path in FILES:
        panel.add_url_rule(path, "get_file", get_file)
    panel.add_url_rule("/panel/topics", "get_topics", lambda: formats.response(figures.view(), PREFERRED))
    return panel


def get_file() -> Response:
    """The page, or one of its files, whichever the request's path names."""
    file = FILES[str(request.url_rule)]
    response = Response(_read(file), mimetype=_MEDIA_TYPES[file.suffix])
    if file.suffix == ".html":
        response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    return response


@cache
def _read(file: Path) -> bytes:
    return file.read_bytes()


def _topics() -> list[str]:
    """The topics that functions consume, and their dead-letter topics."""
    topology: Any = json.loads(_read(_STATIC / "topology.json"))
    functions = topology["functions"]
    consumed = {topic for function in functions for topic in function["receives"]}
    return [*sorted(consumed), *(function["dead_letters"] for function in functions)]
