"""Bodies in XML: an element for each member."""

import re
from typing import Any, Final
from xml.etree.ElementTree import Element, tostring

from defusedxml.ElementTree import fromstring

from bff.bodies.texts import WHITESPACE, UntypedText, to_text

_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that no XML document may hold."""
_DECLARED_ENCODING: Final = re.compile(r"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'>]*)""")
MAX_DEPTH: Final = 100
"""Most levels of elements below the root in XML that is accepted."""


def require_utf8(text: str) -> None:
    """ValueError if an XML declaration says that the document was in another encoding before it became text."""
    declared = _DECLARED_ENCODING.match(text)
    if declared and declared[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise ValueError(f"its XML declaration says {declared[1][:40]}: send UTF-8")


def read_xml(text: str) -> dict[str, Any]:
    """The root's children, by name; None for `xsi:nil`. An element that is repeated or has children gets a value that
    no field accepts.
    """
    body: dict[str, Any] = {}
    root = fromstring(text, forbid_dtd=True)
    _limit_depth(root)
    if "".join([root.text or "", *(child.tail or "" for child in root)]).strip(WHITESPACE):
        raise ValueError(f"text that is in no field, but in {root.tag} itself")
    for child in root:
        name = child.tag.rpartition("}")[2]
        body[name] = [] if name in body else _value(child)
    return body


def _limit_depth(root: Element) -> None:
    level = [root]
    for _ in range(MAX_DEPTH + 1):
        level = [child for element in level for child in element]
    if level:
        raise ValueError(f"elements in elements, more than {MAX_DEPTH} deep")


def _value(element: Element) -> UntypedText | dict[str, Any] | None:
    text = UntypedText((element.text or "").strip(WHITESPACE))
    if element.get(_NIL, "").strip(WHITESPACE) not in ("true", "1"):
        return {} if len(element) else text
    if len(element) or text:
        raise ValueError(f"the element {element.tag} is xsi:nil, and yet it is not empty")
    return None


def write_xml(data: object, root: str = "respuesta", ns: str = "") -> bytes:
    """XML with an element for each member. As in RFC 9457 a list's members are elements `i`; null is `xsi:nil`."""
    element = _element(root, data, f"{{{ns}}}" if ns else "")
    return bytes(tostring(element, "utf-8", xml_declaration=True, default_namespace=ns or None))


def _element(name: str, data: object, ns: str) -> Element:
    element = Element(ns + name)
    match data:
        case dict():
            element.extend(_element(key, value, ns) for key, value in data.items())
        case list():
            element.extend(_element("i", value, ns) for value in data)
        case None:
            element.set(_NIL, "true")
        case bool():
            element.text = str(data).lower()
        case str() | int() | float():
            element.text = _NO_XML.sub("\ufffd", str(data))
        case _:
            element.text = to_text(data)
    return element
