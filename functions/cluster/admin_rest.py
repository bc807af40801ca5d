"""Reading from the admin REST API of a cluster, over connections that stay open."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Self
from urllib.parse import urljoin, urlsplit

import urllib3

from functions.cluster import client_conf

THREADS: Final = 3
"""Requests at a time, at most, and connections that are kept to each broker. A functions worker asks itself, in another
request, about an instance that another worker has: with eight threads, as by default, more would wait for each other.
"""
TIMEOUT: Final = 5.0
"""Longest wait for one answer, in seconds."""
MAX_REDIRECTS: Final = 5
"""Redirections that are followed, at most: a broker that does not own a topic names the one that does."""
HINTS: Final = {401: "is authParams right?", 403: "the token's role may not look at it"}
"""What to do about an HTTP status that comes without a reason."""


class AdminUnavailable(Exception):
    """The admin API could not be read. The text says which URL was asked, and why it failed; `status` is the HTTP
    status, 0 if there was no answer. `is_transient`: the same request may succeed later, without anybody's doing.
    """

    def __init__(self, text: str, status: int = 0, *, is_transient: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.is_transient = is_transient or status >= 500 or status == 429


class Api:
    """The admin API at one URL, with the authentication and TLS settings of a client.conf. Only reads; threads may
    share it. A request is made once, never retried.
    """

    def __init__(self, url: str, conf: Mapping[str, str], timeout: float = TIMEOUT) -> None:
        """`conf`: a client.conf, as client_conf.py reads it; `timeout` of one answer in seconds. Raises ValueError and
        OSError for settings that can't be used.
        """
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ValueError(f"{url!r} is no admin URL: it must be http://HOST:PORT or https://HOST:PORT")
        self.url = url.rstrip("/")
        self._token = _token(conf)
        timeouts = urllib3.Timeout(connect=min(timeout, 3), read=timeout)
        self._connections = urllib3.PoolManager(
            maxsize=THREADS, block=True, timeout=timeouts, retries=False, **_tls(conf)
        )

    @classmethod
    def from_env(cls, url: str, timeout: float = TIMEOUT) -> Self:
        """The API at `url` with the client.conf that PULSAR_CLIENT_CONF names."""
        return cls(url, client_conf.from_env(), timeout)

    def read(self, path: str) -> Any:
        """The decoded JSON at a path; None if what it names does not exist. Raises AdminUnavailable for
        anything else.
        """
        url, response = self._fetch(path)
        document = _json(response.data)
        if response.status == 200 and document is not None:
            return document
        _require_404(url, response, document)
        return None

    def try_read(self, path: str) -> Any:
        """As `read`, but returns the text of the error instead of raising it, so that one failure hides
        nothing else.
        """
        try:
            return self.read(path)
        except AdminUnavailable as error:
            return str(error)

    def download(self, path: str) -> bytes | None:
        """The bytes at a path; None and errors as in `read`."""
        url, response = self._fetch(path)
        if response.status == 200:
            return response.data
        _require_404(url, response, _json(response.data))
        return None

    def _fetch(self, path: str) -> tuple[str, urllib3.BaseHTTPResponse]:
        """The URL that answered after redirections, and its answer."""
        url = self.url + path
        response = self._request(url)
        for _ in range(MAX_REDIRECTS):
            if response.status not in (301, 302, 307, 308):
                break
            url = _redirect_target(url, response.headers.get("Location", ""))
            response = self._request(url)
        return url, response

    def _request(self, url: str) -> urllib3.BaseHTTPResponse:
        try:
            headers = {"Accept": "application/json"} | self._authorization()
            return self._connections.request("GET", url, headers=headers, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            reason = re.sub(r"^HTTPS?Connection\w*\(.*?\): ", "", str(error))
            # neither a certificate nor a file with a token gets better by itself
            is_transient = not isinstance(error, (urllib3.exceptions.SSLError, OSError))
            raise AdminUnavailable(f"{self.url} does not answer: {reason}", is_transient=is_transient) from error

    def _authorization(self) -> dict[str, str]:
        if not self._token:
            return {}
        return {"Authorization": f"Bearer {self._token() if callable(self._token) else self._token}"}


def _require_404(url: str, response: urllib3.BaseHTTPResponse, document: Any) -> None:
    """Raises AdminUnavailable unless the answer says that there is no such thing."""
    reason = document.get("reason") if isinstance(document, dict) else None
    if response.status == 404 and reason is not None:
        return
    hint = reason or HINTS.get(response.status, "is it the admin API of Pulsar?")
    raise AdminUnavailable(f"{url} answers HTTP {response.status}: {hint}", response.status)


def _redirect_target(url: str, location: str) -> str:
    """Where a redirection leads. Raises AdminUnavailable for one that would send the token unencrypted."""
    target = urljoin(url, location)
    if urlsplit(target).scheme not in ("https", urlsplit(url).scheme):
        raise AdminUnavailable(
            f"{url} sends on to {target}, which is not encrypted: the brokers' TLS addresses are not set up"
        )
    return target


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _token(conf: Mapping[str, str]) -> str | Callable[[], str] | None:
    if not conf.get("authPlugin", "").endswith("Token"):
        return None
    return client_conf.token(conf.get("authParams", ""))


def _tls(conf: Mapping[str, str]) -> dict[str, Any]:
    """The TLS settings for urllib3. As in Java, the server's certificate is verified, its name only if configured."""
    given = client_conf.options(conf)
    certificate, key = given.get("tls_certificate_file_path"), given.get("tls_private_key_file_path")
    if conf.get("authPlugin", "").endswith("Tls"):
        certificate, key = client_conf.certificate(conf.get("authParams", ""))
    if given["tls_allow_insecure_connection"]:  # whoever configures it has been told
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    options = {
        "ca_certs": given.get("tls_trust_certs_file_path"),
        "cert_file": certificate,
        "key_file": key,
        "cert_reqs": "CERT_NONE" if given["tls_allow_insecure_connection"] else "CERT_REQUIRED",
        "assert_hostname": None if given["tls_validate_hostname"] else False,
    }
    return {name: value for name, value in options.items() if value is not None or name == "assert_hostname"}
