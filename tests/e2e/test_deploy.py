"""Deployments on a cluster where orders flow: what is broken is seen and put back, and no order is lost."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulsar
import pytest
from deploy_history import GUARDADAS, Historia, guardadas, leer
from topics import HISTORIA, RETIENE

from functions.comun.codec import publicacion
from functions.comun.ids import nuevo
from functions.comun.mensajes import RegistrarConductor
from functions.comun.publicador import Publicador
from tests.chaos import foto
from tests.chaos.foto import Prometido
from tests.chaos.invariantes import violaciones
from tests.copia import Copia
from tests.e2e.dlq_helpers import cliente, correr_guion, dlq
from tests.plataforma import RAIZ, Plataforma, esperar

pytestmark = pytest.mark.e2e

STOCK = CONDUCTORES = 60_000
"""More than the test orders."""
PERIODO = 0.04
CLIENTES = 4
"""With PERIODO, 100 orders a second."""


class Tienda:
    """A cluster with one product, drivers enough, and customers."""

    def __init__(self, cluster: Plataforma) -> None:
        self.cluster = cluster
        estado, cuerpo, _ = cluster.pedir("POST", "/productos", {"nombre": "Café", "stock": STOCK})
        assert estado == 202, cuerpo
        self.id_producto = str(cuerpo["id"])
        self.pedidas: list[str] = []
        cliente = pulsar.Client(cluster.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        conductores = (RegistrarConductor(nuevo(), None) for _ in range(CONDUCTORES))
        Publicador(cliente).publicar([publicacion(nuevo(), 0, "pruebas", conductor) for conductor in conductores])
        cliente.close()
        registrados = "select count(*) from conductores"
        esperar("the drivers", lambda: cluster.sql("conductores", registrados)[0][0] == CONDUCTORES, 180)
        esperar("the product", lambda: cluster.pedir("GET", f"/productos/{self.id_producto}")[0] == 200)

    def pedir(self) -> str | None:
        campos = {"id_producto": self.id_producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45"}
        estado, cuerpo, _ = self.cluster.pedir("POST", "/orders", campos)
        if estado == 202:
            self.pedidas.append(cuerpo["id_orden"])
        return str(cuerpo["id_orden"]) if estado == 202 else None

    @contextmanager
    def abierta(self) -> Iterator[None]:
        """Customers come, 100 a second at most; they come for as long as this lasts."""
        fin, antes = threading.Event(), len(self.pedidas)

        def cliente() -> None:
            while not fin.wait(PERIODO):
                self.pedir()

        hilos = [threading.Thread(target=cliente) for _ in range(CLIENTES)]
        for hilo in hilos:
            hilo.start()
        try:
            yield
            esperar("orders", lambda: len(self.pedidas) > antes + 100)
        finally:
            fin.set()
            for hilo in hilos:
                hilo.join()

    def cuadra(self) -> None:
        """Every order has ended, with a driver and what it asked for, once; every figure agrees."""
        prometido = Prometido(self.pedidas, [], {self.id_producto: STOCK})
        esperar("everything to be settled", lambda: violaciones(foto.tomar(self.cluster), prometido) == {}, 60)
        estados = self.cluster.sql("ordenes", "select estado, count(*) from ordenes group by 1")
        assert estados == [("iniciada", len(self.pedidas))]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plataforma]:
    """Everything, with these sources deployed."""
    plataforma = Plataforma(tmp_path_factory.mktemp("deploy"))
    try:
        plataforma.local("up")
        plataforma.desplegar()
        yield plataforma
    finally:
        plataforma.local("clean")


@pytest.fixture(scope="module")
def tienda(cluster: Plataforma) -> Tienda:
    return Tienda(cluster)


@pytest.fixture
def copia(tmp_path: Path) -> Copia:
    """Sources to change. Of what tests deploy, crear-orden alone stays changed."""
    return Copia(tmp_path)


def correr(cluster: Plataforma, raiz: Path, *argumentos: str) -> tuple[int, str, str]:
    """deploy.py of the sources in `raiz`: exit code, stdout, stderr."""
    return correr_guion(cluster, "deploy.py", *argumentos, raiz=raiz)


def bien(resultado: tuple[int, str, str]) -> str:
    assert resultado[0] == 0, resultado
    return resultado[1]


def historia(cluster: Plataforma, *funciones: str) -> list[Any]:
    return [json.loads(x) for x in bien(correr(cluster, RAIZ, "history", "--json", *funciones)).splitlines()]


def procesos(cluster: Plataforma) -> dict[str, int]:
    """The process of each function; all have one instance."""
    configs = sorted((RAIZ / "deployment/functions").glob("*.yaml"))
    return {ruta.stem: cluster.instancias(ruta.stem)[0].pid for ruta in configs}


def anadir(copia: Copia, funcion: str, texto: str) -> None:
    """At the end of a function's module, orders' context."""
    ruta = copia.raiz / "functions/ordenes" / f"{funcion.replace('-', '_')}.py"
    copia.cambiar(ruta, lambda codigo: codigo + texto)


def cambio(era: str, sera: str) -> Callable[[str], str]:
    return lambda texto: texto.replace(era, sera)


def desplegado(cluster: Plataforma, funcion: str, tmp_path: Path) -> bytes:
    """The package of a function of orders' context, as the worker has it."""
    ruta = tmp_path / "downloaded"
    quien = ("--tenant", "monoliticas", "--namespace", "ordenes", "--name", funcion)
    cluster.admin("functions", "download", *quien, "--destination-file", str(ruta))
    return ruta.read_bytes()


