"""Who sends a request: bearer tokens (RFC 6750) that are JWTs, signed with a secret or by an identity provider."""

import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from bff.claves import Claves
from bff.validacion import texto

MAX_CABECERA: Final = 8 * 1024
"""Bytes of the header Authorization."""
_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_MOTIVOS: Final[dict[type[Exception], str]] = {
    jwt.ExpiredSignatureError: "has expired: get a new one",
    jwt.ImmatureSignatureError: "is not valid yet: check the clock of the machine that issued it",
    jwt.InvalidAudienceError: "was issued for another audience: ask for one for this API",
    jwt.InvalidIssuerError: "comes from an issuer that is not accepted here",
    jwt.MissingRequiredClaimError: "lacks the claim {0.claim}",
}
_NO_VERIFICADO: Final = "can't be verified: its form, its algorithm, its key or its signature is not accepted here"


class NoAutenticado(Exception):
    """The token is missing or not valid; the text is for the client, in ASCII without quotes, as RFC 6750 asks.
    `error`: RFC 6750's code; None if there was no token.
    """

    def __init__(self, detalle: str, error: str | None = "invalid_token") -> None:
        super().__init__(detalle)
        self.error = error


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
        self._clave = Claves(jwks_url, reloj).buscar if jwks_url is not None else _del_secreto(secreto or "")
        self._esperado: dict[str, Any] = {"issuer": emisor, "audience": audiencia, "leeway": holgura}

    def autor(self, cabecera: str | None) -> Autor:
        """By the header Authorization. Raises NoAutenticado, and claves.SinClaves after up to claves.PLAZO."""
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
