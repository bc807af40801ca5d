"""Tokens: which ones say who sends a request, and which ones are refused.

Longer than 200 lines: it mirrors one module, and its tests share the makers of good and bad tokens.
"""

import json
import math
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import assume, given
from hypothesis import strategies as st

from bff.access.jwks import PAUSE
from bff.access.tokens import MAX_HEADER, Authentication, Caller, Unauthenticated, scopes_of
from tests.support.tokens import (
    SECRET,
    FakeClock,
    IdentityProvider,
    PrivateKey,
    SigningKeys,
    assert_accepted,
    assert_rejected,
    claims,
    handmade_token,
    jwk,
    rejection,
    serve,
    token,
)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, "exactly one"),
        ({"secret": SECRET, "jwks_url": "https://id.test/"}, "exactly one"),
        ({"secret": ""}, "0 bytes"),
        ({"secret": SECRET[1:]}, "31 bytes"),
        ({"jwks_url": ""}, "https"),
        ({"jwks_url": "http://id.test/jwks"}, "https"),
        ({"jwks_url": "http://127.0.0.1@id.test/jwks"}, "https"),
        ({"jwks_url": "http://localhost.id.test/jwks"}, "https"),
        ({"jwks_url": "http://127.0.0.1.id.test/jwks"}, "https"),
        ({"jwks_url": "http://["}, "https"),
        ({"jwks_url": "https:///jwks"}, "https"),
        ({"jwks_url": "https://a:b@id.test/jwks"}, "https"),
        ({"jwks_url": "file:///etc/passwd"}, "https"),
    ],
)
def test_parameters_that_are_not_safe_are_refused(parameters: dict[str, str], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Authentication(**parameters)  # type: ignore[arg-type]


def test_a_public_key_is_no_secret(keys: SigningKeys) -> None:
    for secret in (pem(keys.r1), json.dumps(jwk(keys.r1))):
        with pytest.raises(ValueError, match="everybody"):
            Authentication(secret=secret)


@pytest.mark.parametrize(
    "url", ["https://id.test", "https://id.test:8443/a?b", "http://localhost:1/a", "http://[::1]/", "http://127.1.2.3"]
)
def test_safe_urls_are_accepted_and_not_yet_called(url: str) -> None:
    Authentication(jwks_url=url)


def pem(key: PrivateKey) -> str:
    key_format = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, key_format).decode()


def test_a_token_says_who_and_what_for(
    with_secret: Authentication, with_jwks: Authentication, keys: SigningKeys
) -> None:
    claimed = {"sub": "José", "scope": "orders:read orders:write"}
    tokens = [(with_secret, token(**claimed)), (with_secret, token(SECRET, "da igual", **claimed))]
    tokens += [(with_jwks, token(keys.r1, "r1", **claimed)), (with_jwks, token(keys.e1, "e1", **claimed))]
    for authentication, encoded_token in tokens:
        caller = authentication.caller(f"Bearer {encoded_token}")
        assert caller == Caller("José", frozenset({"orders:read", "orders:write"}))
        assert caller.has_scope("orders:read")
        assert not caller.has_scope("orders")


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER   {}", " Bearer {} "])
def test_the_scheme_may_be_written_in_many_ways(with_secret: Authentication, form: str) -> None:
    assert with_secret.caller(form.format(token())).name == "ana"


@pytest.mark.parametrize("header", [None, "", " ", "Bearer", "Bearer  ", "Basic YTpi", "Bearer\tx", "a.b.c"])
def test_no_token_is_no_invalid_token(with_secret: Authentication, header: str | None) -> None:
    assert rejection(with_secret, header).error is None


@pytest.mark.parametrize(
    "form", ["{0} {0}", "{0},", "{0}=", '"{0}"', "{0}.", "{0}.a.b", ".{0}", "a", "..", "a.b.c", "á.b.c", "\ud83d.b.c"]
)
def test_what_is_no_jwt_is_refused(with_secret: Authentication, form: str) -> None:
    assert_rejected(with_secret, form.format(token()))


def test_the_header_has_a_longest_size(with_secret: Authentication) -> None:
    header = f"Bearer {token(relleno='a' * (MAX_HEADER * 3 // 4 - 200))}".ljust(MAX_HEADER)
    assert with_secret.caller(header).name == "ana"
    assert "too long" in str(rejection(with_secret, f"{header} "))


BAD_CLAIMS: dict[str, list[Any]] = {
    "sub": ["", " ", "Jose\u0301", " ana", "ana\n", "a" * 256, "a\0b", "a\x85b", "\ud83d", None, 7, ["ana"]],
    "exp": [None, "mañana", [], {}, math.nan, -math.inf, 0, -1, True],
    "nbf": [None, "mañana", [], math.nan, math.inf, 10**40],
    "iat": [None, "mañana", [], math.nan, math.inf, 10**40],
    "scope": [None, 7, ["orders:read"], {}],
}


