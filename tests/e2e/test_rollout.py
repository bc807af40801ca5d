"""Version 2 of six messages is rolled out while orders flow: version-1 messages are in flight, and a version-1
producer goes on for ever. Then a version 3 that breaks its readers is tried on the same cluster.

Longer than 200 lines: it tells one story, a rollout, whose steps share one cluster and one producer.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pulsar
import pytest
from tools.cluster.repository import function_configs
from tools.cluster.schema_files import released, topics

from functions.messages.ids import new
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import ComandoRegistrarConductor
from functions.pulsar_io.publisher import Publisher
from tests.chaos import snapshot
from tests.chaos.invariants import broken_invariants
from tests.chaos.snapshot import Promised
from tests.e2e.dlq_helpers import run_script
from tests.support.clone import Clone
from tests.support.platform import ROOT, Platform, wait_for
from tests.support.schema_changes import INCOMPATIBLE

pytestmark = pytest.mark.e2e

STOCK = CONDUCTORES = 5_000
"""More than the test orders."""
PERIOD = 0.05
"""Between two orders of each client, in s."""
CREAR = "ordenes/comando-crear-orden"
LATER_VERSIONS = [(topic, number) for topic in topics() for number in sorted(released(topic)) if number > 1]
"""What was released after version 1 of each topic."""
INSTRUCTIONS = "Tocar el timbre"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Everything but what is deployed: databases only."""
    platform = Platform(tmp_path_factory.mktemp("rollout"))
    try:
        platform.local("up")
        platform.run_with_env(sys.executable, "-m", "deployment.databases")
        yield platform
    finally:
        platform.local("clean")


