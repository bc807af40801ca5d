"""A request as WSGI wants it: nothing of its bytes is lost or decoded."""

import io
from typing import Any

import pytest

from bff.server.environ import environ


def scope(raw_path: bytes = b"/orders", headers: tuple[tuple[bytes, bytes], ...] = (), **others: Any) -> dict[str, Any]:
    described = {
        "method": "POST",
        "scheme": "http",
        "http_version": "1.1",
        "raw_path": raw_path,
        "query_string": b"a=%C3%B1&b=\xff",
        "headers": headers,
        "client": ("10.0.0.7", 4711),
        "server": ("127.0.0.1", 3000),
    }
    return described | others


def test_the_line_and_both_ends_of_the_connection() -> None:
    variables = environ(scope(), io.BytesIO(b"body"), 4)
    assert variables["REQUEST_METHOD"] == "POST"
    assert (variables["SCRIPT_NAME"], variables["PATH_INFO"]) == ("", "/orders")
    assert variables["QUERY_STRING"] == "a=%C3%B1&b=\xff"
    assert variables["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert (variables["REMOTE_ADDR"], variables["SERVER_NAME"], variables["SERVER_PORT"]) == (
        *("10.0.0.7", "127.0.0.1"),
        "3000",
    )
    assert (variables["CONTENT_LENGTH"], variables["wsgi.input"].read()) == ("4", b"body")


@pytest.mark.parametrize(
    ("raw_path", "path"), [(b"/a%2Fb%20c", "/a/b c"), (b"/%C3%B1", "/\xc3\xb1"), (b"//x?y", "//x"), (b"/%ff", "/\xff")]
)
def test_a_path_holds_its_bytes(raw_path: bytes, path: str) -> None:
    assert environ(scope(raw_path), io.BytesIO(), None)["PATH_INFO"] == path


def test_headers_keep_their_bytes_and_all_their_values() -> None:
    headers = ((b"accept", b"a/b"), (b"accept", b"c/d"), (b"x-n", b"\xf1"), (b"content-type", b"text/plain"))
    variables = environ(scope(headers=headers), io.BytesIO(), None)
    assert variables["HTTP_ACCEPT"] == "a/b,c/d"
    assert variables["HTTP_X_N"] == "\xf1"
    assert variables["CONTENT_TYPE"] == "text/plain"
    assert "HTTP_CONTENT_TYPE" not in variables


@pytest.mark.parametrize(("length", "said"), [(None, None), (0, "0"), (7, "7")])
def test_the_length_is_that_of_what_was_read_whatever_was_said(length: int | None, said: str | None) -> None:
    headers = ((b"content-length", b"99"), (b"transfer-encoding", b"chunked"))
    variables = environ(scope(headers=headers), io.BytesIO(), length)
    assert variables.get("CONTENT_LENGTH") == said
    assert "HTTP_TRANSFER_ENCODING" not in variables


def test_a_connection_without_addresses() -> None:
    variables = environ(scope(client=None, server=None), io.BytesIO(), None)
    assert (variables["REMOTE_ADDR"], variables["SERVER_NAME"], variables["SERVER_PORT"]) == ("", "", "0")
