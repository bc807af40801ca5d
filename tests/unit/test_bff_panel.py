"""The panel: what is served, under which rules; and the broker's figures, however many look and however slow it is."""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from flask.testing import FlaskClient

from bff import cifras, panel
from bff.app import crear_app
from bff.cifras import Cifras
from functions.comun.cluster.admin_rest import Api
from tests.fakes import LecturasFalsas, PublicadorFalso
from tests.plataforma import esperar
from tests.servidor import Peticion, sirviendo
from tests.tokens import Reloj
from tests.unit.test_bff_comandos import problema

TOPIC = "ordenes/comando-crear-orden"
OTRO = "ordenes/evento-orden"


@pytest.fixture
def cliente() -> FlaskClient:
    return crear_app(PublicadorFalso(), LecturasFalsas()).test_client()


@pytest.mark.parametrize("ruta", panel.ARCHIVOS)
def test_the_page_and_its_parts_are_served_whatever_is_accepted(cliente: FlaskClient, ruta: str) -> None:
    respuesta = cliente.get(ruta, headers={"Accept": "text/html, image/webp"})
    assert (respuesta.status_code, respuesta.data) == (200, panel.ARCHIVOS[ruta].read_bytes())
    assert respuesta.headers["X-Content-Type-Options"] == "nosniff"
    cabeza = cliente.head(ruta)
    assert (cabeza.status_code, cabeza.data) == (200, b"")
    assert cabeza.headers["Content-Length"] == str(len(respuesta.data))
    otra_vez = cliente.get(ruta, headers={"If-None-Match": respuesta.headers["ETag"]})
    assert (otra_vez.status_code, otra_vez.data) == (304, b"")
    problema(cliente.post(ruta), 405)


