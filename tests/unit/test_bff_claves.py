"""The keys of an identity provider: which ones count, for how long, and what if it is away."""

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

from bff.autenticacion import Autenticacion, NoAutenticado
from bff.claves import CADUCAS, FRESCAS, MAX_JWKS, PAUSA, PLAZO, SinClaves
from tests.tokens import SECRETO, Clave, Llaves, Proveedor, Reloj, a_mano, entra, jwk, rechazado, sin_claves, token

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
