"""The admin REST API as the scripts read it: whom they believe, what they send, what they say when it can't be read."""

from pathlib import Path

import pytest

from functions.comun.cluster.admin_rest import Api, NoContesta
from tests.admin_falso import admin_falso
from tests.plataforma import libres

PLUGIN = "org.apache.pulsar.client.impl.auth.Authentication"


def test_many_questions_go_over_one_connection() -> None:
    with admin_falso({"/a": (200, [1]), "/b": (200, {"dos": 2})}) as falso:
        api = Api(falso.url + "/", {})
        assert [api.leer(ruta) for ruta in ("/a", "/b?c=d", "/no")] == [[1], {"dos": 2}, None]
        assert falso.pedidas == [("/a", None), ("/b?c=d", None), ("/no", None)]
        assert len(falso.conexiones) == 1


def test_the_token_is_sent_and_a_file_of_it_is_read_each_time(tmp_path: Path) -> None:
    archivo = tmp_path / "token"
    with admin_falso({"/a": (200, [])}) as falso:
        Api(falso.url, {"authPlugin": f"{PLUGIN}Token", "authParams": "token:uno"}).leer("/a")
        archivo.write_text("dos\n")
        api = Api(falso.url, {"authPlugin": f"{PLUGIN}Token", "authParams": f"file://{archivo}"})
        api.leer("/a")
        archivo.write_text("tres\n")
        api.leer("/a")
        archivo.unlink()
        with pytest.raises(NoContesta, match="No such file"):
            api.leer("/a")
    assert [autorizacion for _, autorizacion in falso.pedidas] == ["Bearer uno", "Bearer dos", "Bearer tres"]


def test_another_broker_that_has_the_topic_is_asked_with_the_token_too() -> None:
    with admin_falso({"/a": (200, {"aqui": True})}) as otro:
        with admin_falso({"/a": (307, b"", {"Location": f"{otro.url}/a"})}) as falso:
            api = Api(falso.url, {"authPlugin": f"{PLUGIN}Token", "authParams": "uno"})
            assert api.leer("/a") == {"aqui": True}
        assert otro.pedidas == [("/a", "Bearer uno")]


def test_brokers_that_send_in_circles_are_given_up() -> None:
    with admin_falso({"/a": (307, b"", {"Location": "/a"})}) as falso:
        with pytest.raises(NoContesta, match="answers HTTP 307"):
            Api(falso.url, {}).leer("/a")
        assert len(falso.pedidas) == 6


@pytest.mark.parametrize(
    ("respuesta", "dicho"),
    [
        ((401, b"<html>"), "answers HTTP 401: is authParams right?"),
        ((403, {"reason": "no permission"}), "answers HTTP 403: no permission"),
        ((500, {"reason": "a bug"}), "answers HTTP 500: a bug"),
        ((404, b"<html>"), "answers HTTP 404: is it the admin API of Pulsar?"),
        ((200, b"<html>"), "answers HTTP 200: is it the admin API of Pulsar?"),
    ],
)
def test_what_is_no_answer_is_said(respuesta: tuple[int, object], dicho: str) -> None:
    with admin_falso({"/a": respuesta}) as falso, pytest.raises(NoContesta) as error:
        Api(falso.url, {}).leer("/a")
    assert str(error.value) == f"{falso.url}/a {dicho}"


def test_nobody_there_is_said_with_the_url() -> None:
    (puerto,) = libres(1)
    with pytest.raises(NoContesta, match=f"http://127.0.0.1:{puerto} does not answer: Failed .*refused"):
        Api(f"http://127.0.0.1:{puerto}", {}).leer("/a")


@pytest.mark.parametrize(
    ("url", "conf", "dicho"),
    [
        ("127.0.0.1:8080", {}, "'127.0.0.1:8080' is no admin URL: it must be http://HOST:PORT"),
        ("pulsar://broker:6650", {}, "is no admin URL"),
        ("http://broker", {"authPlugin": f"{PLUGIN}Sasl"}, "is not supported"),
        ("http://broker", {"authPlugin": f"{PLUGIN}Tls", "authParams": "tlsCertFile:/c"}, "must say tlsKeyFile"),
    ],
)
def test_settings_that_can_not_be_used_are_said_at_once(url: str, conf: dict[str, str], dicho: str) -> None:
    with pytest.raises(ValueError, match=dicho):
        Api(url, conf)
