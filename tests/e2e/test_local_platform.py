"""The local platform stopped, started, and with each of its services killed: data, topics and functions go on."""

import json
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.request import urlopen

import psutil
import pytest

from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e

STOCK = 1000
SCRIPTS = "pulsar-admin-scripts"
# Those of an order that goes well: each start of all the others costs time.
FUNCTIONS = (
    "crear-producto",
    "registrar-conductor",
    "crear-orden",
    "disminuir-stock",
    "asignar-conductor",
    "marcar-listo-despacho",
    "proyectar-orden",
    "proyectar-producto",
)


@pytest.fixture(scope="module")
def own_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform of these tests' own: they stop and kill what other tests need."""
    platform = Platform(tmp_path_factory.mktemp("local"))
    try:
        print(platform.local("up"))
        for command in (
            ["-m", "deployment.databases"],
            [f"{SCRIPTS}/provision.py"],
            [f"{SCRIPTS}/deploy.py", *FUNCTIONS],
        ):
            print(platform.run_with_env(sys.executable, *command))
        yield platform
    finally:
        platform.local("clean")


def publish(platform: Platform, path: str, body: dict[str, Any]) -> Any:
    """The body of the 202. A broker that has just started may need some moments: 503 until then."""

    def accepted() -> Any:
        status, response, _ = platform.request("POST", path, body)
        assert status in (202, 503), response
        return response if status == 202 else None

    return wait_for(f"202 for {path}", accepted)


def prepare(platform: Platform, ordenes: int) -> str:
    """A product, and drivers for so many orders."""
    id_producto = publish(platform, "/productos", {"nombre": "Té", "stock": STOCK})["id"]
    wait_for("the product", lambda: platform.request("GET", f"/productos/{id_producto}")[0] == 200)
    for _ in range(ordenes):
        publish(platform, "/conductores", {})
    free = "select count(*) from conductores where libre"
    wait_for("the drivers", lambda: platform.sql("conductores", free)[0][0] >= ordenes)
    return str(id_producto)


def request_ordenes(platform: Platform, id_producto: str, count: int) -> list[str]:
    fields = {"id_producto": id_producto, "user_id": "ana", "cantidad": 2, "direccion_entrega": "Calle 45"}
    return [publish(platform, "/orders", fields)["id_orden"] for _ in range(count)]


def check(platform: Platform, id_producto: str, ordenes: Sequence[str]) -> None:
    """All orders got a driver, and the stock is lower by what is reserved."""
    iniciadas = "select count(*) from ordenes where id_orden = any(cast(:ids as uuid[])) and estado = 'iniciada'"
    wait_for(
        "the end of all orders",
        lambda: platform.sql("ordenes_lectura", iniciadas, ids=list(ordenes)) == [(len(ordenes),)],
    )
    reserved = "select sum(cantidad) from reservas where id_producto = p.id and estado = 'reservada'"
    balance = f"select stock + ({reserved}) from productos p where id = cast(:id as uuid)"
    assert platform.sql("productos", balance, id=id_producto) == [(STOCK,)]


def list_topics(platform: Platform) -> list[str]:
    with urlopen(f"{platform.admin_url}/admin/v2/persistent/monoliticas/ordenes") as response:
        return sorted(json.load(response))


def process(platform: Platform, service: str) -> psutil.Process:
    status = json.loads(platform.local("status", "--json"))
    return psutil.Process(next(row["pid"] for row in status["services"] if row["service"] == service))


def port(instance: psutil.Process) -> int:
    command = instance.cmdline()
    return int(command[command.index("--port") + 1])


def test_data_topics_and_functions_go_on_after_down_and_up(own_platform: Platform) -> None:
    id_producto, before = prepare(own_platform, 16), list_topics(own_platform)
    ordenes = request_ordenes(own_platform, id_producto, 8)
    own_platform.local("down")
    assert not own_platform.instances("crear-orden")
    own_platform.local("up")
    ordenes += request_ordenes(own_platform, id_producto, 8)
    check(own_platform, id_producto, ordenes)
    assert list_topics(own_platform) == before


@pytest.mark.parametrize("services", [["functions-worker", "bff"], ["pulsar", "postgres"]], ids="-".join)
def test_everything_goes_on_after_services_were_killed(own_platform: Platform, services: list[str]) -> None:
    id_producto = prepare(own_platform, 8)
    ordenes = request_ordenes(own_platform, id_producto, 4)
    victims = [process(own_platform, service) for service in services]
    for victim in victims:
        victim.kill()
    psutil.wait_procs(victims, timeout=10)
    own_platform.local("up")
    ordenes += request_ordenes(own_platform, id_producto, 4)
    check(own_platform, id_producto, ordenes)


def test_an_instance_whose_port_was_taken_comes_back_on_another(own_platform: Platform) -> None:
    instance = wait_for("an instance", lambda: own_platform.instances("crear-orden"))[0]
    taken = port(instance)
    instance.kill()
    psutil.wait_procs([instance], timeout=10)
    with socket.create_server(("127.0.0.1", taken)):
        new = wait_for("the next instance", lambda: own_platform.instances("crear-orden"))[0]
        assert port(new) != taken
        id_producto = prepare(own_platform, 1)
        check(own_platform, id_producto, request_ordenes(own_platform, id_producto, 1))


def test_a_function_whose_package_was_away_starts_when_it_is_back(own_platform: Platform) -> None:
    """As when the broker dies in the moment in which the worker starts its functions."""
    (package,) = (own_platform.data / "pulsar/packages-storage/function/monoliticas/ordenes/crear-orden").glob("*/data")
    own_platform.local("stop", "functions-worker")
    package.rename(package.with_suffix(".away"))
    since = (own_platform.data / "logs/functions-worker.log").stat().st_size
    own_platform.local("up")

    def logged() -> str:
        return (own_platform.data / "logs/functions-worker.log").read_bytes()[since:].decode()

    wait_for("a second try", lambda: logged().count("crear-orden Error starting function") > 1)
    assert not own_platform.instances("crear-orden")
    package.with_suffix(".away").rename(package)
    wait_for("an instance", lambda: own_platform.instances("crear-orden"))
    id_producto = prepare(own_platform, 1)
    check(own_platform, id_producto, request_ordenes(own_platform, id_producto, 1))


def test_the_bff_is_ready_while_the_broker_answers(own_platform: Platform) -> None:
    assert own_platform.request("GET", "/ready")[0] == 200
    own_platform.local("stop", "pulsar")
    before = time.monotonic()
    assert own_platform.request("GET", "/ready")[0] == 503
    assert time.monotonic() - before < 2
    assert own_platform.request("GET", "/health")[0] == 200
    own_platform.local("up")  # the worker too, which has to find its way back
    wait_for("the BFF to be ready", lambda: own_platform.request("GET", "/ready")[0] == 200)


def test_status_fails_unless_all_is_ready(own_platform: Platform) -> None:
    own_platform.local("status")
    own_platform.local("stop", "bff")
    with pytest.raises(AssertionError, match=r"ended with 1:(.|\n)*bff +stopped"):
        own_platform.local("status")
    own_platform.local("start", "bff")


def test_the_servers_temporary_files_lie_in_the_data_folder(own_platform: Platform) -> None:
    assert len(list(own_platform.data.glob("tmp/pulsar/librocksdbjni*.so"))) == 1, "one start, one file"
    assert process(own_platform, "functions-worker").environ()["TMPDIR"] == f"{own_platform.data}/tmp/functions-worker"
