"""Raw HTTP requests, each made of a seed and its number: bodies and headers of every kind of wrong, and right ones."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import UUID

from tests.fuzz.texts import as_xml, fields, to_json

_PATHS: Final = ("/orders",) * 5 + ("/productos",) * 3 + ("/conductores",)
_MEDIA_TYPES: Final = (
    "application/json; charset=utf-16", "application/xml; charset=latin-1", "text/xml;charset=\"utf-8\"", "text/plain",
    "application/json;;;charset", "application/json, text/xml", "a/b;c=\xf1", "", "/",
    "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/json; charset*=utf-8''utf-8",
    "x" * 5000, "application/xml+json",
)  # fmt: skip
_HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "Accept": (
        "application/xml", "text/xml;q=0.1, application/json;q=0", "*/*;q=0", "text/html", ";q", "a/b;q=nan", "*",
        ",,,", "application/json;q=1e999", ", ".join(["text/xml"] * 500), "application/*;q=-1", "\xff",
    ),
    "Idempotency-Key": ("", " ", '"', '""', "a" * 255, "a" * 256, "\xf1", "a b", "a\tb", "0", '"0"', "\x7f", "%00"),
    "Prefer": ("", "wait", "wait=", "wait=-1", "wait=999999999999", "wait=0", "wait=\xb2", 'wait="0"; x', ";=,"),
    "If-None-Match": ("", "*", '"', 'W/"', '"a", W/"b", *', "\xff", '"' + "a" * 5000 + '"', ",".join(['"a"'] * 1000)),
    "If-Modified-Since": ("", "0", "Mon, 99 Foo 9999 99:99:99 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"),
    "traceparent": ("", "00", f"00-{0:032}-{0:016}-00", f"ff-{'f' * 32}-{'f' * 16}-01", "\xff"),
    "Last-Event-ID": ("", "-1", "9" * 400, "\xff", "a b"),
    "Content-Encoding": ("gzip", "identity", "br, gzip", "\xff"),
    "Range": ("bytes=0-0", "bytes=-1", "bytes=5-1", "bytes=0-0,2-3"),
    "X-Forwarded-For": ("", "a" * 5000), "Cookie": ("a", "=;=", "\xff"), "Origin": ("null", "http://x"),
    "Content-Location": ("\xff",), "X-HTTP-Method-Override": ("DELETE",), "Expect": ("100-continue", "x"),
}  # fmt: skip
_QUERIES: Final = (
    "?limit=0", "?limit=99999999999999999999999", "?limit=%F0", "?cursor=", "?cursor=AAAA", "?estado=%00",
    "?user_id=%ED%A0%80", "?desde=T", "?&&=&%", "?limit=2&limit=x", "?limit=2.0", "?id_producto=%7B%7D",
    "?desde=0001-01-01T00:00:00%2B14:00", "?hasta=9999-12-31T23:59:59-14:00", "?desde=2026-W01-1T00:00Z",
    "?user_id=" + "a" * 300, "?desde=2026-01-01T00:00:00.1234567891Z",
    "?cursor=MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMCA3MTEyNWNkYy1lYmMxLTRjZWMtOTBlZS1hOTZlMGJiN2I1M2E",
)  # fmt: skip
_TOO_LARGE: Final = 1 << 20
"""Bytes of a body of which the server reads no more than its head."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    raw: bytes
    is_complete: bool
    """Its body is as long as it says: it gets one answer, and the connection goes on."""