def test_the_page_may_load_nothing_but_its_own_files(cliente: FlaskClient) -> None:
    respuesta = cliente.get("/panel")
    politica = dict(parte.split(" ", 1) for parte in respuesta.headers["Content-Security-Policy"].split("; "))
    assert politica["default-src"] == "'none'"
    assert {politica[de] for de in ("script-src", "style-src", "connect-src", "img-src")} == {"'self'"}
    assert {politica[de] for de in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert re.findall(r"\son\w+=|\sstyle=|<style|<script(?![^>]*src=)|https?://", respuesta.text) == []
    for nombrado in re.findall(r'(?:src|href)="(/[^"]*)"', respuesta.text):
        assert cliente.get(nombrado).status_code == 200


def test_no_script_writes_markup() -> None:
    for ruta in panel.ARCHIVOS.values():
        if ruta.suffix == ".js":
            assert (
                re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|DOMParser", ruta.read_text())
                == []
            )


@pytest.mark.parametrize(
    "ruta", ["/panel/nada.js", "/panel/../ajustes.py", "/panel/%2e%2e/ajustes.py", "/panel/panel.html"]
)
def test_nothing_else_is_served(cliente: FlaskClient, ruta: str) -> None:
    problema(cliente.get(ruta), 404)


def test_it_can_be_switched_off() -> None:
    apagada = crear_app(PublicadorFalso(), LecturasFalsas(), con_panel=False).test_client()
    for ruta in (*panel.ARCHIVOS, "/panel/topics"):
        problema(apagada.get(ruta), 404)


def test_without_the_admin_api_there_are_no_figures_and_it_is_said_why(cliente: FlaskClient) -> None:
    respuesta = cliente.get("/panel/topics", headers={"Accept": "text/html"})
    assert (respuesta.status_code, respuesta.json) == (200, {"estado": "sin_direccion"})


@dataclass
class Admin:
    """A broker's admin API. It counts questions, and holds them while `puerta` is shut."""

    url: str = ""
    estado: int = 200
    cifras: dict[str, Any] = field(default_factory=dict)
    pedidas: Counter[str] = field(default_factory=Counter)
    puerta: threading.Event = field(default_factory=threading.Event)

    @property
    def api(self) -> Api:
        return Api(self.url, {}, cifras.PLAZO)

    def responder(self, peticion: BaseHTTPRequestHandler) -> None:
        ruta = peticion.path.removeprefix("/admin/v2/persistent/monoliticas/")
        self.pedidas[ruta] += 1
        self.puerta.wait(10)
        cuerpo = json.dumps(self.cifras.get(ruta, {"reason": "Topic not found"})).encode()
        peticion.send_response(self.estado if ruta in self.cifras or self.estado != 200 else 404)
        peticion.send_header("Content-Length", str(len(cuerpo)))
        peticion.end_headers()
        peticion.wfile.write(cuerpo)


@contextmanager
def encendido(admin: Admin) -> Iterator[Admin]:
    class DeCifras(Peticion):
        def do_GET(self) -> None:
            admin.responder(self)

    with sirviendo(DeCifras) as puerto:
        admin.url = f"http://127.0.0.1:{puerto}"
        admin.puerta.set()
        yield admin
        admin.puerta.set()


@pytest.fixture
def admin() -> Iterator[Admin]:
    suscripcion = {"msgBacklog": 7, "msgDelayed": 4, "msgOutCounter": 90}
    stats = {"msgInCounter": 100, "subscriptions": {"crear-orden": suscripcion}}
    with encendido(Admin(cifras={f"{TOPIC}/stats": stats})) as admin:
        yield admin


@pytest.fixture
def paciente(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifras, "PACIENCIA", 10)


@pytest.mark.usefixtures("paciente")
def test_figures_are_counters_and_what_waits_now_and_for_later(admin: Admin) -> None:
    datos = Cifras(admin.api, [TOPIC, OTRO]).ver()
    assert datos["estado"] == "bien"
    suscripcion = {"pendientes": 3, "demorados": 4, "salidas": 90}
    assert datos["topics"] == {TOPIC: {"entradas": 100, "suscripciones": {"crear-orden": suscripcion}}}


@pytest.mark.usefixtures("paciente")
def test_who_has_the_latest_figures_is_not_sent_them_again(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifras, "FRESCAS", 60)
    cliente = crear_app(PublicadorFalso(), LecturasFalsas(), admin=admin.api).test_client()
    primera = cliente.get("/panel/topics")
    assert [*(primera.json or {})["topics"]] == [TOPIC], "of all that the page shows, the broker has this one"
    otra_vez = cliente.get("/panel/topics", headers={"If-None-Match": primera.headers["ETag"]})
    assert (otra_vez.status_code, otra_vez.data) == (304, b"")
    assert (cliente.head("/panel/topics").status_code, cliente.head("/panel/topics").data) == (200, b"")


@pytest.mark.usefixtures("paciente")
def test_a_topic_with_partitions_has_figures_too(admin: Admin) -> None:
    admin.cifras = {f"{TOPIC}/partitioned-stats": admin.cifras[f"{TOPIC}/stats"]}
    assert Cifras(admin.api, [TOPIC]).ver()["topics"][TOPIC]["entradas"] == 100


@pytest.mark.usefixtures("paciente")
def test_many_who_look_cost_the_broker_one_look_a_second(admin: Admin, reloj: Reloj) -> None:
    vistas = Cifras(admin.api, [TOPIC], reloj)
    with ThreadPoolExecutor(16) as hilos:
        for segundo in range(1, 4):
            todas = list(hilos.map(lambda _: vistas.ver(), range(64)))
            assert {datos["estado"] for datos in todas} <= {"bien", "leyendo"}
            esperar("the look", lambda: vistas.ver()["estado"] == "bien")
            assert admin.pedidas == {f"{TOPIC}/stats": segundo}
            reloj.ahora += cifras.FRESCAS


def test_a_broker_that_hangs_holds_up_two_who_look_and_no_others(
    admin: Admin, reloj: Reloj, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifras, "PACIENCIA", 60)
    vistas = Cifras(Api(admin.url, {}, 60), [TOPIC], reloj)
    admin.puerta.clear()
    with ThreadPoolExecutor(2) as hilos:
        dos = [hilos.submit(vistas.ver) for _ in range(2)]
        esperar("both to wait", lambda: vistas._esperan._value == 0)
        assert [vistas.ver() for _ in range(20)] == [{"estado": "leyendo"}] * 20
        admin.puerta.set()
        assert [futuro.result()["estado"] for futuro in dos] == ["bien", "bien"]
    assert admin.pedidas.total() == 1


@pytest.mark.usefixtures("paciente")
@pytest.mark.parametrize(("estado", "dicho"), [(401, "sin_permiso"), (403, "sin_permiso"), (500, "sin_broker")])
def test_a_broker_that_refuses_is_said_so_logged_once_and_comes_back(
    admin: Admin, reloj: Reloj, caplog: pytest.LogCaptureFixture, estado: int, dicho: str
) -> None:
    vistas, admin.estado = Cifras(admin.api, [TOPIC], reloj), estado
    for _ in range(3):
        assert vistas.ver() == {"estado": dicho}
        reloj.ahora += cifras.FRESCAS
    assert [registro.getMessage() for registro in caplog.records if str(estado) in registro.getMessage()] != []
    assert len(caplog.records) == 1
    admin.estado = 200
    assert vistas.ver()["estado"] == "bien"


@pytest.mark.usefixtures("paciente")
def test_a_broker_that_is_not_there_is_said_to_be_away() -> None:
    with encendido(Admin()) as admin:
        pass
    datos = crear_app(PublicadorFalso(), LecturasFalsas(), admin=admin.api).test_client().get("/panel/topics").json
    assert datos == {"estado": "sin_broker"}


@pytest.mark.usefixtures("paciente")
def test_a_broker_that_answers_nonsense_is_said_to_be_away(admin: Admin) -> None:
    admin.cifras = {f"{TOPIC}/stats": []}
    assert Cifras(admin.api, [TOPIC]).ver() == {"estado": "sin_broker"}


@pytest.mark.usefixtures("paciente")
def test_the_first_question_without_an_answer_is_the_last_one(admin: Admin) -> None:
    admin.estado = 500
    muchos = [f"ordenes/{n}" for n in range(200)]
    assert Cifras(admin.api, muchos).ver() == {"estado": "sin_broker"}
    assert admin.pedidas.total() < 20


def test_figures_of_long_ago_are_not_shown(admin: Admin, reloj: Reloj) -> None:
    vistas = Cifras(Api(admin.url, {}, 60), [TOPIC], reloj)
    esperar("the look", lambda: vistas.ver()["estado"] == "bien")
    admin.puerta.clear()
    reloj.ahora += cifras.CADUCAS - 1
    assert vistas.ver()["estado"] == "bien"
    reloj.ahora += 1
    assert vistas.ver() == {"estado": "leyendo"}
