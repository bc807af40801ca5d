"""Publishing by hand: what is taken, what is refused, and that one wrong message keeps all others back.

Longer than 200 lines: its cases, of what is taken and what is refused, are one list.
"""

import io
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _pulsar
import fastavro
import pulsar
import pytest
import yaml
from tools.cluster import client
from tools.cluster.schema_files import released
from tools.launch import outcome
from tools.messages.avro_json import to_json
from tools.messages.cloudevents_json import to_cloudevent
from tools.messages.samples import from_schema, sample
from tools.publish import cli

from functions.messages.codec import codec, parse_schema
from functions.messages.envelope import Message
from functions.messages.ids import Id, new
from functions.messages.payloads import PAYLOADS, ComandoCrearProducto, Payload
from functions.program.run import exit_code
from tests.support.fake_mailbox import PREFIX, FakePulsarClient
from tests.support.platform import ROOT

TOPIC, ORDEN = "productos/comando-crear-producto", "ordenes/comando-crear-orden"
Run = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, in_foreground: None) -> Run:
    """Runs publish.py on a fake cluster; its exit code."""

    def run_with(pulsar_client: FakePulsarClient, *arguments: str, input_text: str = "") -> int:
        monkeypatch.setattr(client, "connect", lambda: pulsar_client)
        monkeypatch.setattr("sys.argv", ["publish.py", *arguments])
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(input_text.encode())))
        return exit_code(lambda: outcome(cli.__name__))

    return run_with


def sent(pulsar_client: FakePulsarClient) -> list[Message[Payload]]:
    return [codec(topic.removeprefix(PREFIX)).decode(raw) for topic, raw, _ in pulsar_client.sent]


def producto(**changes: Any) -> dict[str, Any]:
    return {"id_producto": str(new()), "nombre": "Café", "stock": 3} | changes


ONE, OTHER = producto(nombre="2026-11-24"), producto(stock=0)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([ONE, OTHER], indent=1),
        f"\n{json.dumps(ONE)}\n{json.dumps(OTHER)}\n",
        yaml.safe_dump_all([ONE, OTHER]) + "\n---\n",
        yaml.safe_dump([ONE, OTHER], default_flow_style=True, allow_unicode=True),
        json.dumps({"data": ONE}) + json.dumps({"data": OTHER, "service_name": "bff"}),
    ],
)
def test_json_lines_lists_and_yaml_documents_are_messages(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "dos").write_text(text)
    pulsar_client = FakePulsarClient()
    assert run(pulsar_client, PREFIX + TOPIC, str(tmp_path / "dos")) == 0
    expected = [ComandoCrearProducto(Id(p["id_producto"]), p["nombre"], p["stock"]) for p in (ONE, OTHER)]
    assert [message.data for message in sent(pulsar_client)] == expected
    keys = [options["partition_key"] for _, _, options in pulsar_client.sent]
    assert keys == [ONE["id_producto"], OTHER["id_producto"]]


def test_what_is_confirmed_is_shown_with_its_id_its_key_and_where_it_is(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    pulsar_client = FakePulsarClient()
    assert run(pulsar_client, TOPIC, "-", "--json", input_text=json.dumps(ONE)) == 0
    row = json.loads(capsys.readouterr().out)
    (message,) = sent(pulsar_client)
    assert row == {"topic": TOPIC, "id": str(message.id), "key": ONE["id_producto"], "message_id": "(1,2,-1,-1)"}


@pytest.mark.parametrize("topic", sorted(PAYLOADS))
def test_samples_of_every_topic_can_be_published_and_are_what_was_asked_for(run: Run, topic: str) -> None:
    pulsar_client, key = FakePulsarClient(), PAYLOADS[topic].key
    value = "x" if key == "funcion" else str(new())
    assert run(pulsar_client, topic, "--sample", "3", "--set", f"{key}={value}") == 0
    assert [str(getattr(message.data, key)) for message in sent(pulsar_client)] == [value] * 3
    assert len({message.id for message in sent(pulsar_client)}) == 3


def test_cloudevents_and_whole_envelopes_are_published_as_they_are(run: Run) -> None:
    envelope = sample(TOPIC)
    for input_text in (to_cloudevent(TOPIC, envelope), to_json(envelope)):
        pulsar_client = FakePulsarClient()
        assert run(pulsar_client, TOPIC, "-", "--set", "stock=77", input_text=json.dumps(input_text)) == 0
        (message,) = sent(pulsar_client)
        assert (message.id, message.time, message.ingestion) == (
            envelope["id"],
            envelope["time"],
            envelope["ingestion"],
        )
        assert message.data == ComandoCrearProducto(**envelope["data"] | {"stock": 77})


class ClientWithAllVersions(FakePulsarClient):
    """A cluster with every released version of the schemas."""

    def get_schema_info(self, topic: str, version: int) -> Any:
        definition = list(released(topic.removeprefix(PREFIX)).values())[version]
        return _pulsar.SchemaInfo(_pulsar.SchemaType.AVRO, "comando", json.dumps(definition))


@pytest.mark.parametrize("version", ["1", codec(ORDEN).version])
def test_messages_of_every_version_are_published_as_what_they_are(run: Run, version: str) -> None:
    pulsar_client, definition = ClientWithAllVersions(), released(ORDEN)[int(version)]
    envelope = from_schema(ORDEN, definition)
    assert run(pulsar_client, ORDEN, "-", input_text=json.dumps(to_cloudevent(ORDEN, envelope))) == 0
    ((_, raw, _),) = pulsar_client.sent
    assert fastavro.schemaless_reader(io.BytesIO(raw), parse_schema(definition), None) == envelope
    assert json.loads(pulsar_client.schemas[0].schema())["version"] == version


def test_a_dry_run_shows_and_publishes_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(FakePulsarClient(), TOPIC, "-", "--dry-run", input_text=json.dumps(ONE)) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["key"], seen["message"]["data"], seen["message"]["service_name"]) == (
        ONE["id_producto"],
        ONE,
        "tester",
    )


