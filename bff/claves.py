"""The public keys of an identity provider (JWKS, RFC 7517), fetched when needed and kept."""

import json
import logging
import re
import threading
from collections.abc import Callable
from math import inf
from typing import Any, Final
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

import jwt

MAX_JWKS: Final = 100 * 1024
"""Bytes of the identity provider's keys."""
PLAZO: Final = 2.0
"""A request waits this long, in s, for keys."""
PAUSA: Final = 10.0
"""From one fetch of the keys to the next, in s, at least: anyone can send tokens that name unknown keys."""
FRESCAS: Final = 300.0
"""After this long, in s, keys are fetched again."""
CADUCAS: Final = 3600.0
"""If they can't be fetched, the old ones are used until they are this old, in s."""
_ALGORITMOS: Final = {"RSA": "RS256", "EC": "ES256"}
_URL: Final = re.compile(r"(https://[^/?#@\s]+|http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?)(/\S*)?", re.ASCII)
_log = logging.getLogger(__name__)


class SinClaves(Exception):
    """The identity provider does not say whether a token's key is one of its own."""


class Claves:
    """The identity provider's keys. They are fetched in a thread: looking up a host's name knows no time-out."""

    def __init__(self, url: str, reloj: Callable[[], float]) -> None:
        if not _URL.fullmatch(url):
            raise ValueError(f"the keys' URL is {url!r}: it must be https://HOST/..., or http:// on a loopback address")
        self._url, self._reloj = url, reloj
        self._juego: tuple[float, tuple[jwt.PyJWK, ...]] = (-inf, ())  # with the time when it was asked for
        self._pedido = -inf
        self._llegada = threading.Event()
        self._llegada.set()
        self._turno = threading.Lock()

    def buscar(self, kid: str | None, alg: Any) -> jwt.PyJWK:
        """The only key for an algorithm, of that id if the token names one."""
        if alg not in _ALGORITMOS.values():
            raise jwt.InvalidAlgorithmError
        if (clave := self._guardada(kid, alg, FRESCAS)) is not None:
            return clave
        if self._pedir() or self._guardada(kid, alg, CADUCAS) is None:
            self._llegada.wait(self._pedido + PLAZO - self._reloj())
        if (clave := self._guardada(kid, alg, CADUCAS)) is not None:
            return clave
        if self._juego[0] < self._pedido:
            raise SinClaves("the identity provider, whose keys are needed to verify tokens, does not answer: try again")
        raise jwt.InvalidKeyError

    def _guardada(self, kid: str | None, alg: str, edad: float) -> jwt.PyJWK | None:
        cuando, claves = self._juego
        aptas = [clave for clave in claves if clave.algorithm_name == alg and kid in (None, clave.key_id)]
        return aptas[0] if len(aptas) == 1 and self._reloj() - cuando < edad else None

    def _pedir(self) -> bool:
        """Starts a fetch, unless one is under way or was a moment ago."""
        with self._turno:
            ahora = self._reloj()
            if not self._llegada.is_set() or ahora - self._pedido < PAUSA:
                return False
            self._pedido, llegada = ahora, threading.Event()
            threading.Thread(target=self._traer, args=(ahora, llegada), name="jwks", daemon=True).start()
            self._llegada = llegada
            return True

    def _traer(self, ahora: float, llegada: threading.Event) -> None:
        try:
            self._juego = (ahora, _descargar(self._url))
        except Exception as error:  # nobody else would hear of it
            _log.warning("can't get the keys from %s: %s", self._url, error)
        finally:
            llegada.set()


class _SinRedirecciones(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _descargar(url: str) -> tuple[jwt.PyJWK, ...]:
    with build_opener(ProxyHandler({}), _SinRedirecciones).open(url, timeout=PLAZO) as respuesta:
        crudo = respuesta.read(MAX_JWKS + 1)
    if respuesta.status != 200 or len(crudo) > MAX_JWKS:
        raise ValueError(f"status {respuesta.status}, {len(crudo)} bytes: it must be 200, at most {MAX_JWKS} bytes")
    jwks = json.loads(crudo)
    if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list):
        raise ValueError("this is no JWKS: it must be a JSON object with a list named keys")
    return tuple(clave for jwk in jwks["keys"] if (clave := _apta(jwk)) is not None)


def _apta(jwk: Any) -> jwt.PyJWK | None:
    """None if it is no public key that tokens may be signed with."""
    alg = _ALGORITMOS.get(str(jwk.get("kty"))) if isinstance(jwk, dict) else None
    fines = {"use": "sig", "alg": alg, "key_ops": ["verify"]}
    if alg is None or "d" in jwk or any(jwk.get(fin, dicho) != dicho for fin, dicho in fines.items()):
        return None
    try:
        clave = jwt.PyJWK(jwk, alg)
        clave.Algorithm.prepare_key(clave.key)
    except jwt.PyJWTError:
        return None
    return None if clave.Algorithm.check_key_length(clave.key) else clave
