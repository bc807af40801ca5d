"""The gate: what may become of a schema, given every version of it that was released. No cluster is needed.

The verdict is Avro's own (`avro.compatibility`, the port of what the broker runs) for FULL_TRANSITIVE: every version
reads every other. Refused beside that, although a broker lets it pass: another type or logical type of a field
(a broker reads `string` as `bytes`, and takes microseconds for milliseconds), a default that was changed or taken
away, another name of a record.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import avro.schema
import schemas_files
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from schemas_diff import Cambio, Definicion, diferencias
from schemas_files import LANZADAS, archivo, archivos_lanzados, lanzadas, leer, relativa, version


def revisar() -> Iterator[tuple[str, str, str]]:
    """Everything that the gate refuses: the file, what is wrong, how to do it right."""
    for topic in schemas_files.topics():
        problemas_suyos = problemas(schemas_files.actual(topic), lanzadas(topic), schemas_files.lectores(topic))
        yield from ((relativa(archivo(topic)), *problema) for problema in problemas_suyos)
        yield from _de_lo_lanzado(topic)
    for carpeta in sorted(LANZADAS.glob("*/*")):
        if not archivo(str(carpeta.relative_to(LANZADAS))).exists():
            yield relativa(carpeta), "it is released and has no schema now", "restore it: its messages are still read"


def _de_lo_lanzado(topic: str) -> Iterator[tuple[str, str, str]]:
    """What was released stays as it was."""
    numeros = list(lanzadas(topic))
    if numeros != list(range(1, len(numeros) + 1)):
        que = f"released versions are {', '.join(map(str, numeros))}"
        yield relativa(LANZADAS / topic), que, "restore the missing one: its messages are still read"
    for numero in numeros:
        esquema, muestras = archivos_lanzados(topic, numero)
        intacto = muestras.exists() and leer(muestras)["sha256"] == schemas_files.sha256(esquema)
        if version(leer(esquema)) != numero or not intacto:
            que = f"it, or {muestras.name} beside it, is not as it was released"
            yield relativa(esquema), que, "restore both: what was released never changes; a change is a new version"


def problemas(actual: Definicion, antes: Mapping[int, Definicion], lectores: Sequence[str]) -> Iterator[Cambio]:
    """What is wrong with a schema. `antes`: its released versions; `lectores`: who reads the topic."""
    if (numero := version(actual)) is None:
        yield f"version is {actual.get('version')!r}", 'it must be a whole number in quotes, such as "2"'
        return
    try:
        nuevo = avro.schema.parse(json.dumps(actual))
    except avro.schema.SchemaParseException as error:  # type: ignore[attr-defined]
        yield f"it is no Avro schema: {error}", "mend it"
        return
    yield from _de_la_version(numero, actual, antes)
    for otra, definicion in antes.items():
        if otra != numero:
            viejo = avro.schema.parse(json.dumps(definicion))
            cambios = list(diferencias(actual, definicion))
            rompe = [*_rompe(nuevo, viejo, numero, otra, lectores), *_rompe(viejo, nuevo, otra, numero, lectores)]
            if rompe and not cambios:
                cambios = [("it differs in a way that Avro can't bridge", "undo the change")]
            for que, remedio in cambios:
                quien = "; ".join(rompe) or "its meaning would change for readers, whatever Avro makes of it"
                yield f"against version {otra}: {que} ({quien})", remedio


def _de_la_version(numero: int, actual: Definicion, antes: Mapping[int, Definicion]) -> Iterator[Cambio]:
    ultima = max(antes, default=0)
    if numero in antes and actual != antes[numero]:
        que = f"it has changed and is still version {numero}, which is released as something else"
        yield que, f'say "version": "{ultima + 1}", then `make schemas-release`'
    elif numero < ultima:
        yield f"it is version {numero}, but version {ultima} is released", "versions only grow: restore the newest one"
    elif numero > ultima + 1:
        yield f"it is version {numero}, and the newest that is released is {ultima}", f'say "version": "{ultima + 1}"'
    elif numero > ultima:
        yield f"version {numero} is not on record", "`make schemas-release` records it, with samples for the tests"


def _rompe(lector: Any, escritor: Any, suyo: int, ajeno: int, lectores: Sequence[str]) -> list[str]:
    """Which readers could not read which messages."""
    resultado = ReaderWriterCompatibilityChecker().get_compatibility(lector, escritor)  # type: ignore[no-untyped-call]
    if resultado.compatibility is SchemaCompatibilityType.compatible:
        return []
    return [f"{' and '.join(lectores) or 'whoever reads it'}, with version {suyo}, can't read messages of {ajeno}"]
