"""What is in hand is counted right: streams to their end, and nothing twice."""

import re

import pytest
from werkzeug.test import Client

from bff.app import create_app
from functions.messages.ids import Id
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ID

PATH = f"/orders/{ID}/events"


def test_a_stream_is_in_hand_until_it_ends_and_nothing_is_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bff.following.event_stream.LONGEST", 0.5)
    steps = [{"id_mensaje": ID, "evento": "comando-crear-orden"}]
    read_models = FakeReadModels([{"id_orden": Id(ID), "estado": "creada"}], [], steps)
    client = through_door.client(create_app(FakePublisher(), read_models))
    before = in_progress(client)
    with client.get(PATH, buffered=False) as stream:
        assert in_progress(client) == before + 1
        stream.get_data()
    for path in (PATH, "/nada", "/orders?limit=x", "/openapi.json"):
        client.get(path, buffered=True)
        client.head(path, buffered=True)
    client.get(PATH, buffered=False).close()
    assert in_progress(client) == before


def in_progress(client: Client) -> float:
    (value,) = re.findall(r"\nbff_requests_in_progress (\S+)\n", client.get("/metrics", buffered=True).text)
    return float(value)
