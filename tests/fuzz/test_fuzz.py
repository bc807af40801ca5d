"""The fuzzers find what is wrong, and their requests can be made again from a seed and a number."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.fuzz import envio, esquema
from tests.fuzz.cuerpos import peticion
from tests.fuzz.ganchos import como_xml
from tests.plataforma import RAIZ, esperar, libres


@contextmanager
def defectuosa(defecto: str) -> Iterator[str]:
    """The URL of an API with this defect."""
    (puerto,) = libres(1)
    url = f"http://127.0.0.1:{puerto}"

    def vive() -> bool:
        try:
            return bool(urlopen(f"{url}/health").status == 200)
        except OSError:
            return False

    proceso = subprocess.Popen([sys.executable, "-m", "tests.fuzz.defectuosa", str(puerto), defecto], cwd=RAIZ)
    try:
        esperar("the API", vive)
        yield url
    finally:
        proceso.kill()
        proceso.wait()


@pytest.mark.parametrize(
    ("defecto", "hallazgo"), [("500", "500: "), ("html", "400 as text/html"), ("memory", "memory grew")]
)
def test_what_is_wrong_with_answers_or_memory_is_found(tmp_path: Path, defecto: str, hallazgo: str) -> None:
    with defectuosa(defecto) as url:
        hallazgos = envio.correr(url, 600, 7, tmp_path).hallazgos
    assert [dicho for dicho in hallazgos if dicho.startswith(hallazgo)]
    if defecto != "memory":
        (guardada, *_) = sorted(tmp_path.glob("7-*.http"))
        assert guardada.read_bytes() == peticion(7, int(guardada.stem.partition("-")[2])).crudo


def test_an_answer_that_the_document_does_not_know_is_found(tmp_path: Path) -> None:
    with defectuosa("500") as url:
        hallazgos = esquema.correr(url, 1, 7, tmp_path).hallazgos
    assert "Server error" in hallazgos[0]
    assert "curl -X POST" in hallazgos[0]


def test_a_worker_that_died_is_found() -> None:
    assert envio.de_memoria({1: 100, 2: 100}, {1: 100, 3: 100})
    assert envio.de_memoria({}, {})
    assert not envio.de_memoria({1: 100, 2: 100}, {1: 115, 2: 100})


def test_requests_are_of_every_kind_and_the_same_for_the_same_seed() -> None:
    pedidas = [peticion(7, numero) for numero in range(3000)]
    assert pedidas == [peticion(7, numero) for numero in range(3000)]
    todas = b"\n".join(pedida.crudo for pedida in pedidas)
    for parte in (
        b"<!ENTITY a9",
        b"file:///etc/passwd",
        b"[" * 900,
        b"NaN",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"chunked",
        b"\x1f\x8b",
    ):
        assert parte in todas
    assert Counter(pedida.metodo for pedida in pedidas)["POST"] > 2000
    assert 100 < sum(not pedida.entera for pedida in pedidas) < 600


@pytest.mark.parametrize(
    ("cuerpo", "leido"),
    [
        ({"stock": "5", "nombre": 5.0, "a": None, "b": True}, {"stock": 5, "nombre": "5", "a": "null", "b": "true"}),
        ({"stock": [], "nombre": [["a"]], "a": [1, 2], "b": {}}, {"nombre": "a", "a": [1, 2], "b": ""}),
        ({"stock": " x\x01 "}, {"stock": "x"}),
        ([{"stock": 1}], {"stock": 1}),
        ("", {}),
        (True, True),
    ],
)
def test_bodies_are_judged_as_xml_carries_them(cuerpo: object, leido: object) -> None:
    assert como_xml(cuerpo, {"stock"}) == leido
