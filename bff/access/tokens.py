"""Who sends a request: bearer tokens (RFC 6750) that are JWTs, signed with a secret or by an identity provider."""

import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from bff.access.jwks import Jwks
from bff.bodies.fields import text

MAX_HEADER: Final = 8 * 1024
"""Longest header Authorization that is accepted, in bytes."""
_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_REASONS: Final[dict[type[Exception], str]] = {
    jwt.ExpiredSignatureError: "has expired: get a new one",
    jwt.ImmatureSignatureError: "is not valid yet: check the clock of the machine that issued it",
    jwt.InvalidAudienceError: "was issued for another audience: ask for one for this API",
    jwt.InvalidIssuerError: "comes from an issuer that is not accepted here",
    jwt.MissingRequiredClaimError: "lacks the claim {0.claim}",
}
_UNVERIFIABLE: Final = "can't be verified: its form, its algorithm, its key or its signature is not accepted here"


class Unauthenticated(Exception):
    """The token is missing or not valid.

    Parameters:
      detail: what the client should change, in ASCII without quotes, as RFC 6750 asks.
      error: RFC 6750's error code; None if the request had no token.
    """

    def __init__(self, detail: str, error: str | None = "invalid_token") -> None:
        super().__init__(detail)
        self.error = error


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request.

    Attributes:
      name: the token's claim `sub`.
      scopes: what the token allows.
    """

    name: str
    scopes: frozenset[str]

    def has_scope(self, scope: str) -> bool:
        """Whether the token has the scope."""
        return scope in self.scopes


class Authentication:
    """Verifies tokens, from any thread: their signature, time, issuer and audience.

    It does not know of tokens that were revoked before they expire.

    Parameters:
      secret: verifies HS256; at least 32 bytes. Exactly one of `secret` and `jwks_url` must be given.
      jwks_url: where the keys for RS256 and ES256 are.
      issuer: the only issuer that is accepted; None accepts any.
      audience: the audience that a token must name; None accepts only tokens without one, since any other was issued
        for another API.
      leeway: seconds by which the issuer's clock and ours may differ.
      clock: seconds that never go back, for the age of keys.

    ValueError says what is wrong with a parameter.
    """

    def __init__(
        self,
        *,
        secret: str | None = None,
        jwks_url: str | None = None,
        issuer: str | None = None,
        audience: str | None = None,
        leeway: float = 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find_key: Callable[[Any, Any], jwt.PyJWK]
        if jwks_url is not None and secret is None:
            self._find_key = Jwks(jwks_url, clock).find
        elif secret is not None and jwks_url is None:
            self._find_key = _key_from_secret(secret)
        else:
            raise ValueError("tokens need a secret or the URL of a JWKS to be verified: set exactly one of the two")
        self._expected: dict[str, Any] = {"issuer": issuer, "audience": audience, "leeway": leeway}

    def caller(self, header: str | None) -> Caller:
        """The caller that the header Authorization names.

        Raises Unauthenticated, and jwks.KeysUnavailable after up to jwks.TIMEOUT seconds.
        """
        token = _token(header or "")
        try:
            jose_header = jwt.get_unverified_header(token)
            if "crit" in jose_header:
                raise jwt.InvalidTokenError
            key = self._find_key(jose_header.get("kid"), jose_header.get("alg"))
            options: Any = {"require": ["sub", "exp"]}
            claims = jwt.decode(token, key, [key.algorithm_name], options, **self._expected)
        except jwt.PyJWTError as error:
            reason = _REASONS.get(type(error), _UNVERIFIABLE).format(error)
            raise Unauthenticated(f"the token {reason}") from None  # the cause may quote the token
        return Caller(_name(claims["sub"]), scopes_of(claims))


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """The scopes in the claim `scope` (RFC 9068) or else `scp`. Raises Unauthenticated if it can't be read."""
    granted = claims.get("scope", claims.get("scp", ""))
    if isinstance(granted, str):
        return frozenset(granted.split(" ")) - {""}
    if "scope" in claims or not isinstance(granted, list) or not all(isinstance(scope, str) for scope in granted):
        raise Unauthenticated(
            "the token has scopes that can't be read: scope must be text, scp text or a list of texts"
        )
    return frozenset(granted)


def _token(header: str) -> str:
    scheme, _, rest = header.strip(" ").partition(" ")
    token = rest.lstrip(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("the request has no token: send it in the header Authorization, as Bearer TOKEN", None)
    if len(header) > MAX_HEADER:
        raise Unauthenticated(f"the header Authorization is too long: at most {MAX_HEADER} bytes are allowed")
    if not _JWT.fullmatch(token):
        raise Unauthenticated("the token is no signed JWT: it must be three parts in base64url, with dots between them")
    return token


def _name(sub: str) -> str:
    """The name, which has to be clean already: trimming or normalising could make one name of two."""
    try:
        if text(255).read(sub) != sub:
            raise ValueError("it must not begin or end with spaces, and it must be in the Unicode form NFC")
    except ValueError as error:
        raise Unauthenticated(f"the token has a claim sub that can't be a name: {error}") from None
    return sub


def _key_from_secret(secret: str) -> Callable[[Any, Any], jwt.PyJWK]:
    raw = secret.encode()
    if len(raw) < 32:
        raise ValueError(f"the secret has {len(raw)} bytes: HS256 needs at least 32, all of them random (RFC 7518)")
    try:
        key = jwt.PyJWK({"kty": "oct", "k": urlsafe_b64encode(raw).decode()}, "HS256")
        key.Algorithm.prepare_key(key.key)
    except jwt.InvalidKeyError:
        raise ValueError("the secret is a public key or a certificate, which everybody knows: set another") from None
    return lambda _kid, _alg: key
