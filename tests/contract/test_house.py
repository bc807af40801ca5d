"""The rules of the house: the repository keeps them, and each finds what is planted."""

from pathlib import Path

import pytest

from tests.house import docstrings, links, sizes, topics
from tests.house.__main__ import main
from tests.support.plant import Plant


def test_the_repository_keeps_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, text = main([]), capsys.readouterr().err
    assert exit_code == 0, text


def test_a_long_file_needs_a_reason_in_its_first_lines(plant: Plant) -> None:
    plant("bff/short.py", "x = 1\n" * 200)
    plant("bff/reasoned.py", '"""All.\n\nLonger than 200 lines: it is one table.\n"""\n' + "x = 1\n" * 200)
    plant("bff/late.py", "x = 1\n" * 200 + "# Longer than 200 lines: too late\n")
    plant("bff/__pycache__/made.py", "x = 1\n" * 300)
    root = plant("bff/long.py", "# Longer than 200 lines:\n" + "x = 1\n" * 200)
    found = list(sizes.violations(root))
    assert [str(v.path) for v in found] == ["bff/late.py", "bff/long.py"]
    assert "201 lines, at most 200 are allowed: split it, or say" in found[0].text


MARKDOWN = """\
# The *title* of `a_b`: what's new?

## Twice
## Twice
<a id="named"></a>

```
[no link](in-code.md)
# no heading
```
`[no link](in-code.md)` [text](a.md#twice-1) [same](#the-title-of-a_b-whats-new) [web](https://x.example/#y)
[folder](../docs) [root](/docs/a.md) [named](#named) [ref]: [mail](mailto:a@b.example)
"""


def test_links_that_lead_somewhere_pass(plant: Plant) -> None:
    assert list(links.violations(plant("docs/a.md", MARKDOWN))) == []


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("[x](b.md)", "there is no docs/b.md in the repository"),
        ("[x](#thrice)", "docs/a.md has no heading whose anchor is #thrice"),
        ("[x](a.md#Twice)", "docs/a.md has no heading whose anchor is #Twice"),
        ("[x](a.md#twice-2)", "docs/a.md has no heading whose anchor is #twice-2"),
        ("[x](a.md#no-heading)", "docs/a.md has no heading whose anchor is #no-heading"),
        ("![x](picture.png)", "there is no docs/picture.png in the repository"),
        ("[x]: b.md", "there is no docs/b.md in the repository"),
        ('<img src="b.png">', "there is no docs/b.png in the repository"),
        ("[x](../../outside.md)", "there is no ../outside.md in the repository"),
        ("[x](../build/page.md)", "there is no build/page.md in the repository"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(plant: Plant, link: str, problem: str) -> None:
    plant("build/page.md", "made by a program")
    (violation,) = links.violations(plant("docs/a.md", f"{MARKDOWN}\n{link}\n"))
    assert violation.text.endswith(problem)
    assert violation.line == MARKDOWN.count("\n") + 2


def test_what_is_public_in_functions_and_bff_needs_a_docstring(plant: Plant) -> None:
    code = '''
        def bare(): pass
        def _private(): pass
        class Bare:
            def method(self): pass
            def _private(self): pass
            def __init__(self): pass
        class Crear(Function):
            """Creates."""
            def handle(self, tx, batch): return [x]
            def other(self): pass
        def documented():
            """Does."""
            def nested(): pass
    '''
    plant("tests/a.py", code)
    found = list(docstrings.violations(plant("functions/a.py", code)))
    assert [v.text.partition(":")[0] for v in found] == ["bare", "Bare", "Bare.method", "Crear.other"]
    assert found[0].line == 2


def topic(plant: Plant) -> Path:
    plant("schemas/ordenes/comando-crear-orden.avsc", "{}")
    plant("functions/messages/payloads.py", "class ComandoCrearOrden: pass\nclass EventoOrden: pass\n")
    plant("functions/ordenes/crear_orden.py", "class CrearOrden: pass\n")
    plant("deployment/functions/crear-orden.yaml", "namespace: ordenes\ninputSpecs: {}\n")
    return plant("tests/unit/functions/ordenes/test_crear_orden.py", "")


def test_a_topic_with_all_that_belongs_to_it_passes(plant: Plant) -> None:
    assert list(topics.violations(topic(plant))) == []


@pytest.mark.parametrize(
    "path",
    [
        "functions/ordenes/crear_orden.py",
        "deployment/functions/crear-orden.yaml",
        "tests/unit/functions/ordenes/test_crear_orden.py",
    ],
)
def test_a_file_that_a_topic_lacks_is_named(plant: Plant, path: str) -> None:
    root = topic(plant)
    (root / path).unlink()
    assert [v.text for v in topics.violations(root)] == [f"ordenes/comando-crear-orden: there is no {path}"]


def test_a_class_that_a_topic_lacks_is_named(plant: Plant) -> None:
    topic(plant)
    plant("functions/ordenes/crear_orden.py", "class Crear: pass\n")
    root = plant("functions/messages/payloads.py", "class CrearOrden: pass\n")
    texts = [violation.text for violation in topics.violations(root)]
    assert texts == [
        "ordenes/comando-crear-orden: functions/messages/payloads.py has no class ComandoCrearOrden",
        "there is no class CrearOrden in it, as schemas/ordenes/comando-crear-orden.avsc asks for",
    ]


def test_an_event_needs_a_function_of_its_context_that_reads_it(plant: Plant) -> None:
    topic(plant)
    root = plant("schemas/ordenes/evento-orden.avsc", "{}")
    expected = "ordenes/evento-orden: no function of deployment/functions in ordenes reads it"
    assert [violation.text for violation in topics.violations(root)] == [expected]
    spec = "{persistent://monoliticas/ordenes/evento-orden: {}}"
    plant("deployment/functions/crear-orden.yaml", f"namespace: ordenes\ninputSpecs: {spec}\n")
    assert list(topics.violations(root)) == []
