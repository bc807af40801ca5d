"""Deployments on a cluster where orders flow: what is broken is seen and put back, and no order is lost.

Longer than 200 lines: its tests share one cluster with orders flowing, which takes minutes to start.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulsar
import pytest
from tools.cluster.topics import HISTORY_SUBSCRIPTION, HISTORY_TOPIC
from tools.deploy.history import History, read
from tools.deploy.model import KEPT, kept
from tools.errors import ToolError

from functions.messages.ids import new
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import ComandoRegistrarConductor
from functions.pulsar_io.publisher import Publisher
from tests.chaos import snapshot
from tests.chaos.invariants import broken_invariants
from tests.chaos.snapshot import Promised
from tests.e2e.dlq_helpers import client, dlq, run_script
from tests.support.clone import Clone
from tests.support.platform import ROOT, Platform, deployed, wait_for

pytestmark = pytest.mark.e2e

STOCK = CONDUCTORES = 60_000
"""More than the test orders."""
PERIOD = 0.04
CLIENTS = 4
"""With PERIOD, 100 orders a second."""


class Shop:
    """A cluster with one product, drivers enough, and customers."""

    def __init__(self, cluster: Platform) -> None:
        self.cluster = cluster
        status, body, _ = cluster.request("POST", "/productos", {"nombre": "Café", "stock": STOCK})
        assert status == 202, body
        self.id_producto = str(body["id"])
        self.requested: list[str] = []
        client = pulsar.Client(cluster.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        conductores = (ComandoRegistrarConductor(new(), None) for _ in range(CONDUCTORES))
        Publisher(client).publish([to_outgoing(new(), 0, "pruebas", conductor) for conductor in conductores])
        client.close()
        registered = "select count(*) from conductores"
        wait_for("the drivers", lambda: cluster.sql("conductores", registered)[0][0] == CONDUCTORES)
        wait_for("the product", lambda: cluster.request("GET", f"/productos/{self.id_producto}")[0] == 200)

    def request(self) -> str | None:
        fields = {"id_producto": self.id_producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45"}
        status, body, _ = self.cluster.request("POST", "/orders", fields)
        if status == 202:
            self.requested.append(body["id_orden"])
        return str(body["id_orden"]) if status == 202 else None

    @contextmanager
    def open_for_orders(self) -> Iterator[None]:
        """Customers come, 100 a second at most; they come for as long as this lasts."""
        stop, before = threading.Event(), len(self.requested)

        def client() -> None:
            while not stop.wait(PERIOD):
                self.request()

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
            wait_for("orders", lambda: len(self.requested) > before + 100)
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def assert_settled(self) -> None:
        """Every order has ended, with a driver and what it asked for, once; every figure agrees."""
        promised = Promised(self.requested, [], {self.id_producto: STOCK})
        wait_for("everything to be settled", lambda: broken_invariants(snapshot.take(self.cluster), promised) == {})
        estados = self.cluster.sql("ordenes", "select estado, count(*) from ordenes group by 1")
        assert estados == [("iniciada", len(self.requested))]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Everything, with these sources deployed."""
    with deployed(Platform(tmp_path_factory.mktemp("deploy"))) as platform:
        yield platform


@pytest.fixture(scope="module")
def shop(cluster: Platform) -> Shop:
    return Shop(cluster)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """Sources to change. Of what tests deploy, crear-orden alone stays changed."""
    return Clone(tmp_path)


def run(cluster: Platform, root: Path, *arguments: str) -> tuple[int, str, str]:
    """deploy.py of the sources in `root`: exit code, stdout, stderr."""
    return run_script(cluster, "deploy.py", *arguments, root=root)


def succeeded(result: tuple[int, str, str]) -> str:
    code, output, errors = result
    assert code == 0, f"{output}\n{errors}"
    return output


def history(cluster: Platform, *functions: str) -> list[Any]:
    return [json.loads(x) for x in succeeded(run(cluster, ROOT, "history", "--json", *functions)).splitlines()]