@pytest.mark.parametrize("claim", BAD_CLAIMS)
def test_wrong_claims_are_refused(with_secret: Authentication, claim: str) -> None:
    for value in BAD_CLAIMS[claim]:
        assert_rejected(with_secret, token(**{claim: value}))


def test_a_name_may_have_255_characters(with_secret: Authentication) -> None:
    assert with_secret.caller(f"Bearer {token(sub='ñ' * 255)}").name == "ñ" * 255


@pytest.mark.parametrize("claim", ["sub", "exp"])
def test_claims_that_must_be_there_are_named(with_secret: Authentication, claim: str) -> None:
    rest = {name: value for name, value in claims().items() if name != claim}
    assert f"lacks the claim {claim}" in str(assert_rejected(with_secret, jwt.encode(rest, SECRET, "HS256")))


@pytest.mark.parametrize(
    ("claim", "within", "outside", "text"),
    [("exp", -25, -31, "expired"), ("nbf", 29, 36, "not valid yet"), ("iat", 29, 36, "not valid yet")],
)
def test_clocks_may_differ_by_30_s(
    with_secret: Authentication, claim: str, within: int, outside: int, text: str
) -> None:
    now = int(time.time())
    assert_accepted(with_secret, token(**{claim: now + within}))
    assert text in str(assert_rejected(with_secret, token(**{claim: now + outside})))
    assert_rejected(Authentication(secret=SECRET, leeway=0), token(**{claim: now + within}))


@pytest.mark.parametrize(
    ("issuer", "audience", "claimed", "is_valid"),
    [
        (None, None, {"iss": "x"}, True),
        (None, None, {"aud": "bff"}, False),
        (None, None, {"aud": ["bff"]}, False),
        ("id", None, {"iss": "id"}, True),
        ("id", None, {"iss": "id/"}, False),
        ("id", None, {"iss": ["id"]}, False),
        ("id", None, {}, False),
        (None, "bff", {"aud": "bff"}, True),
        (None, "bff", {"aud": ["otro", "bff"]}, True),
        (None, "bff", {"aud": "bff2"}, False),
        (None, "bff", {"aud": ["otro"]}, False),
        (None, "bff", {"aud": []}, False),
        (None, "bff", {"aud": {"bff": 1}}, False),
        (None, "bff", {}, False),
        ("id", "bff", {"iss": "id", "aud": "bff"}, True),
        ("id", "bff", {"iss": "otro", "aud": "bff"}, False),
    ],
)
def test_issuer_and_audience(issuer: str | None, audience: str | None, claimed: dict[str, Any], is_valid: bool) -> None:
    authentication = Authentication(secret=SECRET, issuer=issuer, audience=audience)
    (assert_accepted if is_valid else assert_rejected)(authentication, token(**claimed))


@pytest.mark.parametrize(
    ("claimed", "scopes"),
    [
        ({}, set()),
        ({"scope": ""}, set()),
        ({"scope": " a  b a "}, {"a", "b"}),
        ({"scope": "a", "scp": ["b"]}, {"a"}),
        ({"scp": "a b"}, {"a", "b"}),
        ({"scp": ["a", "b c"]}, {"a", "b c"}),
        ({"scp": []}, set()),
    ],
)
def test_scopes_are_read_from_either_claim(claimed: dict[str, Any], scopes: set[str]) -> None:
    assert scopes_of(claimed) == scopes


@pytest.mark.parametrize(
    "claimed", [{"scope": None}, {"scope": ["a"]}, {"scope": 1}, {"scp": None}, {"scp": ["a", 1]}, {"scp": {"a": 1}}]
)
def test_scopes_of_another_type_are_refused(claimed: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match="scopes"):
        scopes_of(claimed)


def test_a_secret_verifies_hs256_only(with_secret: Authentication, keys: SigningKeys) -> None:
    raw = SECRET.encode()
    algs: list[Any] = ["none", "None", "", "hs256", "HS384", "HS512", "RS256", "ES256", None, 7, ["HS256"], {}]
    for alg in algs:
        assert_rejected(with_secret, handmade_token({"alg": alg}, raw))
        assert_rejected(with_secret, handmade_token({"alg": alg}))
    for bad in (
        handmade_token({}, raw),
        handmade_token({"alg": "HS256"}, b"otra"),
        token(keys.r1, "r1"),
        token(keys.e1),
    ):
        assert_rejected(with_secret, bad)
    assert_rejected(with_secret, handmade_token({"alg": "HS256"}, raw).rpartition(".")[0] + ".")
    assert_accepted(with_secret, handmade_token({"alg": "HS256"}, raw))


