"""What unit tests share."""

import signal
from collections.abc import Iterator

import dlq_process
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bff.autenticacion import Autenticacion
from tests.tokens import SECRETO, Llaves, Proveedor, Reloj, jwk, servir


@pytest.fixture
def en_primer_plano() -> Iterator[None]:
    """Ctrl-C works, as on a terminal: what runs in the background inherits that it is ignored."""
    antes = {senal: signal.getsignal(senal) for senal in dlq_process.SENALES}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for senal, accion in antes.items():
        signal.signal(senal, accion)


@pytest.fixture(scope="module")
def llaves() -> Llaves:
    una, otra, corta = (rsa.generate_private_key(65537, bits) for bits in (2048, 2048, 1024))
    p256, p384 = (ec.generate_private_key(curva) for curva in (ec.SECP256R1(), ec.SECP384R1()))
    return Llaves(una, otra, corta, p256, p384)


@pytest.fixture
def proveedor(llaves: Llaves) -> Iterator[Proveedor]:
    with servir(jwk(llaves.r1, "r1"), jwk(llaves.e1, "e1")) as proveedor:
        yield proveedor


@pytest.fixture
def reloj() -> Reloj:
    return Reloj()


@pytest.fixture
def con_jwks(proveedor: Proveedor, reloj: Reloj) -> Autenticacion:
    return Autenticacion(jwks_url=proveedor.url, reloj=reloj)


@pytest.fixture(scope="module")
def con_secreto() -> Autenticacion:
    return Autenticacion(secreto=SECRETO)
