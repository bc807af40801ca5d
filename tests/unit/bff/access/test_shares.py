"""Places for what takes long: limited in all, and for each user."""

from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests

from bff.access.shares import RETRY_AFTER, Shares
from bff.access.tokens import Authentication
from bff.app import create_app
from functions.messages.ids import Id
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.access.test_access import SECRET, token
from tests.unit.bff.web.test_commands import ID, ORDEN, problem

PATH = f"/orders/{ID}/events"


def test_one_user_can_not_take_all_places_and_all_users_no_more_than_there_are() -> None:
    shares = Shares(3, per_user=2)
    for _ in range(2):  # what is released can be taken again
        shares.take("ana")
        shares.take("ana")
        with pytest.raises(TooManyRequests):
            shares.take("ana")
        shares.take("eva")
        with pytest.raises(ServiceUnavailable):
            shares.take("bea")
        for user in ("ana", "ana", "eva"):
            shares.release(user)


def test_without_users_the_places_are_for_everybody() -> None:
    shares = Shares(3, per_user=1)
    for _ in range(3):
        shares.take(None)
    with pytest.raises(ServiceUnavailable):
        shares.take(None)


class Orden(FakeReadModels):
    """An order of whoever asks, which does not end."""

    def orden(self, id_orden: Id) -> Any:
        return {"id_orden": id_orden, "user_id": "ana", "estado": "creada"}


def test_one_stream_too_many_of_a_user_is_told_so_and_when_to_come_again_and_others_get_theirs() -> None:
    read_models = Orden([], [], [{"id_mensaje": ID, "evento": "comando-crear-orden"}])
    authentication = Authentication(secret=SECRET)
    app = create_app(FakePublisher(), read_models, max_waiting=2, max_waiting_per_user=1, authentication=authentication)
    ana, root = token("ana", "ordenes:leer", "ordenes:crear"), token("root", "ordenes:leer", "ordenes:administrar")
    with through_door.client(app).get(PATH, headers=ana, buffered=False) as first:
        assert first.status_code == 200
        response = through_door.client(app).get(PATH, headers=ana)
        assert "1 requests of this user" in problem(response, 429)["detail"]
        assert response.headers["Retry-After"] == str(RETRY_AFTER)
        browser = through_door.client(app).get(PATH, headers=ana | {"Accept": "text/event-stream"})
        assert (browser.status_code, browser.text.split("\n")[1]) == (200, f"retry: {1000 * RETRY_AFTER}")
        waiting = through_door.client(app).post("/orders", json=ORDEN, headers=ana | {"Prefer": "wait=9"})
        assert waiting.status_code == 202  # at once, and without harm to the order
        with through_door.client(app).get(PATH, headers=root, buffered=False) as second:
            assert second.status_code == 200
            problem(through_door.client(app).get(PATH, headers=token("eva", "ordenes:leer")), 503)
    with through_door.client(app).get(PATH, headers=ana, buffered=False) as again:
        assert again.status_code == 200
