"""Dead letters: what they say, which are meant, what people see of them, and the command line."""

import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from dlq_args import elegir, parser
from dlq_letters import Carta, Filtro, Posicion, leer_id
from dlq_print import Tabla, detalle, objeto_entero
from terminal import en_json, seguro
from writer_schemas import Lectura

from tests.plataforma import RAIZ

ENTRADAS = {
    "ordenes/crear-orden": ["persistent://monoliticas/ordenes/comando-crear-orden"],
    "saga/registrar-saga": ["persistent://monoliticas/ordenes/comando-crear-orden"],
}
MALIGNO = "\x1b]0;título\x07\x9b2J\r\n\u202etxt\ud800\x7f"


def una_carta(cuerpo: bytes = b"basura", /, **propiedades: str) -> Carta:
    propias = {f"dlq-{clave}".replace("_", "-"): valor for clave, valor in propiedades.items()}
    return Carta("ordenes/crear-orden", Posicion(12, 3), "clave", cuerpo, propias, 1_800_000_000_000)


def test_a_letter_says_what_it_knows() -> None:
    carta = una_carta(
        topic="persistent://t/ns/x-partition-2", schema_version="-1", attempts="3", time="1000", redriven="4"
    )
    assert (carta.id, carta.topic, carta.version, carta.intentos) == ("crear-orden:12:3", "persistent://t/ns/x", -1, 3)
    assert (carta.hora, carta.reenvios) == (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), 4)
    assert leer_id(carta.id) == ("crear-orden", carta.posicion)


@pytest.mark.parametrize("numero", [None, "", "x", "1e3", "²", "9" * 18, "9" * 40, "-" + "9" * 18])
def test_nonsense_in_a_letter_by_hand_is_taken_as_not_there(numero: str | None) -> None:
    nombres = ("schema_version", "attempts", "time", "redriven")
    carta = una_carta(**{} if numero is None else dict.fromkeys(nombres, numero))
    assert carta.hora == datetime.fromtimestamp(1_800_000_000, UTC)
    assert (carta.topic, carta.motivo, carta.originales) == (None, "", {})
    assert carta.reenvios >= 0
    assert "crear-orden:12:3" in Tabla([carta.funcion]).linea(carta, Lectura())
    assert "basura" in detalle(carta, Lectura(problema="it does not say"))
    assert en_json(objeto_entero(carta, Lectura()))


@pytest.mark.parametrize(
    "topic", ["", "x", "persistent://a/b", "persistent://a/b/c/d", "persistent://a/b/\x1b", "a/b/c"]
)
def test_what_is_no_name_of_a_topic_never_reaches_the_client_library_which_would_crash(topic: str) -> None:
    assert una_carta(topic=topic).topic is None


@pytest.mark.parametrize("texto", ["crear-orden", "crear-orden:1", "a:b:c", "crear-orden:1:2:3:4", "x:-1:2", "a b:1:2"])
def test_what_is_no_id_of_a_letter_is_refused(texto: str) -> None:
    with pytest.raises(ValueError, match="is no id of a letter"):
        leer_id(texto)


def test_filters_choose_letters_that_match_all_of_them() -> None:
    orden, transaccion = uuid4(), uuid4()
    carta, datos = una_carta(topic="persistent://t/ns/x", reason="DataError: a", time="60000"), {"id_orden": orden}
    un_minuto = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    si: list[Mapping[str, Any]] = [
        {},
        {"ids": frozenset([("crear-orden", Posicion(12, 3))])},
        {"motivo": re.compile("Error"), "topic": "persistent://t/ns/x", "orden": orden},
        {"desde": un_minuto},
    ]
    no: list[Mapping[str, Any]] = [
        {"ids": frozenset([("crear-orden", Posicion(12, 4)), ("otra", Posicion(12, 3))])},
        {"motivo": re.compile("^Error")},
        {"topic": "persistent://t/ns/x", "orden": transaccion},
        {"transaccion": transaccion},
        {"hasta": un_minuto},
    ]
    assert [Filtro(**filtro).elige(carta, datos) for filtro in (*si, *no)] == [True] * len(si) + [False] * len(no)