def processes(cluster: Platform) -> dict[str, int]:
    """The process of each function; all have one instance."""
    configs = sorted((ROOT / "deployment/functions").glob("*.yaml"))
    return {path.stem: cluster.instances(path.stem)[0].pid for path in configs}


def append_code(clone: Clone, function: str, text: str) -> None:
    """At the end of a function's module, orders' context."""
    path = clone.root / "functions/ordenes" / f"{function.replace('-', '_')}.py"
    clone.edit(path, lambda code: code + text)


def change(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


def deployed_package(cluster: Platform, function: str, tmp_path: Path) -> bytes:
    """The package of a function of orders' context, as the worker has it."""
    path = tmp_path / "downloaded"
    who = ("--tenant", "monoliticas", "--namespace", "ordenes", "--name", function)
    cluster.admin("functions", "download", *who, "--destination-file", str(path))
    return path.read_bytes()


def test_what_changed_is_deployed_and_nothing_else_is_touched(shop: Shop, clone: Clone) -> None:
    before = processes(shop.cluster)
    append_code(clone, "crear-orden", f"\n# {new()}\n")
    with shop.open_for_orders():
        output = succeeded(run(shop.cluster, clone.root))
    assert "  crear-orden: updated\n" in output
    assert "deployed: 1 changes, version " in output
    after = processes(shop.cluster)
    assert {name for name in before if before[name] != after[name]} == {"crear-orden"}
    shop.assert_settled()


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ("\ndef (\n", "SyntaxError: invalid syntax"),
        pytest.param("\nimport os\nos._exit(3)\n", "its instances died", marks=pytest.mark.slow),
    ],
    ids=["SyntaxError", "died"],
)
def test_code_that_does_not_start_is_shown_and_the_version_before_is_put_back(
    shop: Shop, clone: Clone, tmp_path: Path, broken: str, expected: str
) -> None:
    before = deployed_package(shop.cluster, "crear-orden", tmp_path)
    append_code(clone, "crear-orden", broken)
    with shop.open_for_orders():
        code, _, errors = run(shop.cluster, clone.root, "crear-orden")
    assert code == 1
    assert expected in errors
    assert "the versions before are back, and run: crear-orden" in errors
    assert deployed_package(shop.cluster, "crear-orden", tmp_path) == before
    assert "died" in history(shop.cluster, "crear-orden")[-1]["failure"]
    shop.assert_settled()


FAILING_HANDLER = """
def _broken(self, tx, messages):
    raise ZeroDivisionError("planted")
CrearOrden.handle = CrearOrden.handle_new = _broken
"""
FAILING_PROCESS = """
def _broken(self, input, context):
    raise ZeroDivisionError("planted")
CrearOrden.process = _broken
"""


@pytest.mark.parametrize(
    "broken", [FAILING_HANDLER, pytest.param(FAILING_PROCESS, marks=pytest.mark.slow)], ids=["handle", "process"]
)
def test_an_exception_at_the_first_message_is_shown_and_the_version_before_is_put_back(
    shop: Shop, clone: Clone, tmp_path: Path, broken: str
) -> None:
    before = deployed_package(shop.cluster, "crear-orden", tmp_path)
    append_code(clone, "crear-orden", broken)
    with shop.open_for_orders():
        code, _, errors = run(shop.cluster, clone.root, "crear-orden", "--watch", "30")
    assert code == 1
    assert "ZeroDivisionError: planted" in errors
    assert 'crear_orden.py", line' in errors  # the traceback
    assert deployed_package(shop.cluster, "crear-orden", tmp_path) == before
    dlq(shop.cluster, "redrive", "--function", "crear-orden", "--yes")
    shop.assert_settled()