@pytest.mark.parametrize(
    ("bad", "problems"),
    [
        (json.dumps([ONE, producto(stock=-1)]), ["-: message 2: ", "stock is -1: it must be from 0 to"]),
        (
            json.dumps(producto(stock="3", x=1)),
            ["message 1: data.stock is '3': it must be of type int", "data.x: there"],
        ),
        (json.dumps(producto(nombre="a\0")), ["nombre holds a NUL character"]),
        (json.dumps([5]), ["message 1: the message is 5: it must be an object with id, time"]),
        (json.dumps({"data": None}), ["data is None: it must be an object with id_producto"]),
        (json.dumps({"data": ONE, "type": "otro"}), ["type is 'otro', on productos/comando-crear-producto"]),
        (
            json.dumps({"data": ONE, "specversion": "77"}),
            ["the schema's version is '77': leave it out, or say one of 1"],
        ),
        (
            json.dumps(to_cloudevent(TOPIC, sample(TOPIC)) | {"id": "7", "x": "y"}),
            ["x is 'y': our messages have no place"],
        ),
        (json.dumps(producto(nombre="x" * 70_000)), ["at most 65536 are allowed"]),
        ('{"a": 1}\n{"b": ', ["-: no JSON: Expecting value: line 2 column 7"]),
        ("a: b: c", ["-: no YAML: mapping values are not allowed here"]),
        ("[" * 100_000, ["-: no JSON: "]),
        ("", ["-: there is no message in it"]),
        ("\x1b[2J: 1", ["no YAML: unacceptable character"]),
    ],
    ids=itertools.count(),  # the messages have new ids in each process
)
def test_if_one_is_wrong_every_problem_is_named_and_none_is_published(
    run: Run, capsys: pytest.CaptureFixture[str], bad: str, problems: list[str]
) -> None:
    pulsar_client = FakePulsarClient()
    assert run(pulsar_client, TOPIC, "-", "--sample", input_text=bad) == 2
    errors = capsys.readouterr().err
    assert [problem for problem in problems if problem not in errors] == []
    assert "nothing was published" in errors
    assert pulsar_client.calls == []


def test_files_that_can_not_be_read_are_named(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"nombre: Caf\xe9")
    assert run(FakePulsarClient(), TOPIC, str(tmp_path / "latin"), str(tmp_path / "nada")) == 2
    errors = capsys.readouterr().err
    assert f"{tmp_path / 'latin'}: 'utf-8' codec can't decode" in errors
    assert f"No such file or directory: '{tmp_path / 'nada'}'" in errors


def test_what_the_broker_does_not_confirm_is_an_error_and_counted(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(FakePulsarClient(failing_topics=[PREFIX + TOPIC]), TOPIC, "--sample", "2") == 1
    output, errors = capsys.readouterr()
    assert (output, "0 of 2 are stored, the others may be, too" in errors) == ("", True)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (pulsar.IncompatibleSchema, "provision.py registers it, schemas.py diff compares"),
        (pulsar.TopicNotFound, "the topic does not exist: run provision.py"),
        (pulsar.Timeout, "does not answer: is it up"),
        (pulsar.ConnectError, "does not answer: is it up"),
    ],
)
def test_a_broker_that_refuses_or_is_away_is_a_clear_error(
    run: Run,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    remedy: str,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error("no")

    monkeypatch.setattr(FakePulsarClient, "create_producer", refuse)
    assert run(FakePulsarClient(), TOPIC, "--sample") == 1
    errors = capsys.readouterr().err
    assert (remedy in errors, errors.count("\n")) == (True, 1)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["x/y", "-"], "there is no topic x/y; there are conductores/comando-asignar-conductor, "),
        ([TOPIC], "it wants a TOPIC, and FILEs or --sample"),
        ([TOPIC, "--sample", "0"], "it must be at least 1"),
        ([TOPIC, "--sample", "--set", "stock"], "it must be FIELD=VALUE"),
        ([TOPIC, "--sample", "--set", "stock=[1"], "the value is no YAML"),
    ],
)
def test_wrong_usage_is_explained(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str], error: str
) -> None:
    assert run(FakePulsarClient(), *arguments) == 2
    assert error in capsys.readouterr().err


def test_the_topics_are_listed_from_anywhere() -> None:
    program = [sys.executable, str(ROOT / "pulsar-admin-scripts" / "publish.py"), "--topics"]
    output = subprocess.run(program, cwd="/", capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in output.splitlines()] == sorted(PAYLOADS)
