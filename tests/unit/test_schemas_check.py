"""The gate: every planted change that breaks a reader is refused, with who breaks and how to do it right."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from schemas_check import problemas
from schemas_files import lanzadas

from tests.copia import Copia

TOPIC = "ordenes/comando-crear-orden"
UUID = {"type": "string", "logicalType": "uuid"}
Cambio = Callable[[dict[str, Any]], Any]


def datos(esquema: dict[str, Any]) -> Any:
    return esquema["fields"][-1]["type"]["fields"]


def campo(esquema: dict[str, Any], nombre: str) -> Any:
    return next(campo for campo in datos(esquema) if campo["name"] == nombre)


def siguiente(cambio: Cambio) -> tuple[dict[str, Any], dict[int, Any]]:
    """A next version with the change, and what was released before it."""
    antes = lanzadas(TOPIC)
    esquema = copy.deepcopy(antes[max(antes)])
    esquema["version"] = str(max(antes) + 1)
    cambio(esquema)
    return esquema, antes


def lo_que_dice(cambio: Cambio) -> str:
    """All that the gate says of a change in a next version, but that it is not on record yet."""
    esquema, antes = siguiente(cambio)
    dichos = [f"{que} | {remedio}" for que, remedio in problemas(esquema, antes, ["crear-orden", "registrar-saga"])]
    return "\n".join(dicho for dicho in dichos if "on record" not in dicho)


COMPATIBLES: dict[str, Cambio] = {
    "a new optional field": lambda e: datos(e).append({"name": "x", "type": ["null", "string"], "default": None}),
    "a new field with a default": lambda e: datos(e).append({"name": "x", "type": "int", "default": 7}),
    "an optional field less": lambda e: datos(e).remove(campo(e, "instrucciones_entrega")),
    "fields in another order": lambda e: datos(e).reverse(),
    "another doc": lambda e: campo(e, "cantidad").update(doc="Units."),
    "another example": lambda e: campo(e, "cantidad").update({"x-example": 3}),
    "a default more": lambda e: campo(e, "cantidad").update(default=1),
}
INCOMPATIBLES: dict[str, tuple[Cambio, str]] = {
    "a field less": (lambda e: datos(e).remove(campo(e, "cantidad")), "data.cantidad is gone, and it has no default"),
    "a new field without default": (
        lambda e: datos(e).append({"name": "x", "type": "string"}),
        'data.x is new and has no default .*"type": \\["null", "string"\\], "default": null',
    ),
    "a renamed field": (
        lambda e: campo(e, "cantidad").update(name="unidades"),
        "data.cantidad was renamed to unidades, it seems .*keep cantidad",
    ),
    "a renamed field with an alias": (
        lambda e: campo(e, "cantidad").update(name="unidades", aliases=["cantidad"]),
        "data.cantidad was renamed to unidades, it seems",
    ),
    "another type": (lambda e: campo(e, "cantidad").update(type="string"), 'data.cantidad\'s type was "int" and is'),
    "a wider type": (lambda e: campo(e, "cantidad").update(type="long"), "data.cantidad's type"),
    "a type made optional": (
        lambda e: campo(e, "cantidad").update(type=["null", "int"], default=None),
        "data.cantidad's type",
    ),
    "an optional type made mandatory": (
        lambda e: campo(e, "instrucciones_entrega").update(type="string"),
        "data.instrucciones_entrega's type",
    ),
    "a nested record renamed": (
        lambda e: e["fields"][-1]["type"].update(name="Otra"),
        "data's record was CrearOrden and is Otra",
    ),
    "the record renamed": (lambda e: e.update(name="Otra"), "its name was monoliticas.ordenes.ComandoCrearOrden"),
    "a field of the envelope less": (lambda e: e["fields"].pop(1), "time is gone"),
    "a default less": (
        lambda e: campo(e, "instrucciones_entrega").pop("default"),
        "data.instrucciones_entrega's default, null, is gone",
    ),
}
ENGANOSOS: dict[str, tuple[Cambio, str]] = {
    "another logical type": (
        lambda e: campo(e, "time_stamp").update(type={"type": "long", "logicalType": "timestamp-micros"}),
        "data.time_stamp's type",
    ),
    "no logical type": (lambda e: campo(e, "time_stamp").update(type="long"), "data.time_stamp's type"),
    "bytes for text": (lambda e: campo(e, "user_id").update(type="bytes"), "data.user_id's type"),
    "another namespace": (lambda e: e.update(namespace="otra"), "its name was monoliticas.ordenes"),
}
"""What Avro lets pass, and the gate does not."""


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