@pytest.mark.slow
def test_what_is_left_to_look_at_stays_broken_and_its_orders_wait(shop: Shop, clone: Clone) -> None:
    append_code(clone, "crear-orden", "\ndef (\n")
    code, _, errors = run(shop.cluster, clone.root, "crear-orden", "--no-rollback")
    assert code == 1
    assert "left as they are: crear-orden" in errors
    shop.request()
    code, _, errors = run(shop.cluster, clone.root, "crear-orden")
    assert code == 1
    assert "crear-orden: its instances died" in errors
    succeeded(run(shop.cluster, ROOT, "rollback"))  # a deployment that failed, and was not put back
    shop.assert_settled()


@pytest.mark.slow
def test_one_by_one_nothing_is_deployed_after_what_does_not_run(shop: Shop, clone: Clone) -> None:
    succeeded(run(shop.cluster, ROOT))
    before = processes(shop.cluster)
    for function in ("crear-orden", "revertir-orden-creada", "verificar-orden"):
        append_code(clone, function, "\n# otra\n")
    append_code(clone, "revertir-orden-creada", "\ndef (\n")
    names = ("verificar-orden", "revertir-orden-creada", "crear-orden")
    code, output, errors = run(shop.cluster, clone.root, "--one-by-one", *names)
    assert code == 1
    assert [line.strip() for line in output.splitlines() if line.endswith("updated")] == [
        "verificar-orden: updated",
        "revertir-orden-creada: updated",
    ]
    assert "the versions before are back, and run: verificar-orden, revertir-orden-creada" in errors
    assert processes(shop.cluster)["crear-orden"] == before["crear-orden"]
    assert "plan: no changes of functions" in succeeded(run(shop.cluster, ROOT, "--plan"))


@pytest.mark.slow
def test_the_record_says_who_deployed_what_and_a_rollback_brings_it_back(
    shop: Shop, clone: Clone, tmp_path: Path
) -> None:
    cluster = shop.cluster
    succeeded(run(cluster, ROOT))
    our_package = deployed_package(cluster, "crear-orden", tmp_path)
    config = clone.root / "deployment/functions/crear-orden.yaml"
    packages = [our_package]
    versions = [[entry for entry in history(cluster, "crear-orden") if not entry["failure"]][-1]["version"]]
    for before, delay in ((120, 110), (110, 100)):
        clone.edit(config, change(f": {before}}}", f": {delay}}}"))
        append_code(clone, "crear-orden", f"\n# {delay}\n")
        succeeded(run(cluster, clone.root, "crear-orden"))
        packages.append(deployed_package(cluster, "crear-orden", tmp_path))
        versions.append(history(cluster, "crear-orden")[-1]["version"])
    assert len(set(packages)) == 3
    assert versions == sorted(set(versions))
    with shop.open_for_orders():
        output = succeeded(run(cluster, ROOT, "rollback", "crear-orden"))
        assert f"crear-orden: back to version {versions[1]}" in output
        assert deployed_package(cluster, "crear-orden", tmp_path) == packages[1]
        succeeded(run(cluster, ROOT, "rollback", "--to", str(versions[0])))
        assert deployed_package(cluster, "crear-orden", tmp_path) == our_package
    latest = history(cluster, "crear-orden")[-1]
    assert latest["what"] == f"rollback to {versions[0]}"
    assert "@" in latest["who"]
    assert "plan: no changes of functions" in succeeded(run(cluster, ROOT, "--plan"))
    shop.assert_settled()


def message_counts(cluster: Platform, root: Path, function: str) -> list[int]:
    """What the function and its canary have taken, as `canary --status` says."""
    output = succeeded(run(cluster, root, "canary", function, "--status"))
    return [int(figure) for line in output.splitlines() if line.startswith("messages") for figure in line.split()[1:]]


