"""The keys of an identity provider: which ones are used, for how long, and what happens while it is unavailable.

Longer than 200 lines: it mirrors one module, and its tests share one identity provider and one clock.
"""

import logging
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import jwt
import pytest
from jwt.algorithms import RSAAlgorithm

from bff.access.jwks import FRESH_FOR, MAX_JWKS, PAUSE, TIMEOUT, USABLE_FOR, KeysUnavailable
from bff.access.tokens import Authentication, Unauthenticated
from tests.support.tokens import (
    SECRET,
    FakeClock,
    IdentityProvider,
    PrivateKey,
    SigningKeys,
    assert_accepted,
    assert_keys_unavailable,
    assert_rejected,
    handmade_token,
    jwk,
    token,
)

UNSUITABLE: dict[str, list[Any]] = {
    "use": ["enc", "SIG", None, []],
    "alg": ["RS512", "RSA-OAEP", "ES256", "HS256", None, ["RS256"]],
    "key_ops": [["encrypt"], "verify", None],
    "n": ["", "!", 7, None, "AQAB"],
    "kty": ["EC", "oct", "rsa", None, ["RSA"]],
    "d": ["AQAB"],
}


def test_keys_that_may_not_verify_are_not_used(provider: IdentityProvider, clock: FakeClock, keys: SigningKeys) -> None:
    symmetric_key = {"kty": "oct", "k": urlsafe_b64encode(SECRET.encode()).decode(), "kid": "x"}
    private_jwk = RSAAlgorithm.to_jwk(keys.r2, as_dict=True) | {"kid": "x", "key_ops": ["verify"]}
    odd_jwks: list[Any] = [private_jwk, None, 7, "x", [], {}, {"kid": "x"}]
    cases: list[tuple[PrivateKey | str, Any]] = [(keys.r2, odd) for odd in odd_jwks]
    cases += [(keys.r2, jwk(keys.r2, "x", **{field: value})) for field in UNSUITABLE for value in UNSUITABLE[field]]
    cases += [(SECRET, symmetric_key), (SECRET, symmetric_key | {"alg": "RS256"}), (keys.e1, jwk(keys.p384, "x"))]
    cases += [(keys.e1, jwk(keys.e1, "x", y="AAAA")), (keys.e1, jwk(keys.e1, "x", crv="P-384"))]
    for key, unsuitable in cases:
        provider.publish(unsuitable, jwk(keys.r1, "r1"), jwk(keys.e1, "e1"))
        authentication = Authentication(jwks_url=provider.url, clock=clock)
        assert_rejected(authentication, token(key, "x"))
        assert_accepted(authentication, token(keys.r1))
        assert_accepted(authentication, token(keys.e1))


@pytest.mark.parametrize("extra", [{"use": "sig"}, {"alg": "RS256"}, {"key_ops": ["verify"]}, {"x5c": [], "nota": 1}])
def test_keys_may_say_that_they_are_for_this(
    provider: IdentityProvider, with_jwks: Authentication, keys: SigningKeys, extra: dict[str, Any]
) -> None:
    provider.publish(jwk(keys.r2, "x", **extra))
    assert_accepted(with_jwks, token(keys.r2, "x"))


def test_short_rsa_keys_are_refused(provider: IdentityProvider, with_jwks: Authentication, keys: SigningKeys) -> None:
    provider.publish(jwk(keys.short_rsa, "x"))
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        short = token(keys.short_rsa, "x")
    assert_rejected(with_jwks, short)


def test_without_a_kid_the_only_key_of_the_algorithm_is_meant(
    provider: IdentityProvider, clock: FakeClock, with_jwks: Authentication, keys: SigningKeys
) -> None:
    assert_accepted(with_jwks, token(keys.r1))
    assert_accepted(with_jwks, token(keys.e1))
    provider.publish(jwk(keys.r1), jwk(keys.r2, "r2"))
    clock.now += FRESH_FOR
    assert_rejected(with_jwks, token(keys.r1))
    assert_rejected(with_jwks, token(keys.e1))
    assert_accepted(with_jwks, token(keys.r2, "r2"))
    assert provider.request_count == 2


