"""The gate: every planted change that breaks a reader is refused, with who breaks and how to do it right."""

import json
import re
from pathlib import Path

import pytest
from schemas_check import problemas
from schemas_files import lanzadas

from tests.cambios import COMPATIBLES, ENGANOSOS, INCOMPATIBLES, TOPIC, Cambio, campo, datos, siguiente
from tests.copia import Copia


def lo_que_dice(cambio: Cambio) -> str:
    """All that the gate says of a change in a next version, but that it is not on record yet."""
    esquema, antes = siguiente(cambio)
    dichos = [f"{que} | {remedio}" for que, remedio in problemas(esquema, antes, ["crear-orden", "registrar-saga"])]
    return "\n".join(dicho for dicho in dichos if "on record" not in dicho)


@pytest.mark.parametrize("nombre", COMPATIBLES)
def test_a_compatible_change_passes(nombre: str) -> None:
    assert lo_que_dice(COMPATIBLES[nombre]) == ""


@pytest.mark.parametrize("nombre", INCOMPATIBLES)
def test_an_incompatible_change_is_refused(nombre: str) -> None:
    cambio, texto = INCOMPATIBLES[nombre]
    dicho = lo_que_dice(cambio)
    assert re.search(texto, dicho), dicho


def test_the_refusal_names_the_readers_that_break() -> None:
    dicho = lo_que_dice(INCOMPATIBLES["a new field without default"][0])
    assert "crear-orden and registrar-saga, with version 3, can't read messages of 2" in dicho


@pytest.mark.parametrize("nombre", ENGANOSOS)
def test_a_change_of_meaning_is_refused_although_avro_lets_it_pass(nombre: str) -> None:
    cambio, texto = ENGANOSOS[nombre]
    dicho = lo_que_dice(cambio)
    assert texto in dicho
    assert "whatever Avro makes of it" in dicho


def test_every_earlier_version_counts_not_just_the_last() -> None:
    """Each step is compatible with the one before it; the last is not with the first."""
    uno = {"type": "record", "name": "R", "version": "1", "fields": [{"name": "a", "type": "int", "default": 0}]}
    dos = uno | {"version": "2", "fields": []}
    tres = uno | {"version": "3", "fields": [{"name": "a", "type": "string", "default": ""}]}
    dichos = [que for que, _ in problemas(tres, {1: uno, 2: dos}, ["f"])]
    assert [que for que in dichos if "against version 2" in que] == []
    assert any("against version 1: a's type" in que for que in dichos)


def test_another_default_is_refused() -> None:
    campos = [{"name": "a", "type": "int", "default": 0}]
    uno = {"type": "record", "name": "R", "version": "1", "fields": campos}
    dos = uno | {"version": "2", "fields": [campos[0] | {"default": 7}]}
    assert any("a's default was 0 and is 7" in que for que, _ in problemas(dos, {1: uno}, ["f"]))


VERSIONES = {
    "unchanged number": ("2", "it has changed and is still version 2"),
    "older number": ("1", "it has changed and is still version 1"),
    "a gap": ("4", 'it is version 4, and the newest that is released is 2 | say "version": "3"'),
    "not on record": ("3", "version 3 is not on record"),
    "no number": ("dos", "version is 'dos'"),
    "no quotes": (3.5, "version is 3.5"),
}


@pytest.mark.parametrize("caso", VERSIONES)
def test_a_changed_schema_needs_the_next_version(caso: str) -> None:
    numero, texto = VERSIONES[caso]
    esquema, antes = siguiente(lambda e: campo(e, "cantidad").update(doc="Units.", type="int"))
    esquema["version"] = numero
    dichos = [f"{que} | {remedio}" for que, remedio in problemas(esquema, antes, [])]
    assert any(texto in dicho for dicho in dichos), dichos


@pytest.fixture
def copia(tmp_path: Path) -> Copia:
    return Copia(tmp_path)


def test_the_command_refuses_a_planted_change_and_takes_the_right_one(copia: Copia) -> None:
    bien = copia.correr("schemas.py", "check")
    assert (bien.returncode, bien.stderr) == (0, "")
    copia.cambiar(copia.esquema(TOPIC), lambda s: s.replace('"cantidad", "type": "int"', '"cantidad", "type": "long"'))
    mal = copia.correr("schemas.py", "check")
    assert mal.returncode == 1
    assert f"schemas/{TOPIC}.avsc: it has changed and is still version" in mal.stderr
    copia.esquema(TOPIC).write_bytes(copia.lanzado(TOPIC, max(lanzadas(TOPIC))).read_bytes())
    optativo = {"name": "x", "type": ["null", "string"], "doc": "X.", "default": None}

    def agregar(texto: str) -> str:
        esquema = json.loads(texto)
        datos(esquema).append(optativo)
        return json.dumps(esquema | {"version": "3"})

    copia.cambiar(copia.esquema(TOPIC), agregar)
    lanzado = copia.correr("schemas.py", "release")
    assert (lanzado.returncode, lanzado.stderr) == (0, "")
    assert lanzado.stdout.startswith(f"schemas/releases/{TOPIC}/3.avsc\nschemas/releases/{TOPIC}/3.golden.json\n")
    assert copia.correr("schemas.py", "check").returncode == 0


def test_what_was_released_can_not_be_changed_or_removed(copia: Copia) -> None:
    uno = copia.lanzado(TOPIC, 1)
    copia.cambiar(uno, lambda texto: texto.replace("Units ordered", "Units"))
    assert (
        "1.avsc: it, or 1.golden.json beside it, is not as it was released"
        in copia.correr("schemas.py", "check").stderr
    )
    uno.unlink()
    assert "restore the missing one" in copia.correr("schemas.py", "check").stderr
    copia.esquema(TOPIC).unlink()
    assert "it is released and has no schema now" in copia.correr("schemas.py", "check").stderr


def test_a_file_that_is_no_json_is_named(copia: Copia) -> None:
    copia.cambiar(copia.esquema(TOPIC), lambda texto: texto[:-3])
    fallo = copia.correr("schemas.py", "check")
    assert (fallo.returncode, fallo.stdout) == (1, "")
    assert fallo.stderr.startswith(f"error: schemas/{TOPIC}.avsc is no JSON")
