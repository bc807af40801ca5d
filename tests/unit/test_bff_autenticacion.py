"""Tokens: which ones say who sends a request, which ones are refused, and where the keys come from."""

import json
import logging
import math
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import assume, given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, RSAAlgorithm

from bff.autenticacion import (
    CADUCAS,
    FRESCAS,
    MAX_CABECERA,
    MAX_JWKS,
    PAUSA,
    PLAZO,
    Autenticacion,
    Autor,
    NoAutenticado,
    SinClaves,
    alcances_de,
)

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

    class Peticion(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            proveedor.responder(self)

        def log_message(self, *_: Any) -> None:
            pass

    servidor = ThreadingHTTPServer(("127.0.0.1", 0), Peticion)
    proveedor.url = f"http://127.0.0.1:{servidor.server_port}/jwks"
    proveedor.puerta.set()
    hilo = threading.Thread(target=servidor.serve_forever, args=(0.01,))
    hilo.start()
    yield proveedor
    proveedor.puerta.set()
    servidor.shutdown()
    servidor.server_close()
    hilo.join()


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


IMPROPIOS: dict[str, list[Any]] = {
    "use": ["enc", "SIG", None, []],
    "alg": ["RS512", "RSA-OAEP", "ES256", "HS256", None, ["RS256"]],
    "key_ops": [["encrypt"], "verify", None],
    "n": ["", "!", 7, None, "AQAB"],
    "kty": ["EC", "oct", "rsa", None, ["RSA"]],
    "d": ["AQAB"],
}


def test_keys_that_may_not_verify_are_not_used(proveedor: Proveedor, reloj: Reloj, llaves: Llaves) -> None:
    simetrica = {"kty": "oct", "k": urlsafe_b64encode(SECRETO.encode()).decode(), "kid": "x"}
    privada = RSAAlgorithm.to_jwk(llaves.r2, as_dict=True) | {"kid": "x", "key_ops": ["verify"]}
    raros: list[Any] = [privada, None, 7, "x", [], {}, {"kid": "x"}]
    casos: list[tuple[Clave | str, Any]] = [(llaves.r2, raro) for raro in raros]
    casos += [(llaves.r2, jwk(llaves.r2, "x", **{campo: valor})) for campo in IMPROPIOS for valor in IMPROPIOS[campo]]
    casos += [(SECRETO, simetrica), (SECRETO, simetrica | {"alg": "RS256"}), (llaves.e1, jwk(llaves.p384, "x"))]
    casos += [(llaves.e1, jwk(llaves.e1, "x", y="AAAA")), (llaves.e1, jwk(llaves.e1, "x", crv="P-384"))]
    for clave, impropia in casos:
        proveedor.publicar(impropia, jwk(llaves.r1, "r1"), jwk(llaves.e1, "e1"))
        autenticacion = Autenticacion(jwks_url=proveedor.url, reloj=reloj)
        rechazado(autenticacion, token(clave, "x"))
        entra(autenticacion, token(llaves.r1))
        entra(autenticacion, token(llaves.e1))


@pytest.mark.parametrize("extra", [{"use": "sig"}, {"alg": "RS256"}, {"key_ops": ["verify"]}, {"x5c": [], "nota": 1}])
def test_keys_may_say_that_they_are_for_this(
    proveedor: Proveedor, con_jwks: Autenticacion, llaves: Llaves, extra: dict[str, Any]
) -> None:
    proveedor.publicar(jwk(llaves.r2, "x", **extra))
    entra(con_jwks, token(llaves.r2, "x"))


def test_short_rsa_keys_are_refused(proveedor: Proveedor, con_jwks: Autenticacion, llaves: Llaves) -> None:
    proveedor.publicar(jwk(llaves.corta, "x"))
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        corto = token(llaves.corta, "x")
    rechazado(con_jwks, corto)


def test_without_a_kid_the_only_key_of_the_algorithm_is_meant(
    proveedor: Proveedor, reloj: Reloj, con_jwks: Autenticacion, llaves: Llaves
) -> None:
    entra(con_jwks, token(llaves.r1))
    entra(con_jwks, token(llaves.e1))
    proveedor.publicar(jwk(llaves.r1), jwk(llaves.r2, "r2"))
    reloj.ahora += FRESCAS
    rechazado(con_jwks, token(llaves.r1))
    rechazado(con_jwks, token(llaves.e1))
    entra(con_jwks, token(llaves.r2, "r2"))
    assert proveedor.pedidas == 2


def test_keys_are_kept_for_5_minutes_and_a_removed_one_no_longer(
    proveedor: Proveedor, reloj: Reloj, con_jwks: Autenticacion, llaves: Llaves
) -> None:
    entra(con_jwks, token(llaves.r1, "r1"))
    proveedor.publicar(jwk(llaves.r2, "r2"))
    reloj.ahora += FRESCAS - 1
    entra(con_jwks, token(llaves.r1, "r1"))
    assert proveedor.pedidas == 1
    reloj.ahora += 1
    rechazado(con_jwks, token(llaves.r1, "r1"))
    entra(con_jwks, token(llaves.r2, "r2"))
    assert proveedor.pedidas == 2


def test_a_new_key_works_after_one_fetch(
    proveedor: Proveedor, reloj: Reloj, con_jwks: Autenticacion, llaves: Llaves
) -> None:
    entra(con_jwks, token(llaves.r1, "r1"))
    proveedor.publicar(jwk(llaves.r1, "r1"), jwk(llaves.r2, "r2"))
    reloj.ahora += PAUSA
    for _ in range(3):
        entra(con_jwks, token(llaves.r2, "r2"))
        entra(con_jwks, token(llaves.r1, "r1"))
    assert proveedor.pedidas == 2


def test_all_keys_can_be_revoked(proveedor: Proveedor, reloj: Reloj, con_jwks: Autenticacion, llaves: Llaves) -> None:
    entra(con_jwks, token(llaves.r1, "r1"))
    proveedor.publicar()
    reloj.ahora += FRESCAS
    rechazado(con_jwks, token(llaves.r1, "r1"))


def test_unknown_kids_lead_to_one_fetch_in_10_s(
    proveedor: Proveedor, reloj: Reloj, con_jwks: Autenticacion, llaves: Llaves
) -> None:
    inventados = [token(llaves.r2, str(uuid4())) for _ in range(20)]
    for ronda in range(1, 4):
        with ThreadPoolExecutor(20) as hilos:
            list(hilos.map(rechazado, [con_jwks] * 20, inventados))
        assert proveedor.pedidas == ronda
        reloj.ahora += PAUSA - 1
        rechazado(con_jwks, inventados[0])
        assert proveedor.pedidas == ronda
        reloj.ahora += 1


def test_threads_that_need_the_first_keys_wait_for_one_fetch(
    proveedor: Proveedor, con_jwks: Autenticacion, llaves: Llaves
) -> None:
    proveedor.puerta.clear()
    with ThreadPoolExecutor(10) as hilos:
        todos = [hilos.submit(entra, con_jwks, token(llaves.r1, "r1")) for _ in range(10)]
        proveedor.esperar_pedidas(1)
        proveedor.puerta.set()
        for uno in todos:
            uno.result()
    assert proveedor.pedidas == 1


@pytest.mark.parametrize("edad", [PAUSA, FRESCAS])
def test_a_fetch_does_not_hold_up_threads_whose_key_is_known(
    proveedor: Proveedor, reloj: Reloj, con_jwks: Autenticacion, llaves: Llaves, edad: float
) -> None:
    entra(con_jwks, token(llaves.r1, "r1"))
    proveedor.puerta.clear()
    reloj.ahora += edad
    with ThreadPoolExecutor(1) as hilos:
        quien = token(llaves.r2, "r2") if edad < FRESCAS else token(llaves.r1, "r1")
        espera = hilos.submit(con_jwks.autor, f"Bearer {quien}")
        proveedor.esperar_pedidas(2)
        entra(con_jwks, token(llaves.r1, "r1"))
        assert not espera.done()
        proveedor.puerta.set()
        assert (espera.exception() is None) == (edad == FRESCAS)


def test_while_the_provider_is_away_known_keys_are_used_for_an_hour(
    proveedor: Proveedor, reloj: Reloj, con_jwks: Autenticacion, llaves: Llaves
) -> None:
    entra(con_jwks, token(llaves.r1, "r1"))
    proveedor.estado = 500
    for edad in (FRESCAS, FRESCAS + 1, CADUCAS - 1):
        reloj.ahora = 5000 + edad
        entra(con_jwks, token(llaves.r1, "r1"))
        sin_claves(con_jwks, token(llaves.r2, "r2"))
    assert proveedor.pedidas == 3
    reloj.ahora = 5000 + CADUCAS
    sin_claves(con_jwks, token(llaves.r1, "r1"))
    proveedor.estado = 200
    reloj.ahora += PAUSA
    entra(con_jwks, token(llaves.r1, "r1"))


def _enorme(proveedor: Proveedor) -> None:
    proveedor.cuerpo = proveedor.cuerpo.ljust(MAX_JWKS + 1)


def _que_diga(cuerpo: bytes, estado: int = 200) -> Callable[[Proveedor], None]:
    def cambiar(proveedor: Proveedor) -> None:
        proveedor.cuerpo, proveedor.estado = cuerpo, estado

    return cambiar


AVERIAS = [_enorme, *(_que_diga(b'{"keys": []}', estado) for estado in (201, 301, 404, 500, 503))]
AVERIAS += [_que_diga(cuerpo) for cuerpo in (b"", b"{", b"\xff", b"[]", b"7", b"{}", b'{"keys": {}}', b"[" * 50_000)]


@pytest.mark.parametrize("averia", AVERIAS)
def test_a_broken_provider_is_no_reason_to_refuse_tokens_as_invalid(
    proveedor: Proveedor, reloj: Reloj, con_jwks: Autenticacion, llaves: Llaves, averia: Callable[[Proveedor], None]
) -> None:
    averia(proveedor)
    for _ in range(3):
        sin_claves(con_jwks, token(llaves.r1, "r1"))
    assert proveedor.pedidas == 1
    proveedor.publicar(jwk(llaves.r1, "r1"))
    reloj.ahora += PAUSA
    entra(con_jwks, token(llaves.r1, "r1"))


def test_the_largest_answer(proveedor: Proveedor, con_jwks: Autenticacion, llaves: Llaves) -> None:
    proveedor.cuerpo = proveedor.cuerpo.ljust(MAX_JWKS)
    entra(con_jwks, token(llaves.r1, "r1"))


def test_redirects_are_not_followed(proveedor: Proveedor, llaves: Llaves) -> None:
    autenticacion = Autenticacion(jwks_url=proveedor.url.replace("/jwks", "/vieja"))
    sin_claves(autenticacion, token(llaves.r1, "r1"))
    assert proveedor.pedidas == 1


def test_proxies_of_the_environment_are_not_used(
    con_jwks: Autenticacion, llaves: Llaves, monkeypatch: pytest.MonkeyPatch
) -> None:
    for nombre in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(nombre, "http://127.0.0.1:1")
    for nombre in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(nombre, raising=False)
    entra(con_jwks, token(llaves.r1, "r1"))


def test_a_provider_that_hangs_costs_2_s_and_only_once(
    proveedor: Proveedor, reloj: Reloj, con_jwks: Autenticacion, llaves: Llaves
) -> None:
    proveedor.puerta.clear()
    inicio = time.monotonic()
    sin_claves(con_jwks, token(llaves.r1, "r1"))
    assert PLAZO - 0.1 < time.monotonic() - inicio < PLAZO + 1
    for hilo in threading.enumerate():
        if hilo.name == "jwks":
            hilo.join(1)
            assert not hilo.is_alive()
    sin_claves(con_jwks, token(llaves.r1, "r1"))
    assert time.monotonic() - inicio < PLAZO + 2
    assert proveedor.pedidas == 1


def test_a_provider_that_never_ends_its_answer_is_waited_for_once_and_not_asked_again_meanwhile(
    proveedor: Proveedor, reloj: Reloj, con_jwks: Autenticacion, llaves: Llaves
) -> None:
    proveedor.gotea = True
    proveedor.puerta.clear()
    inicio = time.monotonic()
    for _ in range(3):
        sin_claves(con_jwks, token(llaves.r1, "r1"))
        reloj.ahora += PAUSA
    assert time.monotonic() - inicio < PLAZO + 1
    assert proveedor.pedidas == 1


def test_nothing_of_a_token_is_logged(
    proveedor: Proveedor, reloj: Reloj, con_jwks: Autenticacion, llaves: Llaves, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    criticos = a_mano({"alg": "RS256", "crit": ["crit-secreto"]})
    unos = [
        criticos,
        token(llaves.r1, "kid-secreto", sub="sub-secreto"),
        a_mano({"alg": "RS256", "kid": "kid-secreto"}),
        "a.b.c",
    ]
    for estado in (200, 500):
        proveedor.estado = estado
        for uno in unos:
            with pytest.raises((NoAutenticado, SinClaves)) as capturado:
                con_jwks.autor(f"Bearer {uno}")
            logging.getLogger("prueba").exception("así se registra", exc_info=capturado.value)
        reloj.ahora += PAUSA
    assert "can't get the keys" in caplog.text
    assert not [trozo for uno in unos[:3] for trozo in (*uno.split("."), "secreto") if trozo in caplog.text]


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