def test_keys_are_kept_for_5_minutes_and_a_removed_one_no_longer(
    provider: IdentityProvider, clock: FakeClock, with_jwks: Authentication, keys: SigningKeys
) -> None:
    assert_accepted(with_jwks, token(keys.r1, "r1"))
    provider.publish(jwk(keys.r2, "r2"))
    clock.now += FRESH_FOR - 1
    assert_accepted(with_jwks, token(keys.r1, "r1"))
    assert provider.request_count == 1
    clock.now += 1
    assert_rejected(with_jwks, token(keys.r1, "r1"))
    assert_accepted(with_jwks, token(keys.r2, "r2"))
    assert provider.request_count == 2


def test_a_new_key_works_after_one_fetch(
    provider: IdentityProvider, clock: FakeClock, with_jwks: Authentication, keys: SigningKeys
) -> None:
    assert_accepted(with_jwks, token(keys.r1, "r1"))
    provider.publish(jwk(keys.r1, "r1"), jwk(keys.r2, "r2"))
    clock.now += PAUSE
    for _ in range(3):
        assert_accepted(with_jwks, token(keys.r2, "r2"))
        assert_accepted(with_jwks, token(keys.r1, "r1"))
    assert provider.request_count == 2


def test_all_keys_can_be_revoked(
    provider: IdentityProvider, clock: FakeClock, with_jwks: Authentication, keys: SigningKeys
) -> None:
    assert_accepted(with_jwks, token(keys.r1, "r1"))
    provider.publish()
    clock.now += FRESH_FOR
    assert_rejected(with_jwks, token(keys.r1, "r1"))


def test_unknown_kids_lead_to_one_fetch_in_10_s(
    provider: IdentityProvider, clock: FakeClock, with_jwks: Authentication, keys: SigningKeys
) -> None:
    unknown_kid_tokens = [token(keys.r2, str(uuid4())) for _ in range(20)]
    for attempt in range(1, 4):
        with ThreadPoolExecutor(20) as executor:
            list(executor.map(assert_rejected, [with_jwks] * 20, unknown_kid_tokens))
        assert provider.request_count == attempt
        clock.now += PAUSE - 1
        assert_rejected(with_jwks, unknown_kid_tokens[0])
        assert provider.request_count == attempt
        clock.now += 1


def test_threads_that_need_the_first_keys_wait_for_one_fetch(
    provider: IdentityProvider, with_jwks: Authentication, keys: SigningKeys
) -> None:
    provider.gate.clear()
    with ThreadPoolExecutor(10) as executor:
        pending_calls = [executor.submit(assert_accepted, with_jwks, token(keys.r1, "r1")) for _ in range(10)]
        provider.wait_for_requests(1)
        provider.gate.set()
        for one in pending_calls:
            one.result()
    assert provider.request_count == 1


@pytest.mark.parametrize("age", [PAUSE, FRESH_FOR])
def test_a_fetch_does_not_hold_up_threads_whose_key_is_known(
    provider: IdentityProvider, clock: FakeClock, with_jwks: Authentication, keys: SigningKeys, age: float
) -> None:
    assert_accepted(with_jwks, token(keys.r1, "r1"))
    provider.gate.clear()
    clock.now += age
    with ThreadPoolExecutor(1) as executor:
        who = token(keys.r2, "r2") if age < FRESH_FOR else token(keys.r1, "r1")
        waiting = executor.submit(with_jwks.caller, f"Bearer {who}")
        provider.wait_for_requests(2)
        assert_accepted(with_jwks, token(keys.r1, "r1"))
        assert not waiting.done()
        provider.gate.set()
        assert (waiting.exception() is None) == (age == FRESH_FOR)


def test_while_the_provider_is_away_known_keys_are_used_for_an_hour(
    provider: IdentityProvider, clock: FakeClock, with_jwks: Authentication, keys: SigningKeys
) -> None:
    assert_accepted(with_jwks, token(keys.r1, "r1"))
    provider.status = 500
    for age in (FRESH_FOR, FRESH_FOR + 1, USABLE_FOR - 1):
        clock.now = 5000 + age
        assert_accepted(with_jwks, token(keys.r1, "r1"))
        assert_keys_unavailable(with_jwks, token(keys.r2, "r2"))
    assert provider.request_count == 3
    clock.now = 5000 + USABLE_FOR
    assert_keys_unavailable(with_jwks, token(keys.r1, "r1"))
    provider.status = 200
    clock.now += PAUSE
    assert_accepted(with_jwks, token(keys.r1, "r1"))