def test_what_changed_is_deployed_and_nothing_else_is_touched(tienda: Tienda, copia: Copia) -> None:
    antes = procesos(tienda.cluster)
    anadir(copia, "crear-orden", f"\n# {nuevo()}\n")
    with tienda.abierta():
        salida = bien(correr(tienda.cluster, copia.raiz))
    assert "  crear-orden: updated\n" in salida
    assert "deployed: 1 changes, version " in salida
    despues = procesos(tienda.cluster)
    assert {nombre for nombre in antes if antes[nombre] != despues[nombre]} == {"crear-orden"}
    tienda.cuadra()


@pytest.mark.parametrize(
    ("roto", "dicho"),
    [
        ("\ndef (\n", "SyntaxError: invalid syntax"),
        pytest.param("\nimport os\nos._exit(3)\n", "its instances died", marks=pytest.mark.largo),
    ],
    ids=["SyntaxError", "died"],
)
def test_code_that_does_not_start_is_shown_and_the_version_before_is_put_back(
    tienda: Tienda, copia: Copia, tmp_path: Path, roto: str, dicho: str
) -> None:
    antes = desplegado(tienda.cluster, "crear-orden", tmp_path)
    anadir(copia, "crear-orden", roto)
    with tienda.abierta():
        codigo, _, errores = correr(tienda.cluster, copia.raiz, "crear-orden")
    assert codigo == 1
    assert dicho in errores
    assert "the versions before are back, and run: crear-orden" in errores
    assert desplegado(tienda.cluster, "crear-orden", tmp_path) == antes
    assert "died" in historia(tienda.cluster, "crear-orden")[-1]["failure"]
    tienda.cuadra()


ROMPE = """
def _roto(self, tx, mensajes):
    raise ZeroDivisionError("planted")
CrearOrden.manejar = CrearOrden.manejar_nuevos = _roto
"""
NO_EMPIEZA = """
def _roto(self, input, context):
    raise ZeroDivisionError("planted")
CrearOrden.process = _roto
"""


@pytest.mark.parametrize("roto", [ROMPE, pytest.param(NO_EMPIEZA, marks=pytest.mark.largo)], ids=["manejar", "process"])
def test_an_exception_at_the_first_message_is_shown_and_the_version_before_is_put_back(
    tienda: Tienda, copia: Copia, tmp_path: Path, roto: str
) -> None:
    antes = desplegado(tienda.cluster, "crear-orden", tmp_path)
    anadir(copia, "crear-orden", roto)
    with tienda.abierta():
        codigo, _, errores = correr(tienda.cluster, copia.raiz, "crear-orden", "--watch", "30")
    assert codigo == 1
    assert "ZeroDivisionError: planted" in errores
    assert 'crear_orden.py", line' in errores  # the traceback
    assert desplegado(tienda.cluster, "crear-orden", tmp_path) == antes
    dlq(tienda.cluster, "redrive", "--function", "crear-orden", "--yes")
    tienda.cuadra()


