"""Version 2 of six messages is rolled out while orders flow: version-1 messages are in flight, and a version-1
producer goes on for ever. Then a version 3 that breaks its readers is tried on the same cluster.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pulsar
import pytest

from functions.comun.codec import publicacion
from functions.comun.ids import nuevo
from functions.comun.mensajes import RegistrarConductor
from functions.comun.publicador import Publicador
from tests.cambios import INCOMPATIBLES
from tests.chaos import foto
from tests.chaos.foto import Prometido
from tests.chaos.invariantes import violaciones
from tests.copia import Copia
from tests.e2e.dlq_helpers import correr_guion
from tests.plataforma import RAIZ, Plataforma, esperar

pytestmark = pytest.mark.e2e

STOCK = CONDUCTORES = 5_000
"""More than the test orders."""
PERIODO = 0.05
"""Between two orders of each client, in s."""
CREAR = "ordenes/comando-crear-orden"
DOS = [
    "conductores/comando-asignar-conductor",
    CREAR,
    "ordenes/comando-marcar-listo-despacho",
    "ordenes/comando-verificar-orden",
    "ordenes/evento-orden",
    "productos/comando-disminuir-stock",
]
"""The topics that have a version 2."""
TIMBRE = "Tocar el timbre"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plataforma]:
    """Everything but what is deployed: databases only."""
    plataforma = Plataforma(tmp_path_factory.mktemp("rollout"))
    try:
        plataforma.local("up")
        plataforma.con_entorno(sys.executable, "-m", "deployment.databases")
        yield plataforma
    finally:
        plataforma.local("clean")


@pytest.fixture(scope="module")
def uno(tmp_path_factory: pytest.TempPathFactory) -> Copia:
    """The sources as of version 1: they know no other schemas."""
    copia = Copia(tmp_path_factory.mktemp("uno"))
    for topic in DOS:
        copia.lanzado(topic, 2).unlink()
        shutil.copy(copia.lanzado(topic, 1), copia.esquema(topic))
    return copia


def correr(cluster: Plataforma, raiz: Path, script: str, *argumentos: str) -> tuple[int, str, str]:
    """A script of the sources in `raiz`, on the cluster: exit code, stdout, stderr."""
    return correr_guion(cluster, script, *argumentos, raiz=raiz)


def bien(resultado: tuple[int, str, str]) -> str:
    assert resultado[0] == 0, resultado
    return resultado[1]


@contextmanager
def carga(pedir: Callable[[], str | None]) -> Iterator[list[str]]:
    """A client that asks for an order every PERIODO; the ids of those that were accepted, as they come."""
    pedidas: list[str] = []
    fin = threading.Event()

    def cliente() -> None:
        while not fin.wait(PERIODO):
            if (id_orden := pedir()) is not None:
                pedidas.append(id_orden)

    hilo = threading.Thread(target=cliente)
    hilo.start()
    try:
        yield pedidas
    finally:
        fin.set()
        hilo.join()


@contextmanager
def productor_viejo(cluster: Plataforma, uno: Copia, id_producto: str) -> Iterator[Callable[[], str]]:
    """A process with the sources of version 1, which sends an order each time it is asked."""
    orden = [sys.executable, str(Path(__file__).with_name("productor.py")), cluster.service_url, id_producto, "1"]
    entorno = os.environ | {"PYTHONPATH": str(uno.raiz), "PYTHONDONTWRITEBYTECODE": "1"}
    proceso = subprocess.Popen(orden, env=entorno, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert proceso.stdin
    assert proceso.stdout
    entrada, salida = proceso.stdin, proceso.stdout

    def pedir() -> str:
        print(file=entrada, flush=True)
        return salida.readline().strip()

    yield pedir
    proceso.communicate(timeout=30)
    assert proceso.returncode == 0


def por_el_bff(cluster: Plataforma, id_producto: str) -> str | None:
    campos = {"id_producto": id_producto, "user_id": "v2", "cantidad": 1, "direccion_entrega": "Calle 45"}
    estado, cuerpo, _ = cluster.pedir("POST", "/orders", campos | {"instrucciones_entrega": TIMBRE})
    return str(cuerpo["id_orden"]) if estado == 202 else None


def preparar(cluster: Plataforma) -> str:
    """A product and drivers for all orders; the product's id."""
    estado, cuerpo, _ = cluster.pedir("POST", "/productos", {"nombre": "Café", "stock": STOCK})
    assert estado == 202, cuerpo
    cliente = pulsar.Client(cluster.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    conductores = (RegistrarConductor(nuevo(), None) for _ in range(CONDUCTORES))
    Publicador(cliente).publicar([publicacion(nuevo(), 0, "pruebas", conductor) for conductor in conductores])
    cliente.close()
    libres = "select count(*) from conductores"
    esperar("the drivers", lambda: cluster.sql("conductores", libres)[0][0] == CONDUCTORES)
    esperar("the product", lambda: cluster.pedir("GET", f"/productos/{cuerpo['id']}")[0] == 200)
    return str(cuerpo["id"])


def terminan(cluster: Plataforma, ids: list[str], mas: int) -> None:
    """Waits until `mas` orders that were not yet asked for have ended, all of them with a driver."""
    desde = len(ids)
    esperar("more orders", lambda: len(ids) >= desde + mas)
    exigir_iniciadas(cluster, ids[desde : desde + mas])


def exigir_iniciadas(cluster: Plataforma, ids: list[str]) -> None:
    consulta = """select estado, motivo, count(*) from ordenes where id_orden = any(cast(:ids as uuid[]))
        and estado <> 'creada' group by 1, 2"""

    def terminadas() -> list[tuple[Any, ...]] | None:
        cuenta = cluster.sql("ordenes_lectura", consulta, ids=ids)
        return cuenta if sum(cuantas for *_, cuantas in cuenta) == len(ids) else None

    assert esperar(f"{len(ids)} orders to end", terminadas) == [("iniciada", None, len(ids))]


def test_a_new_version_rolls_out_under_load_and_no_order_is_lost(cluster: Plataforma, uno: Copia) -> None:
    bien(correr(cluster, uno.raiz, "provision.py"))
    bien(correr(cluster, uno.raiz, "deploy.py"))
    id_producto = preparar(cluster)
    a_destiempo(cluster, id_producto)
    with ExitStack() as abierto:
        viejo = abierto.enter_context(productor_viejo(cluster, uno, id_producto))
        viejas = abierto.enter_context(carga(viejo))
        terminan(cluster, viejas, 20)
        provisto = bien(correr(cluster, RAIZ, "provision.py"))
        assert [linea.split()[-1] for linea in provisto.splitlines() if "version 2 of the schema" in linea] == DOS
        nuevas = abierto.enter_context(carga(partial(por_el_bff, cluster, id_producto)))
        terminan(cluster, nuevas, 20)  # version 2, read by functions of version 1
        terminan(cluster, viejas, 20)
        assert "deployed: 14 changes" in bien(correr(cluster, RAIZ, "deploy.py"))
        terminan(cluster, nuevas, 20)
        terminan(cluster, viejas, 20)  # version 1, read by functions of version 2
        llega_al_final(cluster, id_producto, nuevas)
    exigir_iniciadas(cluster, viejas + nuevas)
    prometido = Prometido(viejas + nuevas, [], {id_producto: STOCK})
    esperar("everything to be settled", lambda: violaciones(foto.tomar(cluster), prometido) == {})


def a_destiempo(cluster: Plataforma, id_producto: str) -> None:
    """A BFF of version 2 on a cluster of version 1: refused, and everybody can see why."""
    campos = {"id_producto": id_producto, "user_id": "v2", "cantidad": 1, "direccion_entrega": "Calle 45"}
    estado, cuerpo, _ = cluster.pedir("POST", "/orders", campos)
    assert estado == 503
    assert f"the broker refuses version 2 of the schema of {CREAR}" in cuerpo["detail"]
    assert "Nothing was done" in cuerpo["detail"]
    assert "the broker refuses version 2" in (cluster.data / "logs" / "bff.log").read_text()
    codigo, _, errores = correr(cluster, RAIZ, "deploy.py", "crear-orden")
    assert codigo == 1
    assert "the cluster does not have these schemas as the functions use them" in errores


def llega_al_final(cluster: Plataforma, id_producto: str, nuevas: list[str]) -> None:
    """What is new in version 2 is carried by each step of the saga."""
    id_orden = por_el_bff(cluster, id_producto)
    assert id_orden is not None
    nuevas.append(id_orden)
    exigir_iniciadas(cluster, [id_orden])
    assert cluster.pedir("GET", f"/orders/{id_orden}")[1]["instrucciones_entrega"] == TIMBRE
    dichas = "select contenido->>'instrucciones_entrega' from sagalog where id_orden = cast(:id as uuid)"
    esperar("the saga log", lambda: cluster.sql("saga", dichas, id=id_orden) == [(TIMBRE,)] * 4)


def test_the_registry_has_every_released_version_and_no_other(cluster: Plataforma) -> None:
    listadas = [json.loads(linea) for linea in bien(correr(cluster, RAIZ, "schemas.py", "list", "--json")).splitlines()]
    versiones: dict[str, list[int]] = {fila["topic"]: [] for fila in listadas}
    for fila in listadas:
        versiones[fila["topic"]].append(fila["version"])
    assert {topic for topic, numeros in versiones.items() if numeros == [1, 2]} == set(DOS)
    assert {tuple(numeros) for topic, numeros in versiones.items() if topic not in DOS} == {(1,)}
    assert bien(correr(cluster, RAIZ, "schemas.py", "diff")) == "no differences\n"
    assert bien(correr(cluster, RAIZ, "schemas.py", "upload")).endswith("uploaded: no changes\n")


def test_the_registry_says_what_is_missing_and_extra(cluster: Plataforma, uno: Copia) -> None:
    codigo, salida, _ = correr(cluster, uno.raiz, "schemas.py", "diff", "--json")
    diferencias = [json.loads(linea) for linea in salida.splitlines()]
    assert codigo == 3
    assert diferencias == [{"topic": topic, "version": 2, "state": "extra"} for topic in DOS]
    assert bien(correr(cluster, uno.raiz, "provision.py")).endswith("provisioned: no changes\n")  # an older checkout


@pytest.fixture
def tres(tmp_path: Path) -> Copia:
    """The sources with a version 3 of an order's command that no function of version 2 can read."""
    copia = Copia(tmp_path)

    def romper(texto: str) -> str:
        esquema: dict[str, Any] = json.loads(texto)
        INCOMPATIBLES["another type"][0](esquema)
        return json.dumps(esquema | {"version": "3"})

    copia.cambiar(copia.esquema(CREAR), romper)
    return copia


def test_a_change_that_breaks_readers_is_refused_by_gate_and_broker_and_nothing_changes(
    cluster: Plataforma, tres: Copia
) -> None:
    codigo, _, errores = correr(cluster, tres.raiz, "schemas.py", "upload")
    assert codigo == 1
    assert "crear-orden and registrar-saga, with version 2, can't read messages of 3" in errores
    assert correr(cluster, tres.raiz, "schemas.py", "diff")[0] == 3
    for orden in (("schemas.py", "upload", "--force"), ("provision.py",)):
        codigo, _, errores = correr(cluster, tres.raiz, *orden)
        assert codigo == 1
        assert f"error: the broker refuses version 3 of {CREAR}: it is incompatible" in errores
        assert len(errores) < 600  # not both schemas in full, as the broker says it
    codigo, _, errores = correr(cluster, tres.raiz, "deploy.py", "crear-orden")
    assert codigo == 1
    assert CREAR in errores
    assert bien(correr(cluster, RAIZ, "schemas.py", "diff")) == "no differences\n"


def test_the_same_version_with_another_schema_is_refused_before_anything_changes(
    cluster: Plataforma, tmp_path: Path
) -> None:
    otra = Copia(tmp_path)
    otra.cambiar(otra.esquema(CREAR), lambda texto: texto.replace("Units ordered", "Units"))
    codigo, _, errores = correr(cluster, otra.raiz, "provision.py")
    assert codigo == 1
    assert f"version 2 of {CREAR}" in errores
    assert "Nothing was done" in errores
