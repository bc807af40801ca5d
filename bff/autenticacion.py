"""Who sends a request: bearer tokens (RFC 6750) that are JWTs, signed with a secret or by an identity provider."""

import json
import logging
import re
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Final
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

import jwt

from bff.validacion import texto

MAX_CABECERA: Final = 8 * 1024
"""Bytes of the header Authorization."""
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
_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_URL: Final = re.compile(r"(https://[^/?#@\s]+|http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?)(/\S*)?", re.ASCII)
_MOTIVOS: Final[dict[type[Exception], str]] = {
    jwt.ExpiredSignatureError: "has expired: get a new one",
    jwt.ImmatureSignatureError: "is not valid yet: check the clock of the machine that issued it",
    jwt.InvalidAudienceError: "was issued for another audience: ask for one for this API",
    jwt.InvalidIssuerError: "comes from an issuer that is not accepted here",
    jwt.MissingRequiredClaimError: "lacks the claim {0.claim}",
}
_NO_VERIFICADO: Final = "can't be verified: its form, its algorithm, its key or its signature is not accepted here"
_log = logging.getLogger(__name__)


class NoAutenticado(Exception):
    """The token is missing or not valid; the text is for the client, in ASCII without quotes, as RFC 6750 asks.
    `error`: RFC 6750's code; None if there was no token.
    """

    def __init__(self, detalle: str, error: str | None = "invalid_token") -> None:
        super().__init__(detalle)
        self.error = error


class SinClaves(Exception):
    """The identity provider does not say whether a token's key is one of its own."""


@dataclass(frozen=True, slots=True)
class Autor:
    """Who sends a request, and the scopes of the token."""

    nombre: str
    alcances: frozenset[str]

    def puede(self, alcance: str) -> bool:
        return alcance in self.alcances


class Autenticacion:
    """Verifies tokens, from any thread."""

    def __init__(
        self,
        *,
        secreto: str | None = None,
        jwks_url: str | None = None,
        emisor: str | None = None,
        audiencia: str | None = None,
        holgura: float = 30,
        reloj: Callable[[], float] = time.monotonic,
    ) -> None:
        """HS256 with a secret; RS256 and ES256 with the keys at a URL. Clocks may differ by `holgura` s.

        A token for an audience is refused unless that is `audiencia`: it was not issued for this API. ValueError says
        what is wrong with a parameter.
        """
        if (secreto is None) == (jwks_url is None):
            raise ValueError("tokens need a secret or the URL of a JWKS to be verified: set exactly one of the two")
        self._clave = _Claves(jwks_url, reloj).buscar if jwks_url is not None else _del_secreto(secreto or "")
        self._esperado: dict[str, Any] = {"issuer": emisor, "audience": audiencia, "leeway": holgura}

    def autor(self, cabecera: str | None) -> Autor:
        """By the header Authorization. Raises NoAutenticado, and SinClaves after up to PLAZO."""
        token = _token(cabecera or "")
        try:
            cabeza = jwt.get_unverified_header(token)
            if "crit" in cabeza:
                raise jwt.InvalidTokenError
            clave = self._clave(cabeza.get("kid"), cabeza.get("alg"))
            opciones: Any = {"require": ["sub", "exp"]}
            claims = jwt.decode(token, clave, [clave.algorithm_name], opciones, **self._esperado)
        except jwt.PyJWTError as error:
            motivo = _MOTIVOS.get(type(error), _NO_VERIFICADO).format(error)
            raise NoAutenticado(f"the token {motivo}") from None  # its cause may quote the token
        return Autor(_nombre(claims["sub"]), alcances_de(claims))


def alcances_de(claims: Mapping[str, Any]) -> frozenset[str]:
    """The claim `scope` (RFC 9068), or else `scp`; raises NoAutenticado if it can't be read."""
    dichos = claims.get("scope", claims.get("scp", ""))
    if isinstance(dichos, str):
        return frozenset(dichos.split(" ")) - {""}
    if "scope" in claims or not isinstance(dichos, list) or not all(isinstance(dicho, str) for dicho in dichos):
        raise NoAutenticado("the token has scopes that can't be read: scope must be text, scp text or a list of texts")
    return frozenset(dichos)


def _token(cabecera: str) -> str:
    esquema, _, resto = cabecera.strip(" ").partition(" ")
    token = resto.lstrip(" ")
    if esquema.lower() != "bearer" or not token:
        raise NoAutenticado("the request has no token: send it in the header Authorization, as Bearer TOKEN", None)
    if len(cabecera) > MAX_CABECERA:
        raise NoAutenticado(f"the header Authorization is too long: at most {MAX_CABECERA} bytes are allowed")
    if not _JWT.fullmatch(token):
        raise NoAutenticado("the token is no signed JWT: it must be three parts in base64url, with dots between them")
    return token


def _nombre(sub: str) -> str:
    """Unchanged: two names must not become one."""
    try:
        if texto(255).leer(sub) != sub:
            raise ValueError("it must not begin or end with spaces")
    except ValueError as error:
        raise NoAutenticado(f"the token has a claim sub that can't be a name: {error}") from None
    return sub


def _del_secreto(secreto: str) -> Callable[[Any, Any], jwt.PyJWK]:
    crudo = secreto.encode()
    if len(crudo) < 32:
        raise ValueError(f"the secret has {len(crudo)} bytes: HS256 needs at least 32, all of them random (RFC 7518)")
    try:
        clave = jwt.PyJWK({"kty": "oct", "k": urlsafe_b64encode(crudo).decode()}, "HS256")
        clave.Algorithm.prepare_key(clave.key)
    except jwt.InvalidKeyError:
        raise ValueError("the secret is a public key or a certificate, which everybody knows: set another") from None
    return lambda kid, alg: clave


class _Claves:
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
