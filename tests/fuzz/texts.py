"""Orders, products and drivers as JSON and XML: well written, oddly written, and what only looks like them."""

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final
from uuid import UUID
from xml.sax.saxutils import escape

LIMIT: Final = 64 * 1024
"""Bytes of a body that the API takes."""
_ODD_VALUES: Final[tuple[Any, ...]] = (
    None, True, [], {}, "", " \t", -1, 0, 1.5, 2.0, 10_000, 10_001, 2**31, 10**400, 1e308, "2", "+2", "٢", "null",
    "a" * 255, "a" * 1001, "\0", "a\x85b", "\u3000", "\ufeff", "\ud800", "\udfff\ud83d", "🚚" * 255, "ñ\u0301", "&x;",
    "]]>", "<b/>", "{}", [[["a"]]], {"a": {"b": [None]}}, "../../etc/passwd", "%s%n{0}", "' or 1=1 --",
)  # fmt: skip


def fields(rng: Random, path: str) -> dict[str, Any]:
    """Of a request to `path`, well filled in, but sometimes for one of them."""
    orden = {
        "id_producto": str(UUID(int=rng.getrandbits(128))),
        "user_id": rng.choice(("ana", "Ñandú 🚚", "x" * 255)),
        "cantidad": rng.randint(1, 10_000),
        "direccion_entrega": "Calle 45 # 13-40",
        "instrucciones_entrega": "Ring twice",
    }
    producto = {"nombre": "Café", "stock": rng.randint(0, 100)}
    values: dict[str, Any] = {"/orders": orden, "/productos": producto}.get(path, {"nombre": "Ana"})
    if rng.random() < 0.4:
        values[rng.choice((*values, "otro", "id", ""))] = rng.choice(_ODD_VALUES)
    if rng.random() < 0.1:
        values.pop(rng.choice(list(values)))
    return values


def to_json(rng: Random, values: dict[str, Any]) -> str:
    text = json.dumps(values, ensure_ascii=rng.random() < 0.5)
    variant: Callable[[], str] = rng.choice((
        *[lambda: text] * 6,
        lambda: json.dumps(values, indent=rng.randint(0, 4)),
        lambda: text[:-1] + "," + text[1:],  # each key twice
        lambda: text[:-1] + ', "a": ' + rng.choice(("[", '{"a":')) * rng.choice((10, 900, 60_000 // 5)),
        lambda: text[:-1] + ', "a": ' + "[" * (depth := rng.choice((10, 900, 20_000))) + "]" * depth + "}",
        lambda: text[:-1] + f', "cantidad": {rng.choice(("1" * 60_000, "1e999", "-0", "NaN", "-Infinity", "01"))}}}',
        lambda: text[:-1] + ', "user_id": "\\ud800"}',
        lambda: text[:-1] + ', "nota": "' + "a" * rng.choice((60_000, LIMIT)) + '"}',
        lambda: text[:-1] + "".join(f',"{n}":{n}' for n in range(5000)) + "}",
        lambda: text + rng.choice(("{}", "\0", ",", "//", "\n" * 1000, "]")),
        lambda: f"[{text}]",
        lambda: rng.choice(("", "null", "7", '"a"', "{", "[]", "\0", "-" * 60_000, '"' + "\\u0000" * 9000)),
    ))  # fmt: skip
    return variant()


def as_xml(rng: Random, values: dict[str, Any]) -> str:
    content = "".join(_element(name or "vacio", value) for name, value in values.items())
    text = f"<pedido>{content}</pedido>"
    variant: Callable[[], str] = rng.choice((
        *[lambda: text] * 6,
        lambda: f'<?xml version="1.0" encoding="{rng.choice(("UTF-8", "utf-16", "latin-1", "martian"))}"?>{text}',
        lambda: f'<p:pedido xmlns:p="urn:x" xmlns="urn:y">{content}</p:pedido>',
        lambda: f"<!-- a --><?php 1?><pedido><![CDATA[ ]]>{content}<!-- b --><?c?></pedido><!-- c -->",
        lambda: f'<pedido a="{"x" * rng.choice((1000, LIMIT - 1000, LIMIT))}">{content}</pedido>',
        lambda: "<pedido " + " ".join(f'a{n}="{n}"' for n in range(4000)) + f">{content}</pedido>",
        lambda: "<pedido " + " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(2500)) + f">{content}</pedido>",
        lambda: f"<pedido>{content}{'<x/>' * 12_000}</pedido>",
        lambda: f"<pedido>{content}{'<x>' * (depth := rng.choice((50, 8000)))}{'</x>' * depth}</pedido>",
        lambda: f"<pedido>{content}{content}</pedido>",
        lambda: f"<pedido>suelto{content}suelto</pedido>",
        lambda: _with_dtd(rng, content),
        lambda: rng.choice(("", "<", "<a>", "<a></b>", "<a/><b/>", "&lt;", "<!DOCTYPE", "<a" * 20_000, "<é/>")),
    ))  # fmt: skip
    return variant()


def _element(name: str, value: Any) -> str:
    match value:
        case dict():
            content = "".join(_element(key, member) for key, member in value.items())
        case list():
            return "".join(_element(name, member) for member in value)
        case _:
            content = escape(str(value))
    return f"<{name}>{content}</{name}>"


def _with_dtd(rng: Random, content: str) -> str:
    billion_laughs = '<!ENTITY a0 "ja">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    external_entities = '<!ENTITY a9 SYSTEM "file:///etc/passwd">', '<!ENTITY a9 SYSTEM "http://127.0.0.1:9/x">'
    parameter_entity = '<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;'
    quadratic_blowup = f'<!ENTITY a9 "{"a" * 30_000}">'
    internal_subset = rng.choice(
        (billion_laughs, *external_entities, parameter_entity, quadratic_blowup, "<!ELEMENT pedido ANY>")
    )
    times = 5000 if internal_subset == quadratic_blowup else 1
    return f"<!DOCTYPE pedido [{internal_subset}]><pedido>{content}<user_id>{'&a9;' * times}</user_id></pedido>"
