"""The panel: what is served, under which rules; and the figures of a broker that is slow, or asked by many.

Longer than 200 lines: its tests share the broker that they slow down.
"""

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

from bff.app import create_app
from bff.panel import figures, routes
from bff.panel.figures import Figures
from functions.cluster.admin_rest import Api
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.support.platform import wait_for
from tests.support.server import RequestHandler, serving
from tests.support.tokens import FakeClock
from tests.unit.bff.web.test_commands import problem

TOPIC = "ordenes/comando-crear-orden"
OTHER = "ordenes/evento-orden"


@pytest.fixture
def client() -> FlaskClient:
    return create_app(FakePublisher(), FakeReadModels()).test_client()


@pytest.mark.parametrize("path", routes.FILES)
def test_the_page_and_its_parts_are_served_whatever_is_accepted(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html, image/webp"})
    assert (response.status_code, response.data) == (200, routes.FILES[path].read_bytes())
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    head = client.head(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(response.data))
    again = client.get(path, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    problem(client.post(path), 405)


def test_the_page_may_load_nothing_but_its_own_files(client: FlaskClient) -> None:
    response = client.get("/panel")
    policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[directive] for directive in ("script-src", "style-src", "connect-src", "img-src")} == {"'self'"}
    assert {policy[directive] for directive in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert re.findall(r"\son\w+=|\sstyle=|<style|<script(?![^>]*src=)|https?://", response.text) == []
    for referenced in re.findall(r'(?:src|href)="(/[^"]*)"', response.text):
        assert client.get(referenced).status_code == 200


def test_no_script_writes_markup() -> None:
    for path in routes.FILES.values():
        if path.suffix == ".js":
            assert (
                re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|DOMParser", path.read_text())
                == []
            )


@pytest.mark.parametrize(
    "path", ["/panel/nada.js", "/panel/../settings.py", "/panel/%2e%2e/settings.py", "/panel/panel.html"]
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    problem(client.get(path), 404)


def test_it_can_be_switched_off() -> None:
    disabled = create_app(FakePublisher(), FakeReadModels(), with_panel=False).test_client()
    for path in (*routes.FILES, "/panel/topics"):
        problem(disabled.get(path), 404)


def test_without_the_admin_api_there_are_no_figures_and_it_is_said_why(client: FlaskClient) -> None:
    response = client.get("/panel/topics", headers={"Accept": "text/html"})
    assert (response.status_code, response.json) == (200, {"estado": "sin_direccion"})


@dataclass
class Admin:
    """A broker's admin API. It counts requests, and holds them up while `gate` is shut."""

    url: str = ""
    status: int = 200
    figures: dict[str, Any] = field(default_factory=dict)
    requested: Counter[str] = field(default_factory=Counter)
    gate: threading.Event = field(default_factory=threading.Event)

    @property
    def api(self) -> Api:
        return Api(self.url, {}, figures.TIMEOUT)

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.removeprefix("/admin/v2/persistent/monoliticas/")
        self.requested[path] += 1
        self.gate.wait(10)
        body = json.dumps(self.figures.get(path, {"reason": "Topic not found"})).encode()
        request.send_response(self.status if path in self.figures or self.status != 200 else 404)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@contextmanager
def running(admin: Admin) -> Iterator[Admin]:
    class FiguresRequest(RequestHandler):
        def do_GET(self) -> None:
            admin.respond(self)

    with serving(FiguresRequest) as port:
        admin.url = f"http://127.0.0.1:{port}"
        admin.gate.set()
        yield admin
        admin.gate.set()


@pytest.fixture
def admin() -> Iterator[Admin]:
    subscription = {"msgBacklog": 7, "msgDelayed": 4, "msgOutCounter": 90}
    stats = {"msgInCounter": 100, "subscriptions": {"crear-orden": subscription}}
    with running(Admin(figures={f"{TOPIC}/stats": stats})) as admin:
        yield admin


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MAX_WAIT", 10)


@pytest.mark.usefixtures("patient")
def test_figures_are_counters_and_what_waits_now_and_for_later(admin: Admin) -> None:
    data = Figures(admin.api, [TOPIC, OTHER]).view()
    assert data["estado"] == "bien"
    subscription = {"pendientes": 3, "demorados": 4, "salidas": 90}
    assert data["topics"] == {TOPIC: {"entradas": 100, "suscripciones": {"crear-orden": subscription}}}


@pytest.mark.usefixtures("patient")
def test_who_has_the_latest_figures_is_not_sent_them_again(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FRESH_FOR", 60)
    client = create_app(FakePublisher(), FakeReadModels(), admin=admin.api).test_client()
    first = client.get("/panel/topics")
    assert [*(first.json or {})["topics"]] == [TOPIC], "of all that the page shows, the broker has this one"
    again = client.get("/panel/topics", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert (client.head("/panel/topics").status_code, client.head("/panel/topics").data) == (200, b"")


@pytest.mark.usefixtures("patient")
def test_a_topic_with_partitions_has_figures_too(admin: Admin) -> None:
    admin.figures = {f"{TOPIC}/partitioned-stats": admin.figures[f"{TOPIC}/stats"]}
    assert Figures(admin.api, [TOPIC]).view()["topics"][TOPIC]["entradas"] == 100


@pytest.mark.usefixtures("patient")
def test_many_who_look_cost_the_broker_one_look_a_second(admin: Admin, clock: FakeClock) -> None:
    shown = Figures(admin.api, [TOPIC], clock)
    with ThreadPoolExecutor(16) as executor:
        for second in range(1, 4):
            answers = list(executor.map(lambda _: shown.view(), range(64)))
            assert {data["estado"] for data in answers} <= {"bien", "leyendo"}
            wait_for("the figures", lambda: shown.view()["estado"] == "bien")
            assert admin.requested == {f"{TOPIC}/stats": second}
            clock.now += figures.FRESH_FOR


def test_a_broker_that_hangs_holds_up_two_who_look_and_no_others(
    admin: Admin, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MAX_WAIT", 60)
    shown = Figures(Api(admin.url, {}, 60), [TOPIC], clock)
    admin.gate.clear()
    with ThreadPoolExecutor(2) as executor:
        two = [executor.submit(shown.view) for _ in range(2)]
        wait_for("both to wait", lambda: shown._waiting._value == 0)
        assert [shown.view() for _ in range(20)] == [{"estado": "leyendo"}] * 20
        admin.gate.set()
        assert [future.result()["estado"] for future in two] == ["bien", "bien"]
    assert admin.requested.total() == 1


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("status", "expected"), [(401, "sin_permiso"), (403, "sin_permiso"), (500, "sin_broker")])
def test_a_broker_that_refuses_is_said_so_logged_once_and_comes_back(
    admin: Admin, clock: FakeClock, caplog: pytest.LogCaptureFixture, status: int, expected: str
) -> None:
    shown, admin.status = Figures(admin.api, [TOPIC], clock), status
    for _ in range(3):
        assert shown.view() == {"estado": expected}
        clock.now += figures.FRESH_FOR
    assert [record.getMessage() for record in caplog.records if str(status) in record.getMessage()] != []
    assert len(caplog.records) == 1
    admin.status = 200
    assert shown.view()["estado"] == "bien"


@pytest.mark.usefixtures("patient")
def test_a_broker_that_is_not_there_is_said_to_be_away() -> None:
    with running(Admin()) as admin:
        pass
    data = create_app(FakePublisher(), FakeReadModels(), admin=admin.api).test_client().get("/panel/topics").json
    assert data == {"estado": "sin_broker"}


@pytest.mark.usefixtures("patient")
def test_a_broker_that_answers_nonsense_is_said_to_be_away(admin: Admin) -> None:
    admin.figures = {f"{TOPIC}/stats": []}
    assert Figures(admin.api, [TOPIC]).view() == {"estado": "sin_broker"}


@pytest.mark.usefixtures("patient")
def test_the_first_question_without_an_answer_is_the_last_one(admin: Admin) -> None:
    admin.status = 500
    many = [f"ordenes/{n}" for n in range(200)]
    assert Figures(admin.api, many).view() == {"estado": "sin_broker"}
    assert admin.requested.total() < 20


def test_figures_of_long_ago_are_not_shown(admin: Admin, clock: FakeClock) -> None:
    shown = Figures(Api(admin.url, {}, 60), [TOPIC], clock)
    wait_for("the figures", lambda: shown.view()["estado"] == "bien")
    admin.gate.clear()
    clock.now += figures.USABLE_FOR - 1
    assert shown.view()["estado"] == "bien"
    clock.now += 1
    assert shown.view() == {"estado": "leyendo"}