def test_keys_verify_their_own_algorithm_only(
    with_jwks: Authentication, provider: IdentityProvider, keys: SigningKeys, clock: FakeClock
) -> None:
    assert_accepted(with_jwks, token(keys.r1, "r1"))
    public_keys = (pem(keys.r1).encode(), json.dumps(jwk(keys.r1)).encode(), SECRET.encode(), b"")
    algs: list[Any] = ["none", "HS256", "HS512", "PS256", "RS512", "ES384", "EdDSA", "rs256", None, ["RS256"]]
    for alg in algs:
        clock.now += PAUSE
        for secret in (*public_keys, None):
            assert_rejected(with_jwks, handmade_token({"alg": alg, "kid": "r1"}, secret))
    assert provider.request_count == 1, "these need no keys"
    for secret in public_keys:
        assert_rejected(with_jwks, handmade_token({"alg": "RS256", "kid": "r1"}, secret))
    for key, kid in ((keys.e1, "r1"), (keys.r1, "e1"), (keys.r2, "r1"), (keys.r1, "")):
        assert_rejected(with_jwks, token(key, kid))


def test_keys_that_the_token_brings_along_are_ignored(with_jwks: Authentication, keys: SigningKeys) -> None:
    with serve(jwk(keys.r2, "r1")) as foreign:
        embedded_keys = {"jwk": jwk(keys.r2, "r1"), "jku": foreign.url, "x5u": foreign.url, "x5c": ["MIIB"]}
        assert_rejected(with_jwks, token(keys.r2, "r1", embedded_keys))
        assert_accepted(with_jwks, token(keys.r1, "r1", embedded_keys))
        assert foreign.request_count == 0


@pytest.mark.parametrize("crit", [["b64"], ["exp"], [], None, "b64", [7]])
def test_critical_extensions_are_refused(with_secret: Authentication, crit: object) -> None:
    for extra in ({}, {"b64": True}, {"b64": False}, {"exp": 1}):
        assert_rejected(with_secret, handmade_token({"alg": "HS256", "crit": crit, **extra}, SECRET.encode()))


@pytest.mark.parametrize("kid", [None, 7, ["r1"], {}])
def test_a_kid_that_is_no_text_is_refused(with_secret: Authentication, with_jwks: Authentication, kid: object) -> None:
    assert_rejected(with_secret, handmade_token({"alg": "HS256", "kid": kid}, SECRET.encode()))
    assert_rejected(with_jwks, handmade_token({"alg": "RS256", "kid": kid}))


@pytest.fixture(scope="module")
def valid_tokens(keys: SigningKeys) -> Iterator[list[tuple[Authentication, str]]]:
    """A valid token of each algorithm, with what verifies it. The clock stands still, so keys stay fresh."""
    with serve(jwk(keys.r1, "r1"), jwk(keys.e1, "e1")) as provider:
        with_jwks = Authentication(jwks_url=provider.url, clock=FakeClock())
        tokens = [token(keys.r1, "r1", exp=2**40), token(keys.e1, "e1", exp=2**40)]
        cases = [(Authentication(secret=SECRET), token(exp=2**40)), *((with_jwks, one) for one in tokens)]
        for authentication, one in cases:
            assert_accepted(authentication, one)
        yield cases


@given(text=st.text(), prefix=st.sampled_from(["", "Bearer ", "Bearer eyJhbGciOiJIUzI1NiJ9."]))
def test_any_text_is_refused_as_not_authenticated(
    valid_tokens: list[tuple[Authentication, str]], text: str, prefix: str
) -> None:
    for authentication, _ in valid_tokens:
        with pytest.raises(Unauthenticated):
            authentication.caller(prefix + text)


base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(part_index=st.integers(0, 2), position=st.floats(0, 1), character=st.sampled_from(base64url) | st.characters())
def test_a_token_with_one_character_changed_is_refused(
    valid_tokens: list[tuple[Authentication, str]], part_index: int, position: float, character: str
) -> None:
    authentication, good = valid_tokens[part_index]
    index = round(position * (len(good) - 1))
    assume(good[index] != character)
    with pytest.raises(Unauthenticated):
        authentication.caller(f"Bearer {good[:index]}{character}{good[index + 1 :]}")


def test_unused_bits_of_the_last_character_must_be_as_they_were_written(
    valid_tokens: list[tuple[Authentication, str]],
) -> None:
    for authentication, good in valid_tokens:
        for character in set(base64url) - {good[-1]}:
            assert_rejected(authentication, good[:-1] + character)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=5,
)


names = st.sampled_from(["sub", "exp", "nbf", "iat", "iss", "aud", "jti", "scope", "scp"])


headers = st.sampled_from(["alg", "typ", "cty", "kid", "crit", "b64", "jwk", "jku", "zip"])


@given(st.dictionaries(names, values, max_size=4), st.dictionaries(headers, values, max_size=3))
def test_whatever_a_signed_token_says_it_is_accepted_or_refused(
    with_secret: Authentication, claimed: dict[str, Any], jose_header: dict[str, Any]
) -> None:
    for extra_claims in (jose_header, {}):
        try:
            caller = with_secret.caller(
                f"Bearer {handmade_token({'alg': 'HS256', **extra_claims}, SECRET.encode(), **claimed)}"
            )
        except Unauthenticated:
            continue
        assert caller.name == claimed.get("sub", "ana")
        assert all(isinstance(scope, str) for scope in caller.scopes)
