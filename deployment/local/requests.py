"""Requests to the services of a platform, to see how they are."""

from __future__ import annotations

import ssl
import urllib.request
from http.client import HTTPException


def http(
    url: str,
    timeout: float = 3.0,
    body: bytes | None = None,
    token: str | None = None,
    context: ssl.SSLContext | None = None,
) -> bytes | None:
    """GET, or PUT where there is a body; None unless the answer is a success. `token`: who asks; `context`: of TLS."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, body, headers, method="PUT" if body else "GET")
    # No proxy of the environment stands between this machine and itself.
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if context:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as answer:
            found: bytes = answer.read()
            return found
    except (OSError, HTTPException):
        return None