@pytest.mark.slow
def test_a_canary_shares_the_messages_and_the_receipts_and_is_promoted(
    shop: Shop, clone: Clone, tmp_path: Path
) -> None:
    cluster, before = shop.cluster, deployed_package(shop.cluster, "crear-orden", tmp_path)
    append_code(clone, "crear-orden", f"\n# {new()}\n")
    with shop.open_for_orders():
        assert "canary: crear-orden-canary runs" in succeeded(run(cluster, clone.root, "canary", "crear-orden"))
        assert deployed_package(cluster, "crear-orden", tmp_path) == before
        first_counts = message_counts(cluster, clone.root, "crear-orden")
        second_counts = message_counts(cluster, clone.root, "crear-orden")
        own, canary = (now - old for old, now in zip(first_counts, second_counts, strict=True))
        assert canary > 0
        assert 0.5 < own / canary < 2
        cluster.instances("crear-orden-canary")[0].kill()  # what it had taken goes to the other
        code, _, errors = run(cluster, ROOT, "canary", "crear-orden", "--promote")
        assert code == 1
        assert "the canary differs: package" in errors
        output = succeeded(run(cluster, clone.root, "canary", "crear-orden", "--promote"))
        assert "crear-orden-canary: removed" in output
    assert deployed_package(cluster, "crear-orden", tmp_path) != before
    assert history(cluster, "crear-orden")[-1]["what"] == "promote"
    assert cluster.sql("ordenes", "select distinct funcion from recibos where funcion like 'crear-orden%'") == [
        ("crear-orden",)
    ]
    shop.assert_settled()


@pytest.mark.slow
def test_a_canary_that_breaks_is_removed_and_the_function_is_not_touched(shop: Shop, clone: Clone) -> None:
    before = processes(shop.cluster)
    append_code(clone, "crear-orden", "\ndef (\n")
    with shop.open_for_orders():
        code, _, errors = run(shop.cluster, clone.root, "canary", "crear-orden")
    assert code == 1
    assert "SyntaxError" in errors
    assert "crear-orden-canary is removed" in errors
    assert processes(shop.cluster) == before
    shop.assert_settled()


@pytest.mark.slow
def test_a_canary_can_be_discarded_and_started_again_and_again(shop: Shop) -> None:
    before = processes(shop.cluster)
    with shop.open_for_orders():
        for _ in range(2):
            succeeded(run(shop.cluster, ROOT, "canary", "crear-orden"))
            succeeded(run(shop.cluster, ROOT, "canary", "crear-orden", "--discard"))
    code, _, errors = run(shop.cluster, ROOT, "canary", "crear-orden", "--discard")
    assert (code, errors) == (1, "error: there is no crear-orden-canary\n")
    assert processes(shop.cluster) == before
    shop.assert_settled()


def test_where_order_matters_there_is_no_canary(shop: Shop, clone: Clone) -> None:
    config = clone.root / "deployment/functions/crear-orden.yaml"
    clone.edit(config, lambda text: text + "retainOrdering: true\n")
    code, _, errors = run(shop.cluster, clone.root, "canary", "crear-orden")
    assert code == 1
    assert "crear-orden has retainOrdering: true: no canary can share its subscription" in errors


def test_the_record_keeps_the_last_of_each_function_and_lets_one_write_at_a_time(cluster: Platform) -> None:
    deployed: dict[str, tuple[dict[str, Any], bytes]] = {"prueba": ({"userConfig": {}}, b"a package")}
    with client(cluster) as opened, History(opened) as writer:
        for _ in range(KEPT + 3):
            writer.record("deploy", {}, {}, deployed)
        with pytest.raises(ToolError, match="somebody else is deploying"):
            History(opened)
        writer.prune()
        remaining = kept(read(opened))
    assert [version.function for version in remaining].count("prueba") == KEPT
    assert writer.versions
    assert all(version.package == b"a package" for version in remaining if version.function == "prueba")
    wait_for("the others to be let go", lambda: retained_count(cluster) == len(remaining))


def retained_count(cluster: Platform) -> int:
    figures = json.loads(cluster.admin("topics", "stats", "--get-precise-backlog", HISTORY_TOPIC))
    return int(figures["subscriptions"][HISTORY_SUBSCRIPTION]["msgBacklog"])