@pytest.mark.largo
def test_what_is_left_to_look_at_stays_broken_and_its_orders_wait(tienda: Tienda, copia: Copia) -> None:
    anadir(copia, "crear-orden", "\ndef (\n")
    codigo, _, errores = correr(tienda.cluster, copia.raiz, "crear-orden", "--no-rollback")
    assert codigo == 1
    assert "left as they are: crear-orden" in errores
    tienda.pedir()
    codigo, _, errores = correr(tienda.cluster, copia.raiz, "crear-orden")
    assert codigo == 1
    assert "crear-orden: its instances died" in errores
    bien(correr(tienda.cluster, RAIZ, "rollback"))  # a deployment that failed, and was not put back
    tienda.cuadra()


@pytest.mark.largo
def test_one_by_one_nothing_is_deployed_after_what_does_not_run(tienda: Tienda, copia: Copia) -> None:
    bien(correr(tienda.cluster, RAIZ))
    antes = procesos(tienda.cluster)
    for funcion in ("crear-orden", "revertir-orden-creada", "verificar-orden"):
        anadir(copia, funcion, "\n# otra\n")
    anadir(copia, "revertir-orden-creada", "\ndef (\n")
    nombres = ("verificar-orden", "revertir-orden-creada", "crear-orden")
    codigo, salida, errores = correr(tienda.cluster, copia.raiz, "--one-by-one", *nombres)
    assert codigo == 1
    assert [linea.strip() for linea in salida.splitlines() if linea.endswith("updated")] == [
        "verificar-orden: updated",
        "revertir-orden-creada: updated",
    ]
    assert "the versions before are back, and run: verificar-orden, revertir-orden-creada" in errores
    assert procesos(tienda.cluster)["crear-orden"] == antes["crear-orden"]
    assert "plan: no changes of functions" in bien(correr(tienda.cluster, RAIZ, "--plan"))


@pytest.mark.largo
def test_the_record_says_who_deployed_what_and_a_rollback_brings_it_back(
    tienda: Tienda, copia: Copia, tmp_path: Path
) -> None:
    cluster = tienda.cluster
    bien(correr(cluster, RAIZ))
    nuestra = desplegado(cluster, "crear-orden", tmp_path)
    config = copia.raiz / "deployment/functions/crear-orden.yaml"
    paquetes = [nuestra]
    versiones = [[una for una in historia(cluster, "crear-orden") if not una["failure"]][-1]["version"]]
    for antes, demora in ((120, 110), (110, 100)):
        copia.cambiar(config, cambio(f": {antes}}}", f": {demora}}}"))
        anadir(copia, "crear-orden", f"\n# {demora}\n")
        bien(correr(cluster, copia.raiz, "crear-orden"))
        paquetes.append(desplegado(cluster, "crear-orden", tmp_path))
        versiones.append(historia(cluster, "crear-orden")[-1]["version"])
    assert len(set(paquetes)) == 3
    assert versiones == sorted(set(versiones))
    with tienda.abierta():
        salida = bien(correr(cluster, RAIZ, "rollback", "crear-orden"))
        assert f"crear-orden: back to version {versiones[1]}" in salida
        assert desplegado(cluster, "crear-orden", tmp_path) == paquetes[1]
        bien(correr(cluster, RAIZ, "rollback", "--to", str(versiones[0])))
        assert desplegado(cluster, "crear-orden", tmp_path) == nuestra
    ultima = historia(cluster, "crear-orden")[-1]
    assert ultima["what"] == f"rollback to {versiones[0]}"
    assert "@" in ultima["who"]
    assert "plan: no changes of functions" in bien(correr(cluster, RAIZ, "--plan"))
    tienda.cuadra()


def mensajes(cluster: Plataforma, raiz: Path, funcion: str) -> list[int]:
    """What the function and its canary have taken, as `canary --status` says."""
    salida = bien(correr(cluster, raiz, "canary", funcion, "--status"))
    return [int(cifra) for linea in salida.splitlines() if linea.startswith("messages") for cifra in linea.split()[1:]]


