"""What the tests of the tool for dead letters share: running it, bytes on any topic, the saga log."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulsar

from functions.pulsar_io.schema import AvroSchema
from tests.support.platform import ROOT, Platform

PREFIX = "persistent://monoliticas/"


def run(platform: Platform, *arguments: str) -> tuple[int, str, str]:
    """dlq.py's exit code, stdout and stderr."""
    return run_script(platform, "dlq.py", *arguments)


def script_command(script: str, *arguments: str, root: Path = ROOT) -> list[str]:
    """The command that runs one of the scripts of the sources in `root` with the platform's environment."""
    local = [sys.executable, "-m", "deployment.local", "run", "--"]
    return [*local, sys.executable, str(root / "pulsar-admin-scripts" / script), *arguments]


def run_script(
    platform: Platform, script: str, *arguments: str, input_text: str = "", root: Path = ROOT
) -> tuple[int, str, str]:
    """A script's exit code, stdout and stderr."""
    command = script_command(script, *arguments, root=root)
    process = subprocess.run(
        command, cwd=ROOT, env=platform.env, input=input_text, capture_output=True, text=True, timeout=300
    )
    return process.returncode, process.stdout, process.stderr


def dlq(platform: Platform, *arguments: str) -> str:
    code, output, errors = run(platform, *arguments)
    assert code == 0, f"{arguments}\n{output}\n{errors}"
    return output


def dead_letters(platform: Platform, *filters: str) -> list[Any]:
    return [json.loads(line) for line in dlq(platform, "list", "--json", *filters).splitlines()]


@contextmanager
def client(platform: Platform) -> Iterator[pulsar.Client]:
    opened = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        yield opened
    finally:
        opened.close()


def publish(platform: Platform, topic: str, raw: bytes, key: str, **properties: str) -> str:
    """Any bytes, with the topic's schema attached; returns the message's id."""
    with client(platform) as opened:
        producer = opened.create_producer(PREFIX + topic, schema=AvroSchema(None, {"topic": topic}))
        return str(producer.send(raw, partition_key=key, properties=properties))


def audit(platform: Platform, motivo: str) -> list[tuple[Any, ...]]:
    query = """select contenido->>'accion', contenido->>'funcion', contenido->>'operador', id_orden::text
        from sagalog where evento = 'evento-cuarentena' and contenido->>'motivo' = :motivo order by time_stamp"""
    return platform.sql("saga", query, motivo=motivo)


def request_orden(platform: Platform, id_producto: str, user_id: str) -> str:
    fields = {"id_producto": id_producto, "user_id": user_id, "cantidad": 2, "direccion_entrega": "Calle 45"}
    status, body, _ = platform.request("POST", "/orders", fields)
    assert status == 202, body
    return str(body["id_orden"])


def steps(platform: Platform, id_orden: str, evento: str | None = None) -> list[str]:
    """What the saga log says of an order: of one event, what was done."""
    column = "evento" if evento is None else "contenido->>'accion'"
    query = f"""select {column} from sagalog where id_orden = cast(:orden as uuid)
        and evento = coalesce(:evento, evento) order by time_stamp"""
    return [str(step) for (step,) in platform.sql("saga", query, orden=id_orden, evento=evento)]