def _oversized(provider: IdentityProvider) -> None:
    provider.body = provider.body.ljust(MAX_JWKS + 1)


def _answering(body: bytes, status: int = 200) -> Callable[[IdentityProvider], None]:
    def change(provider: IdentityProvider) -> None:
        provider.body, provider.status = body, status

    return change


FAULTS = [_oversized, *(_answering(b'{"keys": []}', status) for status in (201, 301, 404, 500, 503))]


FAULTS += [_answering(body) for body in (b"", b"{", b"\xff", b"[]", b"7", b"{}", b'{"keys": {}}', b"[" * 50_000)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_provider_is_no_reason_to_refuse_tokens_as_invalid(
    provider: IdentityProvider,
    clock: FakeClock,
    with_jwks: Authentication,
    keys: SigningKeys,
    fault: Callable[[IdentityProvider], None],
) -> None:
    fault(provider)
    for _ in range(3):
        assert_keys_unavailable(with_jwks, token(keys.r1, "r1"))
    assert provider.request_count == 1
    provider.publish(jwk(keys.r1, "r1"))
    clock.now += PAUSE
    assert_accepted(with_jwks, token(keys.r1, "r1"))


def test_the_largest_answer(provider: IdentityProvider, with_jwks: Authentication, keys: SigningKeys) -> None:
    provider.body = provider.body.ljust(MAX_JWKS)
    assert_accepted(with_jwks, token(keys.r1, "r1"))


def test_redirects_are_not_followed(provider: IdentityProvider, keys: SigningKeys) -> None:
    authentication = Authentication(jwks_url=provider.url.replace("/jwks", "/vieja"))
    assert_keys_unavailable(authentication, token(keys.r1, "r1"))
    assert provider.request_count == 1


def test_proxies_of_the_environment_are_not_used(
    with_jwks: Authentication, keys: SigningKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert_accepted(with_jwks, token(keys.r1, "r1"))


def test_a_provider_that_hangs_costs_2_s_and_only_once(
    provider: IdentityProvider, clock: FakeClock, with_jwks: Authentication, keys: SigningKeys
) -> None:
    provider.gate.clear()
    started = time.monotonic()
    assert_keys_unavailable(with_jwks, token(keys.r1, "r1"))
    assert TIMEOUT - 0.1 < time.monotonic() - started < TIMEOUT + 1
    for thread in threading.enumerate():
        if thread.name == "jwks":
            thread.join(1)
            assert not thread.is_alive()
    assert_keys_unavailable(with_jwks, token(keys.r1, "r1"))
    assert time.monotonic() - started < TIMEOUT + 2
    assert provider.request_count == 1


def test_a_provider_that_never_ends_its_answer_is_waited_for_once_and_not_asked_again_meanwhile(
    provider: IdentityProvider, clock: FakeClock, with_jwks: Authentication, keys: SigningKeys
) -> None:
    provider.is_trickling = True
    provider.gate.clear()
    started = time.monotonic()
    for _ in range(3):
        assert_keys_unavailable(with_jwks, token(keys.r1, "r1"))
        clock.now += PAUSE
    assert time.monotonic() - started < TIMEOUT + 1
    assert provider.request_count == 1


def test_nothing_of_a_token_is_logged(
    provider: IdentityProvider,
    clock: FakeClock,
    with_jwks: Authentication,
    keys: SigningKeys,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    critical_token = handmade_token({"alg": "RS256", "crit": ["crit-secreto"]})
    tokens = [
        critical_token,
        token(keys.r1, "kid-secreto", sub="sub-secreto"),
        handmade_token({"alg": "RS256", "kid": "kid-secreto"}),
        "a.b.c",
    ]
    for status in (200, 500):
        provider.status = status
        for one in tokens:
            with pytest.raises((Unauthenticated, KeysUnavailable)) as caught:
                with_jwks.caller(f"Bearer {one}")
            logging.getLogger("prueba").exception("así se registra", exc_info=caught.value)
        clock.now += PAUSE
    assert "can't get the keys" in caplog.text
    assert not [chunk for one in tokens[:3] for chunk in (*one.split("."), "secreto") if chunk in caplog.text]
