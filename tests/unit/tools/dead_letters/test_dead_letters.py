"""Dead letters: what they say, which are meant, what people see of them, and the command line."""

import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from tools.dead_letters.args import choose, parser
from tools.dead_letters.model import DeadLetter, Filter, Position, parse_id
from tools.dead_letters.print import Table, detail, to_full_dict
from tools.messages.writer_schemas import Decoded
from tools.terminal import json_line, sanitize

from tests.support.platform import ROOT

INPUTS = {
    "ordenes/crear-orden": ["persistent://monoliticas/ordenes/comando-crear-orden"],
    "saga/registrar-saga": ["persistent://monoliticas/ordenes/comando-crear-orden"],
}
MALICIOUS = "\x1b]0;título\x07\x9b2J\r\n\u202etxt\ud800\x7f"


def a_dead_letter(body: bytes = b"basura", /, **properties: str) -> DeadLetter:
    message_properties = {f"dlq-{key}".replace("_", "-"): value for key, value in properties.items()}
    return DeadLetter("ordenes/crear-orden", Position(12, 3), "clave", body, message_properties, 1_800_000_000_000)


def test_a_letter_says_what_it_knows() -> None:
    dead_letter = a_dead_letter(
        topic="persistent://t/ns/x-partition-2", schema_version="-1", attempts="3", time="1000", redriven="4"
    )
    assert (dead_letter.id, dead_letter.topic, dead_letter.version, dead_letter.attempts) == (
        "crear-orden:12:3",
        "persistent://t/ns/x",
        -1,
        3,
    )
    assert (dead_letter.timestamp, dead_letter.redrive_count) == (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), 4)
    assert parse_id(dead_letter.id) == ("crear-orden", dead_letter.position)


@pytest.mark.parametrize("number", [None, "", "x", "1e3", "²", "9" * 18, "9" * 40, "-" + "9" * 18])
def test_nonsense_in_a_letter_by_hand_is_taken_as_not_there(number: str | None) -> None:
    names = ("schema_version", "attempts", "time", "redriven")
    dead_letter = a_dead_letter(**{} if number is None else dict.fromkeys(names, number))
    assert dead_letter.timestamp == datetime.fromtimestamp(1_800_000_000, UTC)
    assert (dead_letter.topic, dead_letter.reason, dead_letter.original_properties) == (None, "", {})
    assert dead_letter.redrive_count >= 0
    assert "crear-orden:12:3" in Table([dead_letter.function]).line(dead_letter, Decoded())
    assert "basura" in detail(dead_letter, Decoded(problem="it does not say"))
    assert json_line(to_full_dict(dead_letter, Decoded()))


@pytest.mark.parametrize(
    "topic", ["", "x", "persistent://a/b", "persistent://a/b/c/d", "persistent://a/b/\x1b", "a/b/c"]
)
def test_what_is_no_name_of_a_topic_never_reaches_the_client_library_which_would_crash(topic: str) -> None:
    assert a_dead_letter(topic=topic).topic is None


@pytest.mark.parametrize("text", ["crear-orden", "crear-orden:1", "a:b:c", "crear-orden:1:2:3:4", "x:-1:2", "a b:1:2"])
def test_what_is_no_id_of_a_letter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no id of a letter"):
        parse_id(text)


def test_filters_choose_letters_that_match_all_of_them() -> None:
    orden, transaction = uuid4(), uuid4()
    dead_letter, data = (
        a_dead_letter(topic="persistent://t/ns/x", reason="DataError: a", time="60000"),
        {"id_orden": orden},
    )
    one_minute = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    matching: list[Mapping[str, Any]] = [
        {},
        {"ids": frozenset([("crear-orden", Position(12, 3))])},
        {"reason": re.compile("Error"), "topic": "persistent://t/ns/x", "order": orden},
        {"since": one_minute},
    ]
    not_matching: list[Mapping[str, Any]] = [
        {"ids": frozenset([("crear-orden", Position(12, 4)), ("otra", Position(12, 3))])},
        {"reason": re.compile("^Error")},
        {"topic": "persistent://t/ns/x", "order": transaction},
        {"transaction": transaction},
        {"until": one_minute},
    ]
    assert [Filter(**wanted).matches(dead_letter, data) for wanted in (*matching, *not_matching)] == [True] * len(
        matching
    ) + [False] * len(not_matching)


def test_nothing_reaches_the_terminal_that_it_would_obey() -> None:
    assert sanitize(MALICIOUS) == r"\x1b]0;título\x07\x9b2J\r\n\u202etxt\ud800\x7f"
    dead_letter = a_dead_letter(
        MALICIOUS.encode("utf-8", "replace"), reason=MALICIOUS, topic=MALICIOUS, traceback=MALICIOUS, x=MALICIOUS
    )
    decoded = Decoded({"data": {"id_orden": MALICIOUS}}, MALICIOUS, MALICIOUS)
    table = Table([dead_letter.function])
    seen = [
        table.line(dead_letter, decoded),
        table.summary(),
        detail(dead_letter, decoded),
        detail(dead_letter, Decoded()),
    ]
    for shown in (*seen, json_line(to_full_dict(dead_letter, decoded))):
        assert all(character.isprintable() or character == "\n" for character in shown)


def test_totals_group_reasons_that_differ_in_numbers_and_ids_only() -> None:
    table = Table(["ordenes/crear-orden"])
    for reason in (f"no order {uuid4()}", f"no order {uuid4()}", "no driver"):
        table.line(a_dead_letter(reason=reason), Decoded())
    assert table.summary().split("\n")[1:] == [
        "3 letters:",
        "       2  ordenes/crear-orden  no order …",
        "       1  ordenes/crear-orden  no driver",
    ]


def test_long_messages_are_shown_in_part() -> None:
    assert "… 10 bytes more" in detail(a_dead_letter(b"x" * 1034), Decoded())


def usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    command_line = parser("")
    with pytest.raises(SystemExit) as exit_info:
        choose(command_line, command_line.parse_args(arguments), INPUTS)
    assert exit_info.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "error"),
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
def test_wrong_usage_is_explained(arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert error in usage_error(arguments, capsys)


def test_filters_and_ids_say_which_topics_to_open() -> None:
    command_line = parser("")
    args = command_line.parse_args(
        ["list", "--function", "saga/registrar-saga", "--topic", "ordenes/comando-crear-orden"]
    )
    functions, wanted = choose(command_line, args, INPUTS)
    assert (functions, wanted.topic) == (["saga/registrar-saga"], INPUTS["ordenes/crear-orden"][0])
    assert choose(command_line, command_line.parse_args(["list"]), INPUTS) == (list(INPUTS), Filter())
    args = command_line.parse_args(["redrive", "crear-orden:1:2"])
    assert choose(command_line, args, INPUTS) == (
        ["ordenes/crear-orden"],
        Filter(frozenset([("crear-orden", Position(1, 2))])),
    )


def test_the_program_starts_from_anywhere() -> None:
    program = [sys.executable, str(ROOT / "pulsar-admin-scripts" / "dlq.py"), "--help"]
    assert "redrive" in subprocess.run(program, cwd="/", capture_output=True, text=True, check=True).stdout
