"""Orders that get stuck: pushed on at a deadline, given up at the last one, and never wrong afterwards."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.instance_helpers import backlog, skip_all
from tests.e2e.test_saga import BIEN, crear_producto, final, pedir_orden, registrar_conductores, stock
from tests.plataforma import Plataforma, esperar

pytestmark = pytest.mark.e2e

ASIGNAR = "persistent://monoliticas/conductores/comando-asignar-conductor"
PLAZO = 3


def functions(platform: Plataforma, accion: str, namespace: str, nombre: str, *mas: str) -> str:
    quien = ["--tenant", "monoliticas", "--namespace", namespace, "--name", nombre]
    return platform.admin("--admin-url", platform.functions_url, "functions", accion, *quien, *mas)


@pytest.fixture(scope="module")
def plazos_cortos(platform: Plataforma) -> Iterator[Plataforma]:
    """A deadline comes after 3 s, not after two minutes."""
    for nombre in ("crear-orden", "verificar-orden"):
        antes = [proceso.pid for proceso in platform.instancias(nombre)]
        config = json.loads(functions(platform, "get", "ordenes", nombre))["userConfig"]
        config["DEMORAS"] = {"ordenes/comando-verificar-orden": PLAZO}
        functions(platform, "update", "ordenes", nombre, "--user-config", json.dumps(config))
        esperar("another instance", lambda n=nombre, a=antes: otra_instancia(platform, n, a))  # type: ignore[misc]
    yield platform
    platform.con_entorno(sys.executable, "pulsar-admin-scripts/deploy.py", "crear-orden", "verificar-orden")


def otra_instancia(platform: Plataforma, nombre: str, antes: list[int]) -> bool:
    ahora = [proceso.pid for proceso in platform.instancias(nombre)]
    return bool(ahora) and not set(ahora) & set(antes)


@pytest.fixture
def arrancar(plazos_cortos: Plataforma) -> Iterator[Callable[[], None]]:
    """Starts the function asignar-conductor, which is stopped, its backlog empty."""
    functions(plazos_cortos, "stop", "conductores", "asignar-conductor")
    esperar("its end", lambda: not plazos_cortos.instancias("asignar-conductor"))
    with ExitStack() as al_final:
        al_final.callback(functions, plazos_cortos, "start", "conductores", "asignar-conductor")
        yield al_final.close


def test_an_order_whose_message_was_lost_is_pushed_on(plazos_cortos: Plataforma, arrancar: Callable[[], None]) -> None:
    """An operator skips a message by mistake; nobody else does anything."""
    platform = plazos_cortos
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    id_orden = pedir_orden(platform, id_producto, 2)
    esperar("a message for asignar-conductor", lambda: backlog(platform, ASIGNAR, "asignar-conductor"))
    skip_all(platform, ASIGNAR, "asignar-conductor")  # well before the deadline, which brings the message again
    assert backlog(platform, ASIGNAR, "asignar-conductor") == 0
    arrancar()
    orden, saga = final(platform, id_orden)
    assert (orden["estado"], saga) == ("iniciada", BIEN)
    assert stock(platform, id_producto) == 3


def test_an_order_that_is_given_up_is_undone_and_late_messages_change_nothing(
    plazos_cortos: Plataforma, arrancar: Callable[[], None]
) -> None:
    platform = plazos_cortos
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    id_orden = pedir_orden(platform, id_producto, 2)
    orden, saga = final(platform, id_orden)
    assert (orden["estado"], orden["motivo"], orden["id_driver"]) == ("fallida", "plazo vencido", None)
    compensacion = ["liberar-conductor", "revertir-disminuir-stock", "revertir-orden-creada"]
    assert saga == [*BIEN[:3], *(f"comando-{paso}" for paso in compensacion)]
    assert stock(platform, id_producto) == 5

    arrancar()
    esperar("the late message is done", lambda: backlog(platform, ASIGNAR, "asignar-conductor") == 0)
    tardio = "select count(*) from recibos where funcion = 'revertir-disminuir-stock'"
    esperar("its refusal", lambda: platform.sql("productos", tardio)[0][0] >= 2)
    assert platform.pedir("GET", f"/orders/{id_orden}")[1] == orden
    assert stock(platform, id_producto) == 5
    assert platform.sql("conductores", "select count(*) from conductores where libre") == [(1,)]


def test_a_deadline_does_nothing_to_an_order_that_has_ended(plazos_cortos: Plataforma) -> None:
    platform = plazos_cortos
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    id_orden = pedir_orden(platform, id_producto)
    antes = final(platform, id_orden)
    verificada = "select count(*) from recibos where funcion = 'verificar-orden'"
    antes_recibos = platform.sql("ordenes", verificada)
    esperar("the deadline", lambda: platform.sql("ordenes", verificada) > antes_recibos)
    assert final(platform, id_orden) == antes
    assert stock(platform, id_producto) == 4
