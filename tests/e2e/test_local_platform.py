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

from tests.plataforma import Plataforma, esperar

pytestmark = pytest.mark.e2e

STOCK = 1000
SCRIPTS = "pulsar-admin-scripts"
# Those of an order that goes well: each start of all the others costs time.
FUNCIONES = (
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
def propia(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plataforma]:
    """A platform of these tests' own: they stop and kill what other tests need."""
    plataforma = Plataforma(tmp_path_factory.mktemp("local"))
    try:
        print(plataforma.local("up"))
        for orden in (
            ["-m", "deployment.databases"],
            [f"{SCRIPTS}/provision.py"],
            [f"{SCRIPTS}/deploy.py", *FUNCIONES],
        ):
            print(plataforma.con_entorno(sys.executable, *orden))
        yield plataforma
    finally:
        plataforma.local("clean")


def publicar(platform: Plataforma, ruta: str, cuerpo: dict[str, Any]) -> Any:
    """The body of the 202. A broker that has just started may need some moments: 503 until then."""

    def aceptado() -> Any:
        estado, respuesta, _ = platform.pedir("POST", ruta, cuerpo)
        assert estado in (202, 503), respuesta
        return respuesta if estado == 202 else None

    return esperar(f"202 for {ruta}", aceptado)


def preparar(platform: Plataforma, ordenes: int) -> str:
    """A product, and drivers for so many orders."""
    id_producto = publicar(platform, "/productos", {"nombre": "Té", "stock": STOCK})["id"]
    esperar("the product", lambda: platform.pedir("GET", f"/productos/{id_producto}")[0] == 200)
    for _ in range(ordenes):
        publicar(platform, "/conductores", {})
    libres = "select count(*) from conductores where libre"
    esperar("the drivers", lambda: platform.sql("conductores", libres)[0][0] >= ordenes)
    return str(id_producto)


def pedir_ordenes(platform: Plataforma, id_producto: str, cuantas: int) -> list[str]:
    campos = {"id_producto": id_producto, "user_id": "ana", "cantidad": 2, "direccion_entrega": "Calle 45"}
    return [publicar(platform, "/orders", campos)["id_orden"] for _ in range(cuantas)]


def comprobar(platform: Plataforma, id_producto: str, ordenes: Sequence[str]) -> None:
    """All orders got a driver, and the stock is lower by what is reserved."""
    iniciadas = "select count(*) from ordenes where id_orden = any(cast(:ids as uuid[])) and estado = 'iniciada'"
    esperar(
        "the end of all orders",
        lambda: platform.sql("ordenes_lectura", iniciadas, ids=list(ordenes)) == [(len(ordenes),)],
    )
    reservado = "select sum(cantidad) from reservas where id_producto = p.id and estado = 'reservada'"
    balance = f"select stock + ({reservado}) from productos p where id = cast(:id as uuid)"
    assert platform.sql("productos", balance, id=id_producto) == [(STOCK,)]


def topicos(platform: Plataforma) -> list[str]:
    with urlopen(f"{platform.admin_url}/admin/v2/persistent/monoliticas/ordenes") as respuesta:
        return sorted(json.load(respuesta))


def proceso(platform: Plataforma, servicio: str) -> psutil.Process:
    estado = json.loads(platform.local("status", "--json"))
    return psutil.Process(next(fila["pid"] for fila in estado["services"] if fila["service"] == servicio))


def puerto(instancia: psutil.Process) -> int:
    orden = instancia.cmdline()
    return int(orden[orden.index("--port") + 1])


def test_data_topics_and_functions_go_on_after_down_and_up(propia: Plataforma) -> None:
    id_producto, antes = preparar(propia, 16), topicos(propia)
    ordenes = pedir_ordenes(propia, id_producto, 8)
    propia.local("down")
    assert not propia.instancias("crear-orden")
    propia.local("up")
    ordenes += pedir_ordenes(propia, id_producto, 8)
    comprobar(propia, id_producto, ordenes)
    assert topicos(propia) == antes


@pytest.mark.parametrize("servicios", [["functions-worker", "bff"], ["pulsar", "postgres"]], ids="-".join)
def test_everything_goes_on_after_services_were_killed(propia: Plataforma, servicios: list[str]) -> None:
    id_producto = preparar(propia, 8)
    ordenes = pedir_ordenes(propia, id_producto, 4)
    victimas = [proceso(propia, servicio) for servicio in servicios]
    for victima in victimas:
        victima.kill()
    psutil.wait_procs(victimas, timeout=10)
    propia.local("up")
    ordenes += pedir_ordenes(propia, id_producto, 4)
    comprobar(propia, id_producto, ordenes)


def test_an_instance_whose_port_was_taken_comes_back_on_another(propia: Plataforma) -> None:
    instancia = esperar("an instance", lambda: propia.instancias("crear-orden"))[0]
    tomado = puerto(instancia)
    instancia.kill()
    psutil.wait_procs([instancia], timeout=10)
    with socket.create_server(("127.0.0.1", tomado)):
        nueva = esperar("the next instance", lambda: propia.instancias("crear-orden"), 10)[0]
        assert puerto(nueva) != tomado
        id_producto = preparar(propia, 1)
        comprobar(propia, id_producto, pedir_ordenes(propia, id_producto, 1))


def test_a_function_whose_package_was_away_starts_when_it_is_back(propia: Plataforma) -> None:
    """As when the broker dies in the moment in which the worker starts its functions."""
    (paquete,) = (propia.data / "pulsar/packages-storage/function/monoliticas/ordenes/crear-orden").glob("*/data")
    propia.local("stop", "functions-worker")
    paquete.rename(paquete.with_suffix(".away"))
    desde = (propia.data / "logs/functions-worker.log").stat().st_size
    propia.local("up")

    def registrado() -> str:
        return (propia.data / "logs/functions-worker.log").read_bytes()[desde:].decode()

    esperar("a second try", lambda: registrado().count("crear-orden Error starting function") > 1)
    assert not propia.instancias("crear-orden")
    paquete.with_suffix(".away").rename(paquete)
    esperar("an instance", lambda: propia.instancias("crear-orden"))
    id_producto = preparar(propia, 1)
    comprobar(propia, id_producto, pedir_ordenes(propia, id_producto, 1))


def test_the_bff_is_ready_while_the_broker_answers(propia: Plataforma) -> None:
    assert propia.pedir("GET", "/ready")[0] == 200
    propia.local("stop", "pulsar")
    antes = time.monotonic()
    assert propia.pedir("GET", "/ready")[0] == 503
    assert time.monotonic() - antes < 2
    assert propia.pedir("GET", "/health")[0] == 200
    propia.local("up")  # the worker too, which has to find its way back
    esperar("the BFF to be ready", lambda: propia.pedir("GET", "/ready")[0] == 200)


def test_status_fails_unless_all_is_ready(propia: Plataforma) -> None:
    propia.local("status")
    propia.local("stop", "bff")
    with pytest.raises(AssertionError, match=r"ended with 1:(.|\n)*bff +stopped"):
        propia.local("status")
    propia.local("start", "bff")


def test_the_servers_temporary_files_lie_in_the_data_folder(propia: Plataforma) -> None:
    assert len(list(propia.data.glob("tmp/pulsar/librocksdbjni*.so"))) == 1, "one start, one file"
    assert proceso(propia, "functions-worker").environ()["TMPDIR"] == f"{propia.data}/tmp/functions-worker"
