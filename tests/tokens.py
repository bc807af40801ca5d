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

from bff.autenticacion import Autenticacion, NoAutenticado
from bff.claves import SinClaves
from tests.servidor import Peticion, sirviendo

SECRETO = "0123456789abcdef0123456789abcdef"


Clave = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass
class Llaves:
    """`corta`: RSA of 1024 bits."""

    r1: rsa.RSAPrivateKey
    r2: rsa.RSAPrivateKey
    corta: rsa.RSAPrivateKey
    e1: ec.EllipticCurvePrivateKey
    p384: ec.EllipticCurvePrivateKey


@dataclass
class Reloj:
    ahora: float = 5000.0

    def __call__(self) -> float:
        return self.ahora


@dataclass
class Proveedor:
    """An identity provider, whose answer can be changed. It counts requests, and holds them while `puerta` is shut;
    if it `gotea`, the client gets a byte now and then meanwhile.
    """

    cuerpo: bytes = b""
    estado: int = 200
    url: str = ""
    pedidas: int = 0
    gotea: bool = False
    puerta: threading.Event = field(default_factory=threading.Event)

    def publicar(self, *jwks: Any) -> None:
        self.cuerpo, self.estado = json.dumps({"keys": jwks}).encode(), 200

    def responder(self, peticion: BaseHTTPRequestHandler) -> None:
        self.pedidas += 1
        if not self.gotea:
            self.puerta.wait(10)
        es_vieja = peticion.path == "/vieja"
        peticion.send_response(302 if es_vieja else self.estado)
        peticion.send_header("Location" if es_vieja else "X-Nada", self.url)
        peticion.send_header("Content-Length", str(len(self.cuerpo)))
        peticion.end_headers()
        while self.gotea and not self.puerta.wait(0.2):
            peticion.wfile.write(b" ")
        peticion.wfile.write(self.cuerpo)

    def esperar_pedidas(self, cuantas: int) -> None:
        limite = time.monotonic() + 5
        while self.pedidas < cuantas and time.monotonic() < limite:
            time.sleep(0.005)
        assert self.pedidas == cuantas


@contextmanager
def servir(*jwks: Any) -> Iterator[Proveedor]:
    proveedor = Proveedor()
    proveedor.publicar(*jwks)

    class DeLlaves(Peticion):
        def do_GET(self) -> None:
            proveedor.responder(self)

    with sirviendo(DeLlaves) as puerto:
        proveedor.url = f"http://127.0.0.1:{puerto}/jwks"
        proveedor.puerta.set()
        yield proveedor
        proveedor.puerta.set()


def jwk(clave: Clave, kid: str | None = None, **extra: Any) -> dict[str, Any]:
    """Of the public half."""
    if isinstance(clave, rsa.RSAPrivateKey):
        campos = RSAAlgorithm.to_jwk(clave.public_key(), as_dict=True)
    else:
        campos = ECAlgorithm.to_jwk(clave.public_key(), as_dict=True)
    return campos | ({} if kid is None else {"kid": kid}) | extra


def claims(**otros: Any) -> dict[str, Any]:
    return {"sub": "ana", "exp": int(time.time()) + 60, **otros}


def token(
    clave: Clave | str = SECRETO, kid: str | None = None, cabeza: dict[str, Any] | None = None, /, **mas: Any
) -> str:
    """`mas`: claims."""
    alg = "HS256" if isinstance(clave, str) else "RS256" if isinstance(clave, rsa.RSAPrivateKey) else "ES256"
    crudo = json.dumps(claims(**mas)).encode()
    return jwt.api_jws.encode(crudo, clave, alg, {**(cabeza or {}), **({} if kid is None else {"kid": kid})})


def a_mano(cabeza: dict[str, Any], secreto: bytes | None = None, **mas: Any) -> str:
    """Whatever the header says, signed with HS256, or not at all."""
    partes = [urlsafe_b64encode(json.dumps(parte).encode()).rstrip(b"=") for parte in (cabeza, claims(**mas))]
    firma = b"x" if secreto is None else HMACAlgorithm(HMACAlgorithm.SHA256).sign(b".".join(partes), secreto)
    return b".".join([*partes, urlsafe_b64encode(firma).rstrip(b"=")]).decode()


def rechazo(autenticacion: Autenticacion, cabecera: str | None) -> NoAutenticado:
    """Its text can stand in WWW-Authenticate (RFC 6750), and does not quote the token."""
    with pytest.raises(NoAutenticado) as capturado:
        autenticacion.autor(cabecera)
    detalle = str(capturado.value)
    assert detalle.isascii()
    assert detalle.isprintable()
    assert not set(detalle) & set('"\\')
    assert not any(parte in detalle for parte in (cabecera or "").split(".") if len(parte) > 9)
    return capturado.value


def rechazado(autenticacion: Autenticacion, un_token: str) -> NoAutenticado:
    error = rechazo(autenticacion, f"Bearer {un_token}")
    assert error.error == "invalid_token"
    return error


def sin_claves(autenticacion: Autenticacion, un_token: str) -> None:
    with pytest.raises(SinClaves, match="try again"):
        autenticacion.autor(f"Bearer {un_token}")


def entra(autenticacion: Autenticacion, un_token: str) -> None:
    assert autenticacion.autor(f"Bearer {un_token}").nombre == "ana"
