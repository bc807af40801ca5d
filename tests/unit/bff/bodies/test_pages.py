"""Lists in pages: the header Link leads through the whole list; filters are checked and passed on."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from bff.app import create_app
from bff.bodies.pages import cursor, number, place
from functions.messages.ids import Id, new
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ID, problem

YESTERDAY = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ORDENES = [{"id_orden": new(), "time_stamp": YESTERDAY - timedelta(seconds=n)} for n in range(5)]
PRODUCTOS = [{"id": new(), "fecha_creacion": YESTERDAY + timedelta(seconds=n)} for n in range(5)]


@pytest.fixture
def read_models() -> FakeReadModels:
    return FakeReadModels(ORDENES, PRODUCTOS)


@pytest.fixture
def client(read_models: FakeReadModels) -> FlaskClient:
    return create_app(FakePublisher(), read_models).test_client()


def links(client: FlaskClient, path: str) -> dict[str, str]:
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', client.get(path).headers["Link"])
    return {rel: url for url, rel in found}


@pytest.mark.parametrize(
    ("path", "last"), [("/orders", ORDENES[1]), ("/productos", PRODUCTOS[1])], ids=["orders", "products"]
)
def test_the_next_page_begins_after_the_last_row_of_this_one(
    client: FlaskClient, read_models: FakeReadModels, path: str, last: dict[str, Any]
) -> None:
    following = links(client, f"{path}?limit=2")["next"]
    assert following.startswith(f"{path}?limit=2&cursor=")
    client.get(following)
    limit, _, after = read_models.requests[-1]
    assert isinstance(after, tuple)
    assert (limit, set(after)) == (3, set(last.values()))


def test_movements_are_numbered_and_a_page_begins_before_the_version_of_the_last_row(
    client: FlaskClient, read_models: FakeReadModels
) -> None:
    read_models.movimiento_rows = [{"id_producto": ID, "version": version} for version in (2**31 - 1, 7, 6)]
    path = f"/productos/{ID}/movimientos"
    following = links(client, f"{path}?limit=2")["next"]
    assert client.get(following).status_code == 200
    assert read_models.requests[-1] == (3, {"id_producto": ID}, 7)
    for foreign in (cursor((YESTERDAY, new())), cursor(2**31), cursor(-1), "x", "ä", cursor(7) + "A", " "):
        assert problem(client.get(path, query_string={"cursor": foreign}), 400)["campo"] == "cursor"
    assert problem(client.get("/productos", query_string={"cursor": cursor(7)}), 400)["campo"] == "cursor"


@given(st.integers(0, 2**31 - 1))
def test_every_number_has_a_cursor_of_its_own(version: int) -> None:
    assert number(cursor(version)) == version


def test_the_last_page_has_no_next(client: FlaskClient) -> None:
    assert links(client, "/orders?limit=5") == {"first": "/orders?limit=5"}
    assert links(client, "/orders") == {"first": "/orders"}


def test_filters_are_read_and_kept_from_page_to_page(client: FlaskClient, read_models: FakeReadModels) -> None:
    request = f"/orders?limit=2&estado=fallida&user_id=ana+b%26c&id_producto={ID}&desde=2026-03-01T07:30:00-05:00"
    for url in (request, links(client, request)["next"]):
        client.get(url)
        found = {"estado": "fallida", "user_id": "ana b&c", "id_producto": Id(ID), "desde": YESTERDAY}
        assert read_models.requests[-1][1] == found


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("estado", "nada"),
        ("estado", ""),
        ("user_id", ""),
        ("id_producto", "7"),
        ("desde", "ayer"),
        ("hasta", "2026-03-01"),
        ("hasta", "2026-03-01T00:00:00"),
        ("desde", "0001-01-01T00:00:00+14:00"),
        ("hasta", "9999-12-31T23:59:59-14:00"),
        ("cursor", cursor((datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), Id(ID)))),
        ("cursor", ""),
        ("cursor", "x"),
        ("cursor", "á"),
        ("cursor", "MjAyNi0wMy0wMSA3"),
    ],
)
def test_what_can_not_be_asked_for_is_refused_by_name(client: FlaskClient, field: str, value: str) -> None:
    response = client.get("/orders", query_string={field: value})
    assert problem(response, 400)["campo"] == field


@pytest.mark.parametrize(
    "value",
    [
        *("2026-03-01T12:30:00Z", "2026-03-01t12:30:00z", "2026-03-01T12:30:00.000z", "2026-03-01T07:30:00%2D05:00"),
        *("2026-03-01T17:30:00%2B05:00", "2026-03-01t17:30:00%2b05:00"),
    ],
)
def test_times_are_read_as_rfc_3339_has_them(client: FlaskClient, read_models: FakeReadModels, value: str) -> None:
    for field in ("desde", "hasta"):
        assert client.get(f"/orders?{field}={value}").status_code == 200
        assert read_models.requests[-1][1] == {field: YESTERDAY}


@pytest.mark.parametrize("value", ["2026-03-01T17:30:00+05:00", "2026-03-01t17:30:00.5+0500", "2026-03-01T17:30+05"])
def test_a_plus_that_became_a_blank_is_explained(client: FlaskClient, value: str) -> None:
    assert "%2B" in problem(client.get(f"/orders?desde={value}"), 400)["detail"]


@given(st.datetimes(timezones=st.just(UTC)), st.uuids().map(str).map(Id))
def test_a_cursor_names_its_place(moment: datetime, row_id: Id) -> None:
    assert place(cursor((moment, row_id))) == (moment, row_id)


@given(st.text(max_size=80))
def test_what_is_no_cursor_is_an_error_of_the_client(text: str) -> None:
    with pytest.raises(ValueError, match="Link header"):
        place(text)
