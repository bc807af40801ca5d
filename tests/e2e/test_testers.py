"""What testers do on a whole platform: publish messages by hand, and listen to what they lead to."""

import base64
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from tools.cluster.schema_files import released
from tools.messages.avro_json import to_json
from tools.messages.samples import from_schema

from tests.e2e.dlq_helpers import PREFIX, publish, run_script, script_command
from tests.e2e.test_saga import HAPPY_PATH, crear_producto, registrar_conductores
from tests.support.platform import ROOT, Platform, wait_for

pytestmark = pytest.mark.e2e

CREAR, PRODUCTO = "ordenes/comando-crear-orden", "productos/comando-crear-producto"


def run(platform: Platform, script: str, *arguments: str, input_text: str = "") -> str:
    code, output, errors = run_script(platform, script, *arguments, input_text=input_text)
    assert code == 0, f"{arguments}\n{output}\n{errors}"
    return output


def read_all(platform: Platform, *arguments: str) -> list[Any]:
    """What there is now. A busy machine takes more than a second to read what does not match."""
    output = run(platform, "listen.py", "--from-start", "--until-idle", "3", *arguments)
    return [json.loads(line) for line in output.splitlines()]


@contextmanager
def listening(platform: Platform, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """listen.py once it listens; Ctrl-C works even if these tests run in the background."""
    process = subprocess.Popen(
        script_command("listen.py", *arguments),
        cwd=ROOT,
        env=platform.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        try:
            assert process.stderr is not None
            assert "listening to" in process.stderr.readline()
            yield process
        finally:
            process.kill()


def lines(process: "subprocess.Popen[str]") -> Iterator[Any]:
    assert process.stdout is not None
    return (json.loads(line) for line in process.stdout)


def test_a_saga_is_seen_from_the_order_that_a_tester_publishes_to_its_end(platform: Platform) -> None:
    id_producto, id_orden, seen = crear_producto(platform, 5), str(uuid4()), list[Any]()
    registrar_conductores(platform, 1)
    before = platform.admin("topics", "subscriptions", PREFIX + CREAR)
    with listening(platform, "--order", id_orden) as process:
        assert "reader-" in platform.admin("topics", "subscriptions", PREFIX + CREAR)
        assignments = ("--set", f"id_orden={id_orden}", "--set", f"id_producto={id_producto}")
        published = json.loads(run(platform, "publish.py", CREAR, "--sample", *assignments, "--json"))
        for row in lines(process):
            seen.append(row)
            if row["message"]["data"].get("estado") == "iniciada":
                break
        process.send_signal(signal.SIGINT)
        assert (process.wait(15), process.stderr and process.stderr.read()) == (130, "interrupted\n")
    assert [row["message"]["type"] for row in seen if row["message"]["type"] in HAPPY_PATH] == HAPPY_PATH
    first = seen[0]
    assert (first["message"]["id"], first["key"], first["message_id"]) == (
        published["id"],
        id_orden,
        published["message_id"],
    )
    assert platform.admin("topics", "subscriptions", PREFIX + CREAR) == before


def test_one_wrong_message_keeps_all_back(platform: Platform) -> None:
    good = {"id_producto": str(uuid4()), "nombre": "Té", "stock": 1}
    two = json.dumps([good, good | {"stock": -1}])
    code, output, errors = run_script(platform, "publish.py", PRODUCTO, "-", input_text=two)
    assert (code, output) == (2, "")
    assert "error: -: message 2: not a productos/comando-crear-producto: ValueError: stock is -1" in errors
    assert good["id_producto"] not in [row["key"] for row in read_all(platform, PRODUCTO)]
    run(platform, "publish.py", PRODUCTO, "-", input_text=json.dumps(good))
    assert [row["message"]["data"] for row in read_all(platform, PRODUCTO) if row["key"] == good["id_producto"]] == [
        good
    ]


@pytest.mark.parametrize("version", list(released(CREAR)))
def test_what_was_heard_can_be_published_again_as_cloudevents(platform: Platform, version: int) -> None:
    envelope = from_schema(CREAR, released(CREAR)[version])
    selection = ("--order", str(envelope["data"]["id_orden"]), CREAR)
    run(platform, "publish.py", CREAR, "-", input_text=json.dumps(to_json(envelope)))
    heard = run(platform, "listen.py", "--from-start", "--count", "1", "--cloudevents", *selection)
    run(platform, "publish.py", CREAR, "-", input_text=heard)
    first, second = read_all(platform, *selection)
    assert first["message"] == second["message"] == to_json(envelope)
    assert first["schema_version"] == second["schema_version"]
    since = run(platform, "listen.py", "--since", second["publish_time"], "--until-idle", "1", *selection)
    assert [json.loads(line)["message_id"] for line in since.splitlines()] == [second["message_id"]]


def test_garbage_and_its_dead_letter_are_shown_with_their_bytes(platform: Platform) -> None:
    topic, garbage = "ordenes/comando-verificar-orden", b"\xff" + uuid4().bytes
    with listening(platform, "--dlq") as process:
        publish(platform, topic, garbage, "clave")
        rows = (row for row in lines(process) if base64.b64decode(row.get("base64", "")) == garbage)
        first, dead_letter = next(rows), next(row for row in rows if row["topic"] == "ordenes/verificar-orden-dlq")
        process.terminate()
        assert process.wait(15) == 143
    assert (first["topic"], first["message"], first["key"]) == (topic, None, "clave")
    for row in (first, dead_letter):
        assert row["problem"].startswith(f"unreadable with schema version {row['schema_version']} of {topic}: ")
    assert dead_letter["properties"]["dlq-reason"].startswith("MensajeInvalido")


def test_a_reader_of_the_output_that_goes_away_ends_it(platform: Platform) -> None:
    with listening(platform) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(15) == 141


@pytest.fixture(scope="module")
def pulsar_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A broker of these tests' own: they stop it."""
    platform = Platform(tmp_path_factory.mktemp("pulsar"))
    try:
        platform.local("up", "pulsar")
        platform.run_with_env(sys.executable, "pulsar-admin-scripts/provision.py")
        yield platform
    finally:
        platform.local("clean")


def test_listening_goes_on_after_the_broker_was_away(pulsar_only: Platform) -> None:
    before, during, after = str(uuid4()), str(uuid4()), list[Any]()
    publish_producto = ("publish.py", PRODUCTO, "--sample", "--set")
    with listening(pulsar_only) as process:
        run(pulsar_only, *publish_producto, f"id_producto={before}")
        rows = lines(process)
        assert next(rows)["key"] == before
        pulsar_only.local("stop", "pulsar")
        code, output, errors = run_script(pulsar_only, *publish_producto, f"id_producto={during}")
        assert (code, output, "waiting for the broker at pulsar://" in errors) == (1, "", True)
        assert "does not answer: is it up, and is PULSAR_SERVICE_URL right?" in errors
        assert process.stderr is not None
        assert process.stderr.readline().startswith("the broker is away")
        pulsar_only.local("start", "pulsar")
        assert process.stderr.readline() == "the broker is back\n"
        run(pulsar_only, *publish_producto, f"id_producto={during}")
        assert next(rows)["key"] == during
        run(pulsar_only, "publish.py", CREAR, "--sample")
        after.append(next(rows))
    assert [row["topic"] for row in after] == [CREAR]
    wait_for("no reader", lambda: "reader-" not in pulsar_only.admin("topics", "subscriptions", PREFIX + CREAR))