@pytest.mark.largo
def test_a_canary_shares_the_messages_and_the_receipts_and_is_promoted(
    tienda: Tienda, copia: Copia, tmp_path: Path
) -> None:
    cluster, antes = tienda.cluster, desplegado(tienda.cluster, "crear-orden", tmp_path)
    anadir(copia, "crear-orden", f"\n# {nuevo()}\n")
    with tienda.abierta():
        assert "canary: crear-orden-canary runs" in bien(correr(cluster, copia.raiz, "canary", "crear-orden"))
        assert desplegado(cluster, "crear-orden", tmp_path) == antes
        primeras = mensajes(cluster, copia.raiz, "crear-orden")
        segundas = mensajes(cluster, copia.raiz, "crear-orden")
        suyas, canario = (ahora - era for era, ahora in zip(primeras, segundas, strict=True))
        assert canario > 0
        assert 0.5 < suyas / canario < 2
        cluster.instancias("crear-orden-canary")[0].kill()  # what it had taken goes to the other
        codigo, _, errores = correr(cluster, RAIZ, "canary", "crear-orden", "--promote")
        assert codigo == 1
        assert "the canary differs: package" in errores
        salida = bien(correr(cluster, copia.raiz, "canary", "crear-orden", "--promote"))
        assert "crear-orden-canary: removed" in salida
    assert desplegado(cluster, "crear-orden", tmp_path) != antes
    assert historia(cluster, "crear-orden")[-1]["what"] == "promote"
    assert cluster.sql("ordenes", "select distinct funcion from recibos where funcion like 'crear-orden%'") == [
        ("crear-orden",)
    ]
    tienda.cuadra()


@pytest.mark.largo
def test_a_canary_that_breaks_is_removed_and_the_function_is_not_touched(tienda: Tienda, copia: Copia) -> None:
    antes = procesos(tienda.cluster)
    anadir(copia, "crear-orden", "\ndef (\n")
    with tienda.abierta():
        codigo, _, errores = correr(tienda.cluster, copia.raiz, "canary", "crear-orden")
    assert codigo == 1
    assert "SyntaxError" in errores
    assert "crear-orden-canary is removed" in errores
    assert procesos(tienda.cluster) == antes
    tienda.cuadra()


@pytest.mark.largo
def test_a_canary_can_be_discarded_and_started_again_and_again(tienda: Tienda) -> None:
    antes = procesos(tienda.cluster)
    with tienda.abierta():
        for _ in range(2):
            bien(correr(tienda.cluster, RAIZ, "canary", "crear-orden"))
            bien(correr(tienda.cluster, RAIZ, "canary", "crear-orden", "--discard"))
    codigo, _, errores = correr(tienda.cluster, RAIZ, "canary", "crear-orden", "--discard")
    assert (codigo, errores) == (1, "error: there is no crear-orden-canary\n")
    assert procesos(tienda.cluster) == antes
    tienda.cuadra()


def test_where_order_matters_there_is_no_canary(tienda: Tienda, copia: Copia) -> None:
    config = copia.raiz / "deployment/functions/crear-orden.yaml"
    copia.cambiar(config, lambda texto: texto + "retainOrdering: true\n")
    codigo, _, errores = correr(tienda.cluster, copia.raiz, "canary", "crear-orden")
    assert codigo == 1
    assert "crear-orden has retainOrdering: true: no canary can share its subscription" in errores


def test_the_record_keeps_the_last_of_each_function_and_lets_one_write_at_a_time(cluster: Plataforma) -> None:
    que: dict[str, tuple[dict[str, Any], bytes]] = {"prueba": ({"userConfig": {}}, b"a package")}
    with cliente(cluster) as abierto, Historia(abierto) as escribe:
        for _ in range(GUARDADAS + 3):
            escribe.anotar("deploy", {}, {}, que)
        with pytest.raises(SystemExit, match="somebody else is deploying"):
            Historia(abierto)
        escribe.podar()
        quedan = guardadas(leer(abierto))
    assert [version.funcion for version in quedan].count("prueba") == GUARDADAS
    assert escribe.versiones
    assert all(version.paquete == b"a package" for version in quedan if version.funcion == "prueba")
    esperar("the others to be let go", lambda: retenidas(cluster) == len(quedan))


def retenidas(cluster: Plataforma) -> int:
    cifras = json.loads(cluster.admin("topics", "stats", "--get-precise-backlog", HISTORIA))
    return int(cifras["subscriptions"][RETIENE]["msgBacklog"])
