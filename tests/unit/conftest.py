"""What unit tests share."""

import signal
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bff.access.tokens import Authentication
from functions.program.run import SIGNALS
from tests.support.tokens import SECRET, FakeClock, IdentityProvider, SigningKeys, jwk, serve


@pytest.fixture
def in_foreground() -> Iterator[None]:
    """Ctrl-C works, as on a terminal: what runs in the background inherits that it is ignored."""
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, *SIGNALS)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for signum, action in before.items():
        signal.signal(signum, action)


@pytest.fixture(scope="module")
def keys() -> SigningKeys:
    first, second, short_rsa = (rsa.generate_private_key(65537, bits) for bits in (2048, 2048, 1024))
    p256, p384 = (ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1()))
    return SigningKeys(first, second, short_rsa, p256, p384)


@pytest.fixture
def provider(keys: SigningKeys) -> Iterator[IdentityProvider]:
    with serve(jwk(keys.r1, "r1"), jwk(keys.e1, "e1")) as provider:
        yield provider


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def with_jwks(provider: IdentityProvider, clock: FakeClock) -> Authentication:
    return Authentication(jwks_url=provider.url, clock=clock)


@pytest.fixture(scope="module")
def with_secret() -> Authentication:
    return Authentication(secret=SECRET)
