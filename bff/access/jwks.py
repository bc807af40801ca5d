"""The public keys of an identity provider (JWKS, RFC 7517), fetched when needed and kept."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

import jwt

from bff.refreshed_cache import RefreshedCache

MAX_JWKS: Final = 100 * 1024
"""Largest answer of the identity provider that is read, in bytes."""
TIMEOUT: Final = 2.0
"""Seconds that a request waits for keys, counted from the beginning of the fetch."""
PAUSE: Final = 10.0
"""Least number of seconds between two fetches of the keys: anyone can send tokens that name unknown keys."""
FRESH_FOR: Final = 300.0
"""Seconds after which keys are fetched again."""
USABLE_FOR: Final = 3600.0
"""Seconds for which old keys are used if they can't be fetched again."""
_ALGORITHMS: Final = {"RSA": "RS256", "EC": "ES256"}
_URL: Final = re.compile(r"(https://[^/?#@\s]+|http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?)(/\S*)?", re.ASCII)
_log = logging.getLogger(__name__)


class KeysUnavailable(Exception):
    """The identity provider's keys can't be fetched, so nobody can say whether a token is valid."""


class Jwks:
    """The identity provider's keys, for any number of threads.

    A lookup starts a fetch if the key is not known or the keys are older than FRESH_FOR, at most one fetch every PAUSE
    seconds. Known keys stay in use while a fetch is under way, and until they are USABLE_FOR old if it fails: for that
    long a key that the provider has removed may be accepted.

    Parameters:
      url: where the provider publishes its keys: https, or http on a loopback address; otherwise ValueError.
      clock: seconds that never go back.
    """

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        if not _URL.fullmatch(url):
            raise ValueError(f"the keys' URL is {url!r}: it must be https://HOST/..., or http:// on a loopback address")
        self._url = url
        self._clock = clock
        self._keys = RefreshedCache(self._fetch, name="jwks", pause=PAUSE, clock=clock)

    def find(self, kid: str | None, alg: Any) -> jwt.PyJWK:
        """The key for an algorithm: the one with the id `kid`, or without a `kid` the provider's only one.

        Waits up to TIMEOUT seconds if the keys have to be fetched. Raises KeysUnavailable if they can't be,
        jwt.InvalidKeyError if the provider has no such key, jwt.InvalidAlgorithmError for any other algorithm.
        """
        if alg not in _ALGORITHMS.values():
            raise jwt.InvalidAlgorithmError
        if (key := self._known(kid, alg, FRESH_FOR)) is not None:
            return key
        has_begun = self._keys.refresh()
        if has_begun or self._known(kid, alg, USABLE_FOR) is None:
            self._keys.wait(self._keys.last_refresh + TIMEOUT - self._clock())
        if (key := self._known(kid, alg, USABLE_FOR)) is not None:
            return key
        if not self._keys.is_current:
            raise KeysUnavailable(
                "the identity provider, whose keys are needed to verify tokens, does not answer: try again"
            )
        raise jwt.InvalidKeyError

    def _known(self, kid: str | None, alg: str, max_age: float) -> jwt.PyJWK | None:
        keys = self._keys.get(max_age) or ()
        matching = [key for key in keys if key.algorithm_name == alg and kid in (None, key.key_id)]
        return matching[0] if len(matching) == 1 else None

    def _fetch(self) -> tuple[jwt.PyJWK, ...] | None:
        try:
            return _download(self._url)
        except Exception as error:  # the thread has no caller that could report it
            _log.warning("can't get the keys from %s: %s", self._url, error)
            return None


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _download(url: str) -> tuple[jwt.PyJWK, ...]:
    with build_opener(ProxyHandler({}), _NoRedirects).open(url, timeout=TIMEOUT) as response:
        raw = response.read(MAX_JWKS + 1)
    if response.status != 200 or len(raw) > MAX_JWKS:
        raise ValueError(f"status {response.status}, {len(raw)} bytes: it must be 200, at most {MAX_JWKS} bytes")
    jwks = json.loads(raw)
    if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list):
        raise ValueError("this is no JWKS: it must be a JSON object with a list named keys")
    return tuple(key for jwk in jwks["keys"] if (key := _verification_key(jwk)) is not None)


def _verification_key(jwk: Any) -> jwt.PyJWK | None:
    """The key, or None if it is not a public key that tokens may be signed with."""
    alg = _ALGORITHMS.get(str(jwk.get("kty"))) if isinstance(jwk, dict) else None
    if alg is None or "d" in jwk:
        return None
    required_uses = {"use": "sig", "alg": alg, "key_ops": ["verify"]}
    if any(jwk.get(member, required) != required for member, required in required_uses.items()):
        return None
    try:
        key = jwt.PyJWK(jwk, alg)
        key.Algorithm.prepare_key(key.key)
    except jwt.PyJWTError:
        return None
    is_too_short = key.Algorithm.check_key_length(key.key) is not None
    return None if is_too_short else key