def request(seed: int, number: int) -> Request:
    rng = Random(f"{seed}/{number}")
    path = rng.choice(_PATHS)
    is_json = rng.random() < 0.5
    text = (to_json if is_json else as_xml)(rng, fields(rng, path))
    body = _corrupted(rng, _encoded(rng, text))
    method, target = ("POST", path) if rng.random() < 0.85 else _other_request(rng, path)
    media_type = rng.choice(("application/json",) if is_json else ("application/xml", "text/xml"))
    headers = [("Host", "x"), ("Content-Type", media_type if rng.random() < 0.85 else rng.choice(_MEDIA_TYPES))]
    for name in rng.sample(list(_HEADERS), rng.choice((0, 0, 0, 1, 1, 2, 4))):
        headers.append((name, rng.choice(_HEADERS[name])))
        if name == "Content-Encoding" and rng.random() < 0.5:
            body = gzip.compress(b"\0" * 10_000_000 if rng.random() < 0.2 else body, mtime=0)
    framing, after_head, is_complete = _framed(rng, body)
    head = "".join(f"{name}: {value}\r\n" for name, value in (*headers, *framing))
    raw = f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + after_head
    return Request(method, raw, is_complete)


def _other_request(rng: Random, path: str) -> tuple[str, str]:
    """Another method, or another path: still with a body."""
    resource = f"{path}/{UUID(int=rng.getrandbits(128))}"
    query = rng.choice(("/orders", "/productos")) + rng.choice(_QUERIES)
    odd_targets = (
        "/",
        "*",
        "/orders/%00",
        "/orders//",
        "/orders/..%2f",
        "http://x/orders",
        "/" + "a" * 8000,
        "/\xff",
        "/orders#x",
    )
    target = rng.choice((path, resource, f"{resource}/saga", query, query, query, rng.choice(odd_targets)))
    return rng.choice(("GET", "GET", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")), target


def _encoded(rng: Random, text: str) -> bytes:
    if rng.random() < 0.85:
        return text.encode("utf-8", "surrogatepass" if rng.random() < 0.5 else "replace")
    encoding = rng.choice(("utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-le", "latin-1", "cp037", "utf-7"))
    return text.encode(encoding, "replace")


def _corrupted(rng: Random, raw: bytes) -> bytes:
    if rng.random() < 0.65 or not raw:
        return raw
    position = rng.randrange(len(raw))
    corrupt: Callable[[], bytes] = rng.choice((
        lambda: raw[:position],
        lambda: raw[:position] + bytes([raw[position] ^ 1 << rng.randrange(8)]) + raw[position + 1 :],
        lambda: raw[:position] + rng.choice((b"\0", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80")) + raw[position:],
        lambda: raw[:position] + rng.randbytes(rng.randint(1, 50)) + raw[position:],
        lambda: raw[position:] + raw[:position],
        lambda: rng.randbytes(rng.choice((1, 100, 60_000))),
        lambda: raw.ljust(rng.choice((65_536, 65_537, 70_000, 1_200_000)), b" "),
    ))  # fmt: skip
    return corrupt()


def _framed(rng: Random, body: bytes) -> tuple[list[tuple[str, str]], bytes, bool]:
    """Headers that say how long the body is, the bytes that are sent as it, and whether the two agree."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(t), t) for t in (body[:100], body[100:]) if t) + b"0\r\n\r\n"
    length, chunked = ("Content-Length", str(len(body))), ("Transfer-Encoding", "chunked")
    if (draw := rng.random()) < 0.85:
        return [length], body, len(body) < _TOO_LARGE
    if draw < 0.92:
        return [chunked], chunks, len(body) < _TOO_LARGE
    headers, sent = rng.choice((
        ([("Content-Length", str(len(body) // 2))], body),
        ([("Content-Length", str(len(body) + 10))], body),
        ([("Content-Length", rng.choice(("-1", "x", "1e3", "+5", "", "9" * 30, "0x10")))], body),
        ([length, length], body),
        ([length, chunked], chunks),
        ([chunked], rng.choice((chunks[:-5], b"zz\r\n" + body, b"-1\r\n", body))),
        ([("Transfer-Encoding", rng.choice(("gzip, chunked", "identity", "xchunked", "chunked, chunked")))], chunks),
        ([(" X", "y"), length], body),
        ([("X", "y\r\n z"), length], body),
        ([("X\0", "\0"), length], body),
        ([(f"X{n}", "y" * 3000) for n in range(100)], body),
        ([], body),
    ))  # fmt: skip
    return headers, sent, False