def test_nothing_reaches_the_terminal_that_it_would_obey() -> None:
    assert seguro(MALIGNO) == r"\x1b]0;título\x07\x9b2J\r\n\u202etxt\ud800\x7f"
    carta = una_carta(MALIGNO.encode("utf-8", "replace"), reason=MALIGNO, topic=MALIGNO, traceback=MALIGNO, x=MALIGNO)
    lectura = Lectura({"data": {"id_orden": MALIGNO}}, MALIGNO, MALIGNO)
    tabla = Tabla([carta.funcion])
    vistos = [tabla.linea(carta, lectura), tabla.resumen(), detalle(carta, lectura), detalle(carta, Lectura())]
    for visto in (*vistos, en_json(objeto_entero(carta, lectura))):
        assert all(letra.isprintable() or letra == "\n" for letra in visto)


def test_totals_group_reasons_that_differ_in_numbers_and_ids_only() -> None:
    tabla = Tabla(["ordenes/crear-orden"])
    for motivo in (f"no order {uuid4()}", f"no order {uuid4()}", "no driver"):
        tabla.linea(una_carta(reason=motivo), Lectura())
    assert tabla.resumen().split("\n")[1:] == [
        "3 letters:",
        "       2  ordenes/crear-orden  no order …",
        "       1  ordenes/crear-orden  no driver",
    ]


def test_long_messages_are_shown_in_part() -> None:
    assert "… 10 bytes more" in detalle(una_carta(b"x" * 1034), Lectura())


def mal_uso(argumentos: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    todo = parser("")
    with pytest.raises(SystemExit) as fin:
        elegir(todo, todo.parse_args(argumentos), ENTRADAS)
    assert fin.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("argumentos", "error"),
    [
        (["list", "--function", "nadie"], "no such function: nadie; see deployment/functions"),
        (["list", "--function", "saga/crear-orden"], "no such function: saga/crear-orden"),
        (["list", "--topic", "ordenes/nada"], "no function reads ordenes/nada"),
        (["list", "--order", "7"], "'7': badly formed hexadecimal UUID string"),
        (["list", "--since", "ayer"], "'ayer': Invalid isoformat string"),
        (["list", "--reason-matches", "("], "missing ), unterminated subpattern"),
        (["show"], "the following arguments are required: ID"),
        (["redrive"], "redrive wants ids of letters, or filters, or --all"),
        (["redrive", "--all", "--function", "crear-orden"], "one of these three"),
        (["redrive", "crear-orden:1:2", "--order", str(uuid4())], "one of these three"),
        (["discard", "--all"], "the following arguments are required: --reason"),
        (["discard", "--reason", "x"], "discard wants ids of letters, or filters, or --all"),
    ],
)
def test_wrong_usage_is_explained(argumentos: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert error in mal_uso(argumentos, capsys)


def test_filters_and_ids_say_which_topics_to_open() -> None:
    todo = parser("")
    args = todo.parse_args(["list", "--function", "saga/registrar-saga", "--topic", "ordenes/comando-crear-orden"])
    funciones, filtro = elegir(todo, args, ENTRADAS)
    assert (funciones, filtro.topic) == (["saga/registrar-saga"], ENTRADAS["ordenes/crear-orden"][0])
    assert elegir(todo, todo.parse_args(["list"]), ENTRADAS) == (list(ENTRADAS), Filtro())
    args = todo.parse_args(["redrive", "crear-orden:1:2"])
    assert elegir(todo, args, ENTRADAS) == (
        ["ordenes/crear-orden"],
        Filtro(frozenset([("crear-orden", Posicion(1, 2))])),
    )


def test_the_program_starts_from_anywhere() -> None:
    programa = [sys.executable, str(RAIZ / "pulsar-admin-scripts" / "dlq.py"), "--help"]
    assert "redrive" in subprocess.run(programa, cwd="/", capture_output=True, text=True, check=True).stdout
