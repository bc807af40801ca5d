"""Tokens: which ones say who sends a request, and which ones are refused."""

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

from bff.autenticacion import MAX_CABECERA, Autenticacion, Autor, NoAutenticado, alcances_de
from bff.claves import PAUSA
from tests.tokens import (
    SECRETO,
    Clave,
    Llaves,
    Proveedor,
    Reloj,
    a_mano,
    claims,
    entra,
    jwk,
    rechazado,
    rechazo,
    servir,
    token,
)


@pytest.mark.parametrize(
    ("parametros", "texto"),
    [
        ({}, "exactly one"),
        ({"secreto": SECRETO, "jwks_url": "https://id.test/"}, "exactly one"),
        ({"secreto": ""}, "0 bytes"),
        ({"secreto": SECRETO[1:]}, "31 bytes"),
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
def test_parameters_that_are_not_safe_are_refused(parametros: dict[str, str], texto: str) -> None:
    with pytest.raises(ValueError, match=texto):
        Autenticacion(**parametros)  # type: ignore[arg-type]


def test_a_public_key_is_no_secret(llaves: Llaves) -> None:
    for secreto in (pem(llaves.r1), json.dumps(jwk(llaves.r1))):
        with pytest.raises(ValueError, match="everybody"):
            Autenticacion(secreto=secreto)


@pytest.mark.parametrize(
    "url", ["https://id.test", "https://id.test:8443/a?b", "http://localhost:1/a", "http://[::1]/", "http://127.1.2.3"]
)
def test_safe_urls_are_accepted_and_not_yet_called(url: str) -> None:
    Autenticacion(jwks_url=url)


def pem(clave: Clave) -> str:
    formato = serialization.PublicFormat.SubjectPublicKeyInfo
    return clave.public_key().public_bytes(serialization.Encoding.PEM, formato).decode()


def test_a_token_says_who_and_what_for(con_secreto: Autenticacion, con_jwks: Autenticacion, llaves: Llaves) -> None:
    dichos = {"sub": "José", "scope": "orders:read orders:write"}
    tokens = [(con_secreto, token(**dichos)), (con_secreto, token(SECRETO, "da igual", **dichos))]
    tokens += [(con_jwks, token(llaves.r1, "r1", **dichos)), (con_jwks, token(llaves.e1, "e1", **dichos))]
    for autenticacion, un_token in tokens:
        autor = autenticacion.autor(f"Bearer {un_token}")
        assert autor == Autor("José", frozenset({"orders:read", "orders:write"}))
        assert autor.puede("orders:read")
        assert not autor.puede("orders")


@pytest.mark.parametrize("forma", ["Bearer {}", "bearer {}", "BEARER   {}", " Bearer {} "])
def test_the_scheme_may_be_written_in_many_ways(con_secreto: Autenticacion, forma: str) -> None:
    assert con_secreto.autor(forma.format(token())).nombre == "ana"


@pytest.mark.parametrize("cabecera", [None, "", " ", "Bearer", "Bearer  ", "Basic YTpi", "Bearer\tx", "a.b.c"])
def test_no_token_is_no_invalid_token(con_secreto: Autenticacion, cabecera: str | None) -> None:
    assert rechazo(con_secreto, cabecera).error is None


@pytest.mark.parametrize(
    "forma", ["{0} {0}", "{0},", "{0}=", '"{0}"', "{0}.", "{0}.a.b", ".{0}", "a", "..", "a.b.c", "á.b.c", "\ud83d.b.c"]
)
def test_what_is_no_jwt_is_refused(con_secreto: Autenticacion, forma: str) -> None:
    rechazado(con_secreto, forma.format(token()))


def test_the_header_has_a_longest_size(con_secreto: Autenticacion) -> None:
    cabecera = f"Bearer {token(relleno='a' * (MAX_CABECERA * 3 // 4 - 200))}".ljust(MAX_CABECERA)
    assert con_secreto.autor(cabecera).nombre == "ana"
    assert "too long" in str(rechazo(con_secreto, f"{cabecera} "))


CLAIMS_MALOS: dict[str, list[Any]] = {
    "sub": ["", " ", " ana", "ana\n", "a" * 256, "a\0b", "a\x85b", "\ud83d", None, 7, ["ana"]],
    "exp": [None, "mañana", [], {}, math.nan, -math.inf, 0, -1, True],
    "nbf": [None, "mañana", [], math.nan, math.inf, 10**40],
    "iat": [None, "mañana", [], math.nan, math.inf, 10**40],
    "scope": [None, 7, ["orders:read"], {}],
}


@pytest.mark.parametrize("claim", CLAIMS_MALOS)
def test_wrong_claims_are_refused(con_secreto: Autenticacion, claim: str) -> None:
    for valor in CLAIMS_MALOS[claim]:
        rechazado(con_secreto, token(**{claim: valor}))


def test_a_name_may_have_255_characters(con_secreto: Autenticacion) -> None:
    assert con_secreto.autor(f"Bearer {token(sub='ñ' * 255)}").nombre == "ñ" * 255


@pytest.mark.parametrize("claim", ["sub", "exp"])
def test_claims_that_must_be_there_are_named(con_secreto: Autenticacion, claim: str) -> None:
    resto = {nombre: valor for nombre, valor in claims().items() if nombre != claim}
    assert f"lacks the claim {claim}" in str(rechazado(con_secreto, jwt.encode(resto, SECRETO, "HS256")))


@pytest.mark.parametrize(
    ("claim", "dentro", "fuera", "texto"),
    [("exp", -25, -31, "expired"), ("nbf", 29, 36, "not valid yet"), ("iat", 29, 36, "not valid yet")],
)
def test_clocks_may_differ_by_30_s(con_secreto: Autenticacion, claim: str, dentro: int, fuera: int, texto: str) -> None:
    ahora = int(time.time())
    entra(con_secreto, token(**{claim: ahora + dentro}))
    assert texto in str(rechazado(con_secreto, token(**{claim: ahora + fuera})))
    rechazado(Autenticacion(secreto=SECRETO, holgura=0), token(**{claim: ahora + dentro}))


@pytest.mark.parametrize(
    ("emisor", "audiencia", "dichos", "valido"),
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
def test_issuer_and_audience(emisor: str | None, audiencia: str | None, dichos: dict[str, Any], valido: bool) -> None:
    autenticacion = Autenticacion(secreto=SECRETO, emisor=emisor, audiencia=audiencia)
    (entra if valido else rechazado)(autenticacion, token(**dichos))


@pytest.mark.parametrize(
    ("dichos", "alcances"),
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
def test_scopes_are_read_from_either_claim(dichos: dict[str, Any], alcances: set[str]) -> None:
    assert alcances_de(dichos) == alcances


@pytest.mark.parametrize(
    "dichos", [{"scope": None}, {"scope": ["a"]}, {"scope": 1}, {"scp": None}, {"scp": ["a", 1]}, {"scp": {"a": 1}}]
)
def test_scopes_of_another_type_are_refused(dichos: dict[str, Any]) -> None:
    with pytest.raises(NoAutenticado, match="scopes"):
        alcances_de(dichos)


def test_a_secret_verifies_hs256_only(con_secreto: Autenticacion, llaves: Llaves) -> None:
    crudo = SECRETO.encode()
    algs: list[Any] = ["none", "None", "", "hs256", "HS384", "HS512", "RS256", "ES256", None, 7, ["HS256"], {}]
    for alg in algs:
        rechazado(con_secreto, a_mano({"alg": alg}, crudo))
        rechazado(con_secreto, a_mano({"alg": alg}))
    for malo in (a_mano({}, crudo), a_mano({"alg": "HS256"}, b"otra"), token(llaves.r1, "r1"), token(llaves.e1)):
        rechazado(con_secreto, malo)
    rechazado(con_secreto, a_mano({"alg": "HS256"}, crudo).rpartition(".")[0] + ".")
    entra(con_secreto, a_mano({"alg": "HS256"}, crudo))


def test_keys_verify_their_own_algorithm_only(
    con_jwks: Autenticacion, proveedor: Proveedor, llaves: Llaves, reloj: Reloj
) -> None:
    entra(con_jwks, token(llaves.r1, "r1"))
    publicas = (pem(llaves.r1).encode(), json.dumps(jwk(llaves.r1)).encode(), SECRETO.encode(), b"")
    algs: list[Any] = ["none", "HS256", "HS512", "PS256", "RS512", "ES384", "EdDSA", "rs256", None, ["RS256"]]
    for alg in algs:
        reloj.ahora += PAUSA
        for secreto in (*publicas, None):
            rechazado(con_jwks, a_mano({"alg": alg, "kid": "r1"}, secreto))
    assert proveedor.pedidas == 1, "these need no keys"
    for secreto in publicas:
        rechazado(con_jwks, a_mano({"alg": "RS256", "kid": "r1"}, secreto))
    for clave, kid in ((llaves.e1, "r1"), (llaves.r1, "e1"), (llaves.r2, "r1"), (llaves.r1, "")):
        rechazado(con_jwks, token(clave, kid))


def test_keys_that_the_token_brings_along_are_ignored(con_jwks: Autenticacion, llaves: Llaves) -> None:
    with servir(jwk(llaves.r2, "r1")) as ajeno:
        traidas = {"jwk": jwk(llaves.r2, "r1"), "jku": ajeno.url, "x5u": ajeno.url, "x5c": ["MIIB"]}
        rechazado(con_jwks, token(llaves.r2, "r1", traidas))
        entra(con_jwks, token(llaves.r1, "r1", traidas))
        assert ajeno.pedidas == 0


@pytest.mark.parametrize("crit", [["b64"], ["exp"], [], None, "b64", [7]])
def test_critical_extensions_are_refused(con_secreto: Autenticacion, crit: object) -> None:
    for extra in ({}, {"b64": True}, {"b64": False}, {"exp": 1}):
        rechazado(con_secreto, a_mano({"alg": "HS256", "crit": crit, **extra}, SECRETO.encode()))


@pytest.mark.parametrize("kid", [None, 7, ["r1"], {}])
def test_a_kid_that_is_no_text_is_refused(con_secreto: Autenticacion, con_jwks: Autenticacion, kid: object) -> None:
    rechazado(con_secreto, a_mano({"alg": "HS256", "kid": kid}, SECRETO.encode()))
    rechazado(con_jwks, a_mano({"alg": "RS256", "kid": kid}))


@pytest.fixture(scope="module")
def validos(llaves: Llaves) -> Iterator[list[tuple[Autenticacion, str]]]:
    """A valid token of each algorithm; the clock of the keys stands still."""
    with servir(jwk(llaves.r1, "r1"), jwk(llaves.e1, "e1")) as proveedor:
        con_jwks = Autenticacion(jwks_url=proveedor.url, reloj=Reloj())
        tokens = [token(llaves.r1, "r1", exp=2**40), token(llaves.e1, "e1", exp=2**40)]
        todos = [(Autenticacion(secreto=SECRETO), token(exp=2**40)), *((con_jwks, uno) for uno in tokens)]
        for autenticacion, uno in todos:
            entra(autenticacion, uno)
        yield todos


@given(texto=st.text(), prefijo=st.sampled_from(["", "Bearer ", "Bearer eyJhbGciOiJIUzI1NiJ9."]))
def test_any_text_is_refused_as_not_authenticated(
    validos: list[tuple[Autenticacion, str]], texto: str, prefijo: str
) -> None:
    for autenticacion, _ in validos:
        with pytest.raises(NoAutenticado):
            autenticacion.autor(prefijo + texto)


base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(cual=st.integers(0, 2), lugar=st.floats(0, 1), letra=st.sampled_from(base64url) | st.characters())
def test_a_token_with_one_character_changed_is_refused(
    validos: list[tuple[Autenticacion, str]], cual: int, lugar: float, letra: str
) -> None:
    autenticacion, bueno = validos[cual]
    indice = round(lugar * (len(bueno) - 1))
    assume(bueno[indice] != letra)
    with pytest.raises(NoAutenticado):
        autenticacion.autor(f"Bearer {bueno[:indice]}{letra}{bueno[indice + 1 :]}")


def test_unused_bits_of_the_last_character_must_be_as_they_were_written(
    validos: list[tuple[Autenticacion, str]],
) -> None:
    for autenticacion, bueno in validos:
        for letra in set(base64url) - {bueno[-1]}:
            rechazado(autenticacion, bueno[:-1] + letra)


valores = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda hijos: st.lists(hijos, max_size=3) | st.dictionaries(st.text(max_size=3), hijos, max_size=3),
    max_leaves=5,
)


nombres = st.sampled_from(["sub", "exp", "nbf", "iat", "iss", "aud", "jti", "scope", "scp"])


cabezas = st.sampled_from(["alg", "typ", "cty", "kid", "crit", "b64", "jwk", "jku", "zip"])


@given(st.dictionaries(nombres, valores, max_size=4), st.dictionaries(cabezas, valores, max_size=3))
def test_whatever_a_signed_token_says_it_is_accepted_or_refused(
    con_secreto: Autenticacion, dichos: dict[str, Any], cabeza: dict[str, Any]
) -> None:
    for mas in (cabeza, {}):
        try:
            autor = con_secreto.autor(f"Bearer {a_mano({'alg': 'HS256', **mas}, SECRETO.encode(), **dichos)}")
        except NoAutenticado:
            continue
        assert autor.nombre == dichos.get("sub", "ana")
        assert all(isinstance(alcance, str) for alcance in autor.alcances)