@pytest.fixture(scope="module")
def version_1(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """The sources as of version 1: they know no other schemas."""
    clone = Clone(tmp_path_factory.mktemp("version-1"))
    for topic, number in LATER_VERSIONS:
        clone.release(topic, number).unlink()
        shutil.copy(clone.release(topic, 1), clone.schema(topic))
    return clone


def run(cluster: Platform, root: Path, script: str, *arguments: str) -> tuple[int, str, str]:
    """A script of the sources in `root`, on the cluster: exit code, stdout, stderr."""
    return run_script(cluster, script, *arguments, root=root)


def succeeded(result: tuple[int, str, str]) -> str:
    code, output, errors = result
    assert code == 0, f"{output}\n{errors}"
    return output


@contextmanager
def load(request: Callable[[], str | None]) -> Iterator[list[str]]:
    """A client that asks for an order every PERIOD; the ids of those that were accepted, as they come."""
    requested: list[str] = []
    stop = threading.Event()

    def client() -> None:
        while not stop.wait(PERIOD):
            if (id_orden := request()) is not None:
                requested.append(id_orden)

    thread = threading.Thread(target=client)
    thread.start()
    try:
        yield requested
    finally:
        stop.set()
        thread.join()


@contextmanager
def old_producer(cluster: Platform, version_1: Clone, id_producto: str) -> Iterator[Callable[[], str]]:
    """A process with the sources of version 1, which sends an order each time it is asked."""
    command = [sys.executable, str(Path(__file__).with_name("producer.py")), cluster.service_url, id_producto, "1"]
    env = os.environ | {"PYTHONPATH": str(version_1.root), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    stdin, stdout = process.stdin, process.stdout

    def request() -> str:
        print(file=stdin, flush=True)
        return stdout.readline().strip()

    yield request
    process.communicate(timeout=30)
    assert process.returncode == 0


def request_through_bff(cluster: Platform, id_producto: str) -> str | None:
    fields = {"id_producto": id_producto, "user_id": "v2", "cantidad": 1, "direccion_entrega": "Calle 45"}
    status, body, _ = cluster.request("POST", "/orders", fields | {"instrucciones_entrega": INSTRUCTIONS})
    return str(body["id_orden"]) if status == 202 else None


def prepare(cluster: Platform) -> str:
    """A product and drivers for all orders; the product's id."""
    status, body, _ = cluster.request("POST", "/productos", {"nombre": "Café", "stock": STOCK})
    assert status == 202, body
    client = pulsar.Client(cluster.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    conductores = (ComandoRegistrarConductor(new(), None) for _ in range(CONDUCTORES))
    Publisher(client).publish([to_outgoing(new(), 0, "pruebas", conductor) for conductor in conductores])
    client.close()
    free = "select count(*) from conductores"
    wait_for("the drivers", lambda: cluster.sql("conductores", free)[0][0] == CONDUCTORES)
    wait_for("the product", lambda: cluster.request("GET", f"/productos/{body['id']}")[0] == 200)
    return str(body["id"])


def wait_for_more_to_end(cluster: Platform, ids: list[str], more: int) -> None:
    """Waits until `more` orders that were not yet asked for have ended, all of them with a driver."""
    since = len(ids)
    wait_for("more orders", lambda: len(ids) >= since + more)
    require_iniciadas(cluster, ids[since : since + more])


def require_iniciadas(cluster: Platform, ids: list[str]) -> None:
    query = """select estado, motivo, count(*) from ordenes where id_orden = any(cast(:ids as uuid[]))
        and estado <> 'creada' group by 1, 2"""

    def ended() -> list[tuple[Any, ...]] | None:
        counted = cluster.sql("ordenes_lectura", query, ids=ids)
        return counted if sum(count for *_, count in counted) == len(ids) else None

    assert wait_for(f"{len(ids)} orders to end", ended) == [("iniciada", None, len(ids))]


def test_a_new_version_rolls_out_under_load_and_no_order_is_lost(cluster: Platform, version_1: Clone) -> None:
    succeeded(run(cluster, version_1.root, "provision.py"))
    succeeded(run(cluster, version_1.root, "deploy.py"))
    id_producto = prepare(cluster)
    check_early_bff(cluster, id_producto)
    with ExitStack() as stack:
        old = stack.enter_context(old_producer(cluster, version_1, id_producto))
        old_orders = stack.enter_context(load(old))
        wait_for_more_to_end(cluster, old_orders, 20)
        provisioned = succeeded(run(cluster, ROOT, "provision.py"))
        registered = re.findall(r"version (\d+) of the schema .*?(\S+)$", provisioned, re.MULTILINE)
        assert [(topic, int(number)) for number, topic in registered] == LATER_VERSIONS
        new_ones = stack.enter_context(load(partial(request_through_bff, cluster, id_producto)))
        wait_for_more_to_end(cluster, new_ones, 20)  # version 2, read by functions of version 1
        wait_for_more_to_end(cluster, old_orders, 20)
        assert f"deployed: {len(function_configs())} changes" in succeeded(run(cluster, ROOT, "deploy.py"))
        wait_for_more_to_end(cluster, new_ones, 20)
        wait_for_more_to_end(cluster, old_orders, 20)  # version 1, read by functions of version 2
        check_new_field_is_carried(cluster, id_producto, new_ones)
    require_iniciadas(cluster, old_orders + new_ones)
    promised = Promised(old_orders + new_ones, [], {id_producto: STOCK})
    wait_for("everything to be settled", lambda: broken_invariants(_without_new(cluster), promised) == {})


def _without_new(cluster: Platform) -> snapshot.Snapshot:
    """The picture without what version 1 doesn't say: when orders came into their states, movements, drivers."""

    def without(ordenes: dict[UUID, snapshot.Orden]) -> dict[UUID, snapshot.Orden]:
        return {key: replace(orden, iniciada_en=None, finalizada_en=None) for key, orden in ordenes.items()}

    state = snapshot.take(cluster)
    ordenes, ordenes_lectura = without(state.ordenes), without(state.ordenes_lectura)
    return replace(
        state,
        ordenes=ordenes,
        ordenes_lectura=ordenes_lectura,
        initial_stock={},
        estados={},
        estados_lectura={},
    )


def check_early_bff(cluster: Platform, id_producto: str) -> None:
    """A BFF of version 2 on a cluster of version 1: refused, and everybody can see why."""
    fields = {"id_producto": id_producto, "user_id": "v2", "cantidad": 1, "direccion_entrega": "Calle 45"}
    status, body, _ = cluster.request("POST", "/orders", fields)
    assert status == 503
    assert f"the broker refuses version 2 of the schema of {CREAR}" in body["detail"]
    assert "Nothing was done" in body["detail"]
    assert "the broker refuses version 2" in (cluster.data / "logs" / "bff.log").read_text()
    code, _, errors = run(cluster, ROOT, "deploy.py", "crear-orden")
    assert code == 1
    assert "the cluster does not have these schemas as the functions use them" in errors


def check_new_field_is_carried(cluster: Platform, id_producto: str, new_ones: list[str]) -> None:
    """What is new in version 2 is carried by each step of the saga."""
    id_orden = request_through_bff(cluster, id_producto)
    assert id_orden is not None
    new_ones.append(id_orden)
    require_iniciadas(cluster, [id_orden])
    assert cluster.request("GET", f"/orders/{id_orden}")[1]["instrucciones_entrega"] == INSTRUCTIONS
    logged_sql = "select contenido->>'instrucciones_entrega' from sagalog where id_orden = cast(:id as uuid)"
    wait_for("the saga log", lambda: cluster.sql("saga", logged_sql, id=id_orden) == [(INSTRUCTIONS,)] * 4)


def test_the_registry_has_every_released_version_and_no_other(cluster: Platform) -> None:
    listed = [json.loads(line) for line in succeeded(run(cluster, ROOT, "schemas.py", "list", "--json")).splitlines()]
    versions: dict[str, list[int]] = {row["topic"]: [] for row in listed}
    for row in listed:
        versions[row["topic"]].append(row["version"])
    assert versions == {topic: sorted(released(topic)) for topic in topics()}
    assert succeeded(run(cluster, ROOT, "schemas.py", "diff")) == "no differences\n"
    assert succeeded(run(cluster, ROOT, "schemas.py", "upload")).endswith("uploaded: no changes\n")


def test_the_registry_says_what_is_missing_and_extra(cluster: Platform, version_1: Clone) -> None:
    code, stdout, _ = run(cluster, version_1.root, "schemas.py", "diff", "--json")
    differences = [json.loads(line) for line in stdout.splitlines()]
    assert code == 3
    assert differences == [{"topic": topic, "version": n, "state": "extra"} for topic, n in LATER_VERSIONS]
    assert succeeded(run(cluster, version_1.root, "provision.py")).endswith(
        "provisioned: no changes\n"
    )  # an older checkout


@pytest.fixture
def version_3(tmp_path: Path) -> Clone:
    """The sources with a version 3 of an order's command that no function of version 2 can read."""
    clone = Clone(tmp_path)

    def make_incompatible(text: str) -> str:
        schema: dict[str, Any] = json.loads(text)
        INCOMPATIBLE["another type"][0](schema)
        return json.dumps(schema | {"version": "3"})

    clone.edit(clone.schema(CREAR), make_incompatible)
    return clone


def test_a_change_that_breaks_readers_is_refused_by_gate_and_broker_and_nothing_changes(
    cluster: Platform, version_3: Clone
) -> None:
    code, _, errors = run(cluster, version_3.root, "schemas.py", "upload")
    assert code == 1
    assert "crear-orden and registrar-saga, with version 2, can't read messages of 3" in errors
    assert run(cluster, version_3.root, "schemas.py", "diff")[0] == 3
    for command in (("schemas.py", "upload", "--force"), ("provision.py",)):
        code, _, errors = run(cluster, version_3.root, *command)
        assert code == 1
        assert f"error: the broker refuses version 3 of {CREAR}: it is incompatible" in errors
        assert len(errors) < 600  # not both schemas in full, as the broker says it
    code, _, errors = run(cluster, version_3.root, "deploy.py", "crear-orden")
    assert code == 1
    assert CREAR in errors
    assert succeeded(run(cluster, ROOT, "schemas.py", "diff")) == "no differences\n"


def test_the_same_version_with_another_schema_is_refused_before_anything_changes(
    cluster: Platform, tmp_path: Path
) -> None:
    other = Clone(tmp_path)
    other.edit(other.schema(CREAR), lambda text: text.replace("Units ordered", "Units"))
    code, _, errors = run(cluster, other.root, "provision.py")
    assert code == 1
    assert f"version 2 of {CREAR}" in errors
    assert "Nothing was done" in errors
