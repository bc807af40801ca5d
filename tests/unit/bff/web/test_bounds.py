"""What is sent, whatever it is, costs little: pages, labels, logs, headers."""

import json
import logging
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from bff.app import create_app
from bff.backends.read_models import Row
from bff.bodies.formats import MAX_ACCEPT
from bff.bodies.pages import MAX_PAGE
from bff.contract import openapi
from bff.telemetry import cutting, logs
from functions.messages.ids import new
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ID, problem

WHEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
PATH = f"/orders/{ID}/events"


class Pages(FakeReadModels):
    """Lists that begin after a place."""

    def ordenes(self, limit: int, filters: Any, after: Any = None) -> list[Row]:
        return self._after(self.orden_rows, "id_orden", limit, after)

    def productos(self, limit: int, after: Any = None) -> list[Row]:
        return self._after(self.producto_rows, "id", limit, after)

    def _after(self, rows: list[Row], column: str, limit: int, after: Any) -> list[Row]:
        begin = next((n for n, row in enumerate(rows, 1) if after and row[column] == after[1]), 0)
        return rows[begin : begin + limit]


def rows(total: int, text: str) -> tuple[list[Row], list[Row]]:
    ids = [new() for _ in range(total)]
    times = [WHEN - timedelta(seconds=n) for n in range(total)]
    ordenes: list[Row] = [
        {"id_orden": id, "time_stamp": when, "direccion_entrega": text, "motivo": None}
        for id, when in zip(ids, times, strict=True)
    ]
    productos: list[Row] = [
        {"id": id, "fecha_creacion": when, "nombre": text} for id, when in zip(ids, times, strict=True)
    ]
    return ordenes, productos


@pytest.mark.parametrize("media_type", ["application/json", "application/xml"])
@pytest.mark.parametrize("path", ["/orders", "/productos"])
@pytest.mark.parametrize("text", ["😀" * 1000, "&" * 1000, "x" * 1000])
def test_a_page_has_at_most_so_many_bytes_and_all_pages_together_every_row(
    path: str, media_type: str, text: str
) -> None:
    ordenes, productos = rows(1_500, text)
    client = create_app(FakePublisher(), Pages(ordenes, productos)).test_client()
    found: list[str] = []
    url, lengths = path, []
    while url:
        response = client.get(url, headers={"Accept": media_type})
        assert len(response.data) <= MAX_PAGE
        etag = {"If-None-Match": response.headers["ETag"], "Accept": media_type}
        assert client.get(url, headers=etag).status_code == 304
        lengths.append(len(response.data))
        found += re.findall("[0-9a-f]{8}-[0-9a-f-]{27}", response.text)
        following = re.search('<([^>]*)>; rel="next"', response.headers["Link"])
        url = following[1] if following else ""
    assert found == [row["id_orden"] for row in ordenes]
    assert min(lengths[:-1]) > MAX_PAGE * 0.7


def test_a_row_that_is_too_long_alone_is_a_page_alone() -> None:
    ordenes, _ = rows(3, "x" * (MAX_PAGE + 1))
    client = create_app(FakePublisher(), Pages(ordenes)).test_client()
    response: Any = client.get("/orders")
    assert len(response.json) == 1
    assert 'rel="next"' in response.headers["Link"]


def test_links_keep_nothing_of_a_query_but_what_means_something(client: FlaskClient) -> None:
    assert client.get("/productos?limit=5&nada=1&estado=x").headers["Link"] == '</productos?limit=5>; rel="first"'


@pytest.fixture
def client() -> FlaskClient:
    return create_app(FakePublisher(), FakeReadModels()).test_client()


def test_hostile_requests_make_no_labels_and_no_files_grow(tmp_path: Path) -> None:
    script = """
from bff.app import create_app
from tests.support.fakes import FakePublisher, FakeReadModels
client = create_app(FakePublisher(), FakeReadModels()).test_client()
for n in range(300):
    client.open(f"/nada{n}?{n}", method="M" * 6_000 + str(n), headers={"X": str(n)})
    client.open("/orders", method=f"get{n}")
print(client.get("/metrics").text)
"""
    env = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": "."}
    output = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True).stdout
    series = {line for line in output.splitlines() if line.startswith("bff_request_seconds_count")}
    assert series == {
        'bff_request_seconds_count{method="other",route="unknown",status="404"} 300.0',
        'bff_request_seconds_count{method="other",route="unknown",status="405"} 300.0',
    }
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 4 << 20  # as the client library makes them


def test_what_is_logged_and_answered_is_cut(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bff.access")
    response = client.open("/" + "ñ" * 20_000, method="M" * 20_000)
    assert len(problem(response, 404)["detail"]) <= cutting.MAX_TEXT
    (line,) = caplog.records
    logged = vars(line)
    assert (len(logged["method"]), len(logged["path"])) == (cutting.MAX_METHOD, cutting.MAX_FIELD)
    assert line.message.endswith(" 404")


def test_whatever_is_logged_has_an_end() -> None:
    try:
        raise RuntimeError("x" * 100_000)
    except RuntimeError:
        record = logging.LogRecord("n", logging.ERROR, "p", 1, "%s", ("y" * 100_000,), sys.exc_info())
    record.user = "z" * 100_000
    record.status = 200
    line = json.loads(logs.formatter().format(record))
    lengths = {name: len(line[name]) for name in ("message", "user", "exc_info")}
    assert lengths == {"message": cutting.MAX_TEXT, "user": cutting.MAX_FIELD, "exc_info": cutting.MAX_TRACEBACK}
    assert line["status"] == 200


@pytest.mark.parametrize("length", range(1, 12))
def test_cutting_keeps_beginning_and_end(length: int) -> None:
    found = cutting.cut("0123456789", length)
    assert len(found) == min(length, 10)
    assert found[-1:] in ("9", "…")
    assert (found == "0123456789") is (length >= 10)


def test_an_accept_that_is_too_long_is_refused_unread(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = "application/xml" + ";" * (MAX_ACCEPT - len("application/xml"))
    assert client.get("/productos", headers={"Accept": longest}).mimetype == "application/xml"
    monkeypatch.setattr("bff.bodies.formats.parse_accept_header", lambda value, cls: cls([] if not value else None))
    for accept in ("a/b," * 15_000, "application/json," * 100):
        response = client.get("/productos", headers={"Accept": accept})
        assert str(MAX_ACCEPT) in problem(response, 406)["detail"]
        events = through_door.client(client.application).get(PATH, headers={"Accept": accept})
        assert events.status_code == 404  # has one format only
        assert client.get("/openapi.json", headers={"Accept": accept}).status_code == 200


def test_the_description_of_the_api_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made, document = count(), openapi.document
    calls: list[int] = []

    def counted(max_cantidad: int) -> Any:
        calls.append(next(made))
        return document(max_cantidad)

    monkeypatch.setattr("bff.contract.openapi.document", counted)
    client = create_app(FakePublisher(), FakeReadModels(), max_cantidad=77).test_client()
    for _ in range(5):
        for path in ("/docs", "/openapi.json"):
            assert "77" in client.get(path).text
    assert len(calls) == 2


def test_xml_pages_can_be_read() -> None:
    ordenes, _ = rows(1_500, "&😀" * 500)
    client = create_app(FakePublisher(), Pages(ordenes)).test_client()
    root = ElementTree.fromstring(client.get("/orders", headers={"Accept": "text/xml"}).data)
    assert root[0].findtext("id_orden") == ordenes[0]["id_orden"]
