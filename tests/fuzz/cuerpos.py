"""Raw HTTP requests, each made of a seed and its number: bodies and headers of every kind of wrong, and right ones."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import UUID

from tests.fuzz.textos import campos, en_json, en_xml

_RUTAS: Final = ("/orders",) * 5 + ("/productos",) * 3 + ("/conductores",)
_TIPOS: Final = (
    "application/json; charset=utf-16", "application/xml; charset=latin-1", "text/xml;charset=\"utf-8\"", "text/plain",
    "application/json;;;charset", "application/json, text/xml", "a/b;c=\xf1", "", "/",
    "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/json; charset*=utf-8''utf-8",
    "x" * 5000, "application/xml+json",
)  # fmt: skip
_CABECERAS: Final[dict[str, tuple[str, ...]]] = {
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
_CONSULTAS: Final = (
    "?limit=0", "?limit=99999999999999999999999", "?limit=%F0", "?cursor=", "?cursor=AAAA", "?estado=%00",
    "?user_id=%ED%A0%80", "?desde=T", "?&&=&%", "?limit=2&limit=x", "?limit=2.0", "?id_producto=%7B%7D",
    "?desde=0001-01-01T00:00:00%2B14:00", "?hasta=9999-12-31T23:59:59-14:00", "?desde=2026-W01-1T00:00Z",
    "?user_id=" + "a" * 300, "?desde=2026-01-01T00:00:00.1234567891Z",
    "?cursor=MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMCA3MTEyNWNkYy1lYmMxLTRjZWMtOTBlZS1hOTZlMGJiN2I1M2E",
)  # fmt: skip
_DEMASIADO: Final = 1 << 20
"""Bytes of a body of which the server reads no more than its head."""


@dataclass(frozen=True, slots=True)
class Peticion:
    metodo: str
    crudo: bytes
    entera: bool
    """Its body is as long as it says: it gets one answer, and the connection goes on."""


def peticion(semilla: int, numero: int) -> Peticion:
    azar = Random(f"{semilla}/{numero}")
    ruta = azar.choice(_RUTAS)
    es_json = azar.random() < 0.5
    texto = (en_json if es_json else en_xml)(azar, campos(azar, ruta))
    cuerpo = _estropeado(azar, _codificado(azar, texto))
    metodo, destino = ("POST", ruta) if azar.random() < 0.85 else _otra(azar, ruta)
    tipo = azar.choice(("application/json",) if es_json else ("application/xml", "text/xml"))
    cabeceras = [("Host", "x"), ("Content-Type", tipo if azar.random() < 0.85 else azar.choice(_TIPOS))]
    for nombre in azar.sample(list(_CABECERAS), azar.choice((0, 0, 0, 1, 1, 2, 4))):
        cabeceras.append((nombre, azar.choice(_CABECERAS[nombre])))
        if nombre == "Content-Encoding" and azar.random() < 0.5:
            cuerpo = gzip.compress(b"\0" * 10_000_000 if azar.random() < 0.2 else cuerpo, mtime=0)
    marco, tras_ella, entera = _enmarcado(azar, cuerpo)
    cabeza = "".join(f"{nombre}: {valor}\r\n" for nombre, valor in (*cabeceras, *marco))
    crudo = f"{metodo} {destino} HTTP/1.1\r\n{cabeza}\r\n".encode("latin-1") + tras_ella
    return Peticion(metodo, crudo, entera)


def _otra(azar: Random, ruta: str) -> tuple[str, str]:
    """Another method, or another path: still with a body."""
    cosa = f"{ruta}/{UUID(int=azar.getrandbits(128))}"
    consulta = azar.choice(("/orders", "/productos")) + azar.choice(_CONSULTAS)
    raras = (
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
    destino = azar.choice((ruta, cosa, f"{cosa}/saga", consulta, consulta, consulta, azar.choice(raras)))
    return azar.choice(("GET", "GET", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")), destino


def _codificado(azar: Random, texto: str) -> bytes:
    if azar.random() < 0.85:
        return texto.encode("utf-8", "surrogatepass" if azar.random() < 0.5 else "replace")
    codificacion = azar.choice(("utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-le", "latin-1", "cp037", "utf-7"))
    return texto.encode(codificacion, "replace")


def _estropeado(azar: Random, crudo: bytes) -> bytes:
    if azar.random() < 0.65 or not crudo:
        return crudo
    donde = azar.randrange(len(crudo))
    estropear: Callable[[], bytes] = azar.choice((
        lambda: crudo[:donde],
        lambda: crudo[:donde] + bytes([crudo[donde] ^ 1 << azar.randrange(8)]) + crudo[donde + 1 :],
        lambda: crudo[:donde] + azar.choice((b"\0", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80")) + crudo[donde:],
        lambda: crudo[:donde] + azar.randbytes(azar.randint(1, 50)) + crudo[donde:],
        lambda: crudo[donde:] + crudo[:donde],
        lambda: azar.randbytes(azar.choice((1, 100, 60_000))),
        lambda: crudo.ljust(azar.choice((65_536, 65_537, 70_000, 1_200_000)), b" "),
    ))  # fmt: skip
    return estropear()


def _enmarcado(azar: Random, cuerpo: bytes) -> tuple[list[tuple[str, str]], bytes, bool]:
    """Headers that say how long the body is, the bytes that are sent as it, and whether the two agree."""
    trozos = b"".join(b"%x\r\n%b\r\n" % (len(t), t) for t in (cuerpo[:100], cuerpo[100:]) if t) + b"0\r\n\r\n"
    largo, en_trozos = ("Content-Length", str(len(cuerpo))), ("Transfer-Encoding", "chunked")
    if (suerte := azar.random()) < 0.85:
        return [largo], cuerpo, len(cuerpo) < _DEMASIADO
    if suerte < 0.92:
        return [en_trozos], trozos, len(cuerpo) < _DEMASIADO
    cabeceras, enviado = azar.choice((
        ([("Content-Length", str(len(cuerpo) // 2))], cuerpo),
        ([("Content-Length", str(len(cuerpo) + 10))], cuerpo),
        ([("Content-Length", azar.choice(("-1", "x", "1e3", "+5", "", "9" * 30, "0x10")))], cuerpo),
        ([largo, largo], cuerpo),
        ([largo, en_trozos], trozos),
        ([en_trozos], azar.choice((trozos[:-5], b"zz\r\n" + cuerpo, b"-1\r\n", cuerpo))),
        ([("Transfer-Encoding", azar.choice(("gzip, chunked", "identity", "xchunked", "chunked, chunked")))], trozos),
        ([(" X", "y"), largo], cuerpo),
        ([("X", "y\r\n z"), largo], cuerpo),
        ([("X\0", "\0"), largo], cuerpo),
        ([(f"X{n}", "y" * 3000) for n in range(100)], cuerpo),
        ([], cuerpo),
    ))  # fmt: skip
    return cabeceras, enviado, False
