"""Orders, products and drivers as JSON and XML: well written, oddly written, and what only looks like them."""

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final
from uuid import UUID
from xml.sax.saxutils import escape

LIMITE: Final = 64 * 1024
"""Bytes of a body that the API takes."""
_RAROS: Final[tuple[Any, ...]] = (
    None, True, [], {}, "", " \t", -1, 0, 1.5, 2.0, 10_000, 10_001, 2**31, 10**400, 1e308, "2", "+2", "٢", "null",
    "a" * 255, "a" * 1001, "\0", "a\x85b", "\u3000", "\ufeff", "\ud800", "\udfff\ud83d", "🚚" * 255, "ñ\u0301", "&x;",
    "]]>", "<b/>", "{}", [[["a"]]], {"a": {"b": [None]}}, "../../etc/passwd", "%s%n{0}", "' or 1=1 --",
)  # fmt: skip


def campos(azar: Random, ruta: str) -> dict[str, Any]:
    """Of a request to `ruta`, well filled in, but sometimes for one of them."""
    orden = {
        "id_producto": str(UUID(int=azar.getrandbits(128))),
        "user_id": azar.choice(("ana", "Ñandú 🚚", "x" * 255)),
        "cantidad": azar.randint(1, 10_000),
        "direccion_entrega": "Calle 45 # 13-40",
        "instrucciones_entrega": "Ring twice",
    }
    producto = {"nombre": "Café", "stock": azar.randint(0, 100)}
    hechos: dict[str, Any] = {"/orders": orden, "/productos": producto}.get(ruta, {"nombre": "Ana"})
    if azar.random() < 0.4:
        hechos[azar.choice((*hechos, "otro", "id", ""))] = azar.choice(_RAROS)
    if azar.random() < 0.1:
        hechos.pop(azar.choice(list(hechos)))
    return hechos


def en_json(azar: Random, hechos: dict[str, Any]) -> str:
    texto = json.dumps(hechos, ensure_ascii=azar.random() < 0.5)
    raro: Callable[[], str] = azar.choice((
        *[lambda: texto] * 6,
        lambda: json.dumps(hechos, indent=azar.randint(0, 4)),
        lambda: texto[:-1] + "," + texto[1:],  # each key twice
        lambda: texto[:-1] + ', "a": ' + azar.choice(("[", '{"a":')) * azar.choice((10, 900, 60_000 // 5)),
        lambda: texto[:-1] + ', "a": ' + "[" * (profundo := azar.choice((10, 900, 20_000))) + "]" * profundo + "}",
        lambda: texto[:-1] + f', "cantidad": {azar.choice(("1" * 60_000, "1e999", "-0", "NaN", "-Infinity", "01"))}}}',
        lambda: texto[:-1] + ', "user_id": "\\ud800"}',
        lambda: texto[:-1] + ', "nota": "' + "a" * azar.choice((60_000, LIMITE)) + '"}',
        lambda: texto[:-1] + "".join(f',"{n}":{n}' for n in range(5000)) + "}",
        lambda: texto + azar.choice(("{}", "\0", ",", "//", "\n" * 1000, "]")),
        lambda: f"[{texto}]",
        lambda: azar.choice(("", "null", "7", '"a"', "{", "[]", "\0", "-" * 60_000, '"' + "\\u0000" * 9000)),
    ))  # fmt: skip
    return raro()


def en_xml(azar: Random, hechos: dict[str, Any]) -> str:
    dentro = "".join(_elemento(nombre or "vacio", valor) for nombre, valor in hechos.items())
    texto = f"<pedido>{dentro}</pedido>"
    raro: Callable[[], str] = azar.choice((
        *[lambda: texto] * 6,
        lambda: f'<?xml version="1.0" encoding="{azar.choice(("UTF-8", "utf-16", "latin-1", "martian"))}"?>{texto}',
        lambda: f'<p:pedido xmlns:p="urn:x" xmlns="urn:y">{dentro}</p:pedido>',
        lambda: f"<!-- a --><?php 1?><pedido><![CDATA[ ]]>{dentro}<!-- b --><?c?></pedido><!-- c -->",
        lambda: f'<pedido a="{"x" * azar.choice((1000, LIMITE - 1000, LIMITE))}">{dentro}</pedido>',
        lambda: "<pedido " + " ".join(f'a{n}="{n}"' for n in range(4000)) + f">{dentro}</pedido>",
        lambda: "<pedido " + " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(2500)) + f">{dentro}</pedido>",
        lambda: f"<pedido>{dentro}{'<x/>' * 12_000}</pedido>",
        lambda: f"<pedido>{dentro}{'<x>' * (hondo := azar.choice((50, 8000)))}{'</x>' * hondo}</pedido>",
        lambda: f"<pedido>{dentro}{dentro}</pedido>",
        lambda: f"<pedido>suelto{dentro}suelto</pedido>",
        lambda: _con_dtd(azar, dentro),
        lambda: azar.choice(("", "<", "<a>", "<a></b>", "<a/><b/>", "&lt;", "<!DOCTYPE", "<a" * 20_000, "<é/>")),
    ))  # fmt: skip
    return raro()


def _elemento(nombre: str, valor: Any) -> str:
    match valor:
        case dict():
            dentro = "".join(_elemento(clave, miembro) for clave, miembro in valor.items())
        case list():
            return "".join(_elemento(nombre, miembro) for miembro in valor)
        case _:
            dentro = escape(str(valor))
    return f"<{nombre}>{dentro}</{nombre}>"


def _con_dtd(azar: Random, dentro: str) -> str:
    risas = '<!ENTITY a0 "ja">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    externas = '<!ENTITY a9 SYSTEM "file:///etc/passwd">', '<!ENTITY a9 SYSTEM "http://127.0.0.1:9/x">'
    parametro = '<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;'
    cuadratica = f'<!ENTITY a9 "{"a" * 30_000}">'
    interno = azar.choice((risas, *externas, parametro, cuadratica, "<!ELEMENT pedido ANY>"))
    veces = 5000 if interno == cuadratica else 1
    return f"<!DOCTYPE pedido [{interno}]><pedido>{dentro}<user_id>{'&a9;' * veces}</user_id></pedido>"
