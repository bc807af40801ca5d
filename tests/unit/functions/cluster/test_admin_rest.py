"""The admin REST API as the scripts read it: whom they believe, what they send, what they say when it can't be read."""

from pathlib import Path

import pytest

from functions.cluster.admin_rest import AdminUnavailable, Api
from tests.support.fake_admin import fake_admin
from tests.support.platform import free_ports

PLUGIN = "org.apache.pulsar.client.impl.auth.Authentication"


def test_many_questions_go_over_one_connection() -> None:
    with fake_admin({"/a": (200, [1]), "/b": (200, {"dos": 2})}) as fake:
        api = Api(fake.url + "/", {})
        assert [api.read(path) for path in ("/a", "/b?c=d", "/no")] == [[1], {"dos": 2}, None]
        assert fake.requested == [("/a", None), ("/b?c=d", None), ("/no", None)]
        assert len(fake.connections) == 1


def test_the_token_is_sent_and_a_file_of_it_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    with fake_admin({"/a": (200, [])}) as fake:
        Api(fake.url, {"authPlugin": f"{PLUGIN}Token", "authParams": "token:uno"}).read("/a")
        file.write_text("dos\n")
        api = Api(fake.url, {"authPlugin": f"{PLUGIN}Token", "authParams": f"file://{file}"})
        api.read("/a")
        file.write_text("tres\n")
        api.read("/a")
        file.unlink()
        with pytest.raises(AdminUnavailable, match="No such file") as error:
            api.read("/a")
        assert not error.value.is_transient
    assert [authorization for _, authorization in fake.requested] == ["Bearer uno", "Bearer dos", "Bearer tres"]


def test_another_broker_that_has_the_topic_is_asked_with_the_token_too() -> None:
    with fake_admin({"/a": (200, {"aqui": True})}) as other:
        with fake_admin({"/a": (307, b"", {"Location": f"{other.url}/a"})}) as fake:
            api = Api(fake.url, {"authPlugin": f"{PLUGIN}Token", "authParams": "uno"})
            assert api.read("/a") == {"aqui": True}
        assert other.requested == [("/a", "Bearer uno")]


def test_brokers_that_send_in_circles_are_given_up() -> None:
    with fake_admin({"/a": (307, b"", {"Location": "/a"})}) as fake:
        with pytest.raises(AdminUnavailable, match="answers HTTP 307"):
            Api(fake.url, {}).read("/a")
        assert len(fake.requested) == 6


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ((401, b"<html>"), "answers HTTP 401: is authParams right?"),
        ((403, {"reason": "no permission"}), "answers HTTP 403: no permission"),
        ((500, {"reason": "a bug"}), "answers HTTP 500: a bug"),
        ((404, b"<html>"), "answers HTTP 404: is it the admin API of Pulsar?"),
        ((200, b"<html>"), "answers HTTP 200: is it the admin API of Pulsar?"),
    ],
)
def test_what_is_no_answer_is_said(response: tuple[int, object], expected: str) -> None:
    with fake_admin({"/a": response}) as fake, pytest.raises(AdminUnavailable) as error:
        Api(fake.url, {}).read("/a")
    assert str(error.value) == f"{fake.url}/a {expected}"


def test_nobody_there_is_said_with_the_url() -> None:
    (port,) = free_ports(1)
    with pytest.raises(AdminUnavailable, match=f"http://127.0.0.1:{port} does not answer: Failed .*refused"):
        Api(f"http://127.0.0.1:{port}", {}).read("/a")


@pytest.mark.parametrize(
    ("url", "conf", "expected"),
    [
        ("127.0.0.1:8080", {}, "'127.0.0.1:8080' is no admin URL: it must be http://HOST:PORT"),
        ("pulsar://broker:6650", {}, "is no admin URL"),
        ("http://broker", {"authPlugin": f"{PLUGIN}Sasl"}, "is not supported"),
        ("http://broker", {"authPlugin": f"{PLUGIN}Tls", "authParams": "tlsCertFile:/c"}, "must say tlsKeyFile"),
    ],
)
def test_settings_that_can_not_be_used_are_said_at_once(url: str, conf: dict[str, str], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Api(url, conf)
