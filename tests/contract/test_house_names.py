"""The rule of the house about names: Spanish for the domain, English for technique."""

import pytest

from tests.house import names
from tests.house.words import is_spanish, split
from tests.support.plant import Plant

GLOSSARY = "| word | English | Spanish |\n|---|---|---|\n| `orden` | an order | un pedido |\n"


@pytest.mark.parametrize(
    "word", ["mensaje", "claves", "copias", "lotes", "canales", "enviado", "leyendo", "asignaciones", "fila", "vistas"]
)
def test_spanish_words_are_known_inflected_ones_too(word: str) -> None:
    assert is_spanish(word)


@pytest.mark.parametrize(
    "word",
    ["message", "base", "error", "final", "data", "plan", "engine", "jwks", "loses", "roles", "bases", "id", "uuid"],
)
def test_words_of_english_and_of_the_trade_are_not_spanish(word: str) -> None:
    assert not is_spanish(word)


def test_names_are_split_into_words() -> None:
    assert split("_Mi_ClaseHTTPNueva2_de_x") == ["clase", "http", "nueva"]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("mensaje = 1", "mensaje"),
        ("def leer_mensaje(): pass", "leer_mensaje"),
        ("class MensajeNuevo: pass", "MensajeNuevo"),
        ("def f(*, mensaje=1): pass", "mensaje"),
        ("f = lambda mensaje: 1", "mensaje"),
        ("class A:\n    def f(self): self._mensaje = 1", "_mensaje"),
        ("for mensaje in x: pass", "mensaje"),
        ("import json as mensaje", "mensaje"),
        ("try: pass\nexcept OSError as mensaje: pass", "mensaje"),
        ("match x:\n    case [*mensajes]: pass", "mensajes"),
        ("if (mensaje := x): pass", "mensaje"),
    ],
)
def test_a_spanish_name_in_python_is_found(plant: Plant, code: str, name: str) -> None:
    root = plant("bff/module.py", code)
    found = list(names.violations(root))
    assert found
    assert all(f"{name}: word " in violation.text for violation in found)


def test_what_is_said_names_the_place_and_the_remedy(plant: Plant) -> None:
    (violation,) = names.violations(plant("bff/module.py", "x = 1\nviejo_mensaje_x = 1\n".replace("viejo_", "")))
    assert str(violation) == (
        "bff/module.py:2: mensaje_x: word mensaje is Spanish: use English, or add it to docs/glossary.md if a domain "
        "expert says it"
    )


def test_domain_words_their_plurals_and_those_of_topics_may_be_used(plant: Plant) -> None:
    plant("docs/glossary.md", GLOSSARY)
    plant("schemas/ordenes/comando-cancelar-orden.avsc", "{}")
    assert list(names.violations(plant("bff/a.py", "cancelar_ordenes = orden = 1"))) == []
    assert [v.text[:8] for v in names.violations(plant("bff/b.py", "producto = 1"))] == ["producto"]


def test_names_of_others_do_not_count(plant: Plant) -> None:
    root = plant("bff/a.py", "from x import mensaje\nmensaje.clave(valor=1)\nmensaje.fila = 2\n")
    assert list(names.violations(root)) == []


def test_spanish_file_names_and_folders_are_found_but_not_those_of_migrations(plant: Plant) -> None:
    plant("deployment/databases/versions/lectura/0001_mensajes.py", "")
    root = plant("bff/mensajes/claves.py", "")
    assert [v.text.partition(":")[0] for v in names.violations(root)] == ["mensajes", "claves"]


@pytest.mark.parametrize(
    "code",
    [
        "const mensaje = 1;",
        "let { a: mensaje } = x;",
        "const [mensaje] = x;",
        "function mensaje() {}",
        "function f(a, mensaje = {}) {}",
        "x.map((mensaje) => 1);",
        "x.map(mensaje => 1);",
        "class Mensaje {}",
    ],
)
def test_a_spanish_name_in_javascript_is_found(plant: Plant, code: str) -> None:
    assert [v.line for v in names.violations(plant("bff/static/a.js", f"// mensaje\n{code}\n"))] == [2]


def test_texts_comments_keys_and_uses_in_javascript_do_not_count(plant: Plant) -> None:
    code = 'const a = "const mensaje"; // let mensaje\n/* class Mensaje */ const { mensaje: b } = mensaje.clave;\n'
    assert list(names.violations(plant("bff/static/a.js", code))) == []
