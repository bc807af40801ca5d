"""What was released stays readable: messages in the bytes of every released version of every schema."""

import io
from typing import Any

import fastavro
import pytest
from avro_json import a_json, de_json
from schemas_files import actual, archivos_lanzados, lanzadas, leer, topics, version

from functions.comun.codec import Codec, Publicacion, analizar, codec, codec_de, desempaquetar, empaquetar

LANZADAS = [(topic, numero) for topic in topics() for numero in lanzadas(topic)]


def muestras(topic: str, numero: int) -> list[tuple[bytes, dict[str, Any]]]:
    """Bytes and the message in them, as people wrote it down when the version was released."""
    samples = leer(archivos_lanzados(topic, numero)[1])["samples"]
    return [(bytes.fromhex(muestra["bytes"]), muestra["message"]) for muestra in samples]


def como_json(leido: Any, lector: Codec) -> dict[str, Any]:
    return {campo: a_json(getattr(leido.data, campo)) for campo in lector.campos}


def test_every_version_of_every_schema_has_samples() -> None:
    assert {topic for topic, _ in LANZADAS} == set(topics())
    assert all(len(muestras(topic, numero)) == 2 for topic, numero in LANZADAS)


@pytest.mark.parametrize(("topic", "numero"), LANZADAS)
def test_todays_functions_read_what_was_released(topic: str, numero: int) -> None:
    escritor, lector = analizar(lanzadas(topic)[numero]), codec(topic)
    for crudo, mensaje in muestras(topic, numero):
        leido = lector.decodificar(crudo, escritor)
        assert como_json(leido, lector) == dict.fromkeys(lector.campos) | mensaje["data"]
        assert (str(leido.id), leido.ingestion, leido.time) == (mensaje["id"], mensaje["ingestion"], mensaje["time"])


@pytest.mark.parametrize(("topic", "numero"), LANZADAS)
def test_functions_with_a_released_version_read_what_todays_write(topic: str, numero: int) -> None:
    lector = codec_de(topic, lanzadas(topic)[numero])
    for crudo, mensaje in muestras(topic, version(actual(topic)) or 0):
        leido = lector.decodificar(crudo, codec(topic).esquema)
        assert como_json(leido, lector) == {campo: mensaje["data"][campo] for campo in lector.campos}


@pytest.mark.parametrize(("topic", "numero"), LANZADAS)
def test_outputs_kept_in_receipts_tell_their_version(topic: str, numero: int) -> None:
    """Whatever version of a function put them there: they are published again as what they are."""
    guardadas = [Publicacion(topic, "clave", crudo, version=str(numero)) for crudo, _ in muestras(topic, numero)]
    assert desempaquetar(empaquetar(guardadas)) == guardadas


@pytest.mark.parametrize(("topic", "numero"), LANZADAS)
def test_a_released_version_is_written_in_the_same_bytes_as_ever(topic: str, numero: int) -> None:
    definicion = lanzadas(topic)[numero]
    for crudo, mensaje in muestras(topic, numero):
        salida = io.BytesIO()
        fastavro.schemaless_writer(salida, analizar(definicion), de_json(mensaje, definicion))
        assert salida.getvalue() == crudo
