"""Tokens, keys and an identity provider that can be made to fail."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, RSAAlgorithm

from bff.access.jwks import KeysUnavailable
from bff.access.tokens import Authentication, Unauthenticated
from tests.support.server import RequestHandler, serving

SECRET = "0123456789abcdef0123456789abcdef"


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass
class SigningKeys:
    """`short_rsa`: RSA of 1024 bits."""

    r1: rsa.RSAPrivateKey
    r2: rsa.RSAPrivateKey
    short_rsa: rsa.RSAPrivateKey
    e1: ec.EllipticCurvePrivateKey
    p384: ec.EllipticCurvePrivateKey


@dataclass
class FakeClock:
    now: float = 5000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class IdentityProvider:
    """An identity provider, whose answer can be changed. It counts requests, and holds them while `gate` is shut;
    if it `is_trickling`, the client gets a byte now and then meanwhile.
    """

    body: bytes = b""
    status: int = 200
    url: str = ""
    request_count: int = 0
    is_trickling: bool = False
    gate: threading.Event = field(default_factory=threading.Event)

    def publish(self, *jwks: Any) -> None:
        self.body, self.status = json.dumps({"keys": jwks}).encode(), 200

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        self.request_count += 1
        if not self.is_trickling:
            self.gate.wait(10)
        is_redirect = request.path == "/vieja"
        request.send_response(302 if is_redirect else self.status)
        request.send_header("Location" if is_redirect else "X-Nada", self.url)
        request.send_header("Content-Length", str(len(self.body)))
        request.end_headers()
        while self.is_trickling and not self.gate.wait(0.2):
            request.wfile.write(b" ")
        request.wfile.write(self.body)

    def wait_for_requests(self, count: int) -> None:
        deadline = time.monotonic() + 5
        while self.request_count < count and time.monotonic() < deadline:
            time.sleep(0.005)
        assert self.request_count == count


@contextmanager
def serve(*jwks: Any) -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    provider.publish(*jwks)

    class JwksHandler(RequestHandler):
        def do_GET(self) -> None:
            provider.respond(self)

    with serving(JwksHandler) as port:
        provider.url = f"http://127.0.0.1:{port}/jwks"
        provider.gate.set()
        yield provider
        provider.gate.set()


def jwk(key: PrivateKey, kid: str | None = None, **extra: Any) -> dict[str, Any]:
    """Of the public half."""
    if isinstance(key, rsa.RSAPrivateKey):
        fields = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        fields = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return fields | ({} if kid is None else {"kid": kid}) | extra


def claims(**extra: Any) -> dict[str, Any]:
    return {"sub": "ana", "exp": int(time.time()) + 60, **extra}


def token(
    key: PrivateKey | str = SECRET, kid: str | None = None, jose_header: dict[str, Any] | None = None, /, **extra: Any
) -> str:
    """`extra`: claims."""
    alg = "HS256" if isinstance(key, str) else "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    raw = json.dumps(claims(**extra)).encode()
    return jwt.api_jws.encode(raw, key, alg, {**(jose_header or {}), **({} if kid is None else {"kid": kid})})


def handmade_token(jose_header: dict[str, Any], secret: bytes | None = None, **extra: Any) -> str:
    """Whatever the header says, signed with HS256, or not at all."""
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (jose_header, claims(**extra))]
    signature = b"x" if secret is None else HMACAlgorithm(HMACAlgorithm.SHA256).sign(b".".join(parts), secret)
    return b".".join([*parts, urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def rejection(authentication: Authentication, header: str | None) -> Unauthenticated:
    """Its text can stand in WWW-Authenticate (RFC 6750), and does not quote the token."""
    with pytest.raises(Unauthenticated) as caught:
        authentication.caller(header)
    detail = str(caught.value)
    assert detail.isascii()
    assert detail.isprintable()
    assert not set(detail) & set('"\\')
    assert not any(part in detail for part in (header or "").split(".") if len(part) > 9)
    return caught.value


def assert_rejected(authentication: Authentication, encoded_token: str) -> Unauthenticated:
    error = rejection(authentication, f"Bearer {encoded_token}")
    assert error.error == "invalid_token"
    return error


def assert_keys_unavailable(authentication: Authentication, encoded_token: str) -> None:
    with pytest.raises(KeysUnavailable, match="try again"):
        authentication.caller(f"Bearer {encoded_token}")


def assert_accepted(authentication: Authentication, encoded_token: str) -> None:
    assert authentication.caller(f"Bearer {encoded_token}").name == "ana"
