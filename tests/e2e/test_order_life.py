"""What comes after the saga, on the whole platform: dispatch, delivery, cancellation, return, and who comes free."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.test_saga import HAPPY_PATH, crear_producto, final, registrar_conductores, request_orden, stock
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e

RACES = 30
"""Orders that are cancelled while their sagas run, and orders that are cancelled and dispatched at once."""
UNDONE = ["comando-liberar-conductor", "comando-revertir-disminuir-stock", "comando-revertir-orden-creada"]


def iniciada(platform: Platform, id_producto: str, cantidad: int = 1) -> Any:
    """An order that has its driver."""
    orden, _ = final(platform, request_orden(platform, id_producto, cantidad))
    assert orden["estado"] == "iniciada"
    return orden


def change(platform: Platform, orden: Any, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    status, answer, _ = platform.request("POST", f"/orders/{orden['id_orden']}/{path}", body or {}, **headers)
    return status, answer


def done(platform: Platform, orden: Any, path: str, body: Any = None) -> Any:
    """The order, once that is done."""
    status, answer = change(platform, orden, path, body, Prefer="wait=10")
    assert status == 200, answer
    return answer


def steps(platform: Platform, orden: Any, last: str) -> list[str]:
    """The steps of its log, once the last one is there."""

    def logged() -> Any:
        events = [step["evento"] for step in platform.request("GET", f"/orders/{orden['id_orden']}/saga")[1]]
        return events if last in events else None

    found: list[str] = wait_for(f"{last} in the log", logged)
    return found


def libres(platform: Platform) -> int:
    return int(platform.sql("conductores", "select count(*) from conductores where libre")[0][0])


def test_a_delivered_order_frees_its_driver_who_takes_the_next_one(platform: Platform) -> None:
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    first = iniciada(platform, id_producto, 2)
    despachada = done(platform, first, "despacho")
    assert (despachada["estado"], despachada["finalizada_en"]) == ("despachada", None)
    entregada = done(platform, first, "entrega", {"recibido_por": "Eva"})
    assert (entregada["estado"], entregada["recibido_por"], entregada["motivo"]) == ("entregada", "Eva", None)
    times = [entregada[name] for name in ("creada_en", "iniciada_en", "despachada_en", "finalizada_en")]
    assert times == sorted(times)
    assert entregada["id_driver"] == first["id_driver"]
    after = ["comando-despachar-orden", "comando-entregar-orden", "comando-completar-asignacion"]
    assert steps(platform, first, after[-1]) == [*HAPPY_PATH, *after]
    wait_for("the driver", lambda: libres(platform) == 1)
    assert iniciada(platform, id_producto)["id_driver"] == first["id_driver"]
    assert stock(platform, id_producto) == 2


@pytest.mark.parametrize(("path", "estado"), [("cancelacion", "cancelada"), ("devolucion", "devuelta")])
def test_what_is_cancelled_or_brought_back_is_undone(platform: Platform, path: str, estado: str) -> None:
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    orden = iniciada(platform, id_producto, 3)
    if path == "devolucion":
        done(platform, orden, "despacho")
    ended = done(platform, orden, path, {"motivo": "Nadie en casa"})
    assert (ended["estado"], ended["motivo"]) == (estado, "Nadie en casa")
    assert steps(platform, orden, UNDONE[-1])[-3:] == UNDONE
    wait_for("stock and driver", lambda: (stock(platform, id_producto), libres(platform)) == (5, 1))
    assert done(platform, orden, path, {"motivo": "otra vez"}) == ended
    status, refusal = change(platform, orden, "entrega", Prefer="wait=10")
    assert (status, refusal["estado"]) == (409, estado)


def test_without_waiting_the_log_says_what_was_refused(platform: Platform) -> None:
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    orden = iniciada(platform, id_producto)
    assert change(platform, orden, "entrega")[0] == 202
    assert "evento-rechazo" in steps(platform, orden, "evento-rechazo")
    saga = platform.request("GET", f"/orders/{orden['id_orden']}/saga")[1]
    (refusal,) = [step["contenido"] for step in saga if step["evento"] == "evento-rechazo"]
    assert (refusal["comando"], refusal["estado"]) == ("comando-entregar-orden", "iniciada")
    assert platform.request("GET", f"/orders/{orden['id_orden']}")[1] == orden


def test_a_stream_until_the_end_follows_the_order_to_its_last_state(platform: Platform) -> None:
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    orden = iniciada(platform, id_producto)
    with platform.stream(f"/orders/{orden['id_orden']}/events?hasta=fin") as stream:
        done(platform, orden, "despacho")
        done(platform, orden, "entrega")
        data = [json.loads(line.partition(b": ")[2]) for line in stream if line.startswith(b"data: ")]
    assert [one.get("evento") for one in data][:4] == HAPPY_PATH
    assert data[-1]["estado"] == "entregada"
    assert {"comando-despachar-orden", "comando-entregar-orden"} <= {one.get("evento") for one in data}


def test_cancelling_races_with_every_step_and_with_dispatching_and_one_of_them_wins(platform: Platform) -> None:
    """Orders are cancelled as soon as they can be seen, and others at the same time as they are dispatched."""
    id_producto = crear_producto(platform, 2 * RACES)
    registrar_conductores(platform, 2 * RACES)
    started = [iniciada(platform, id_producto) for _ in range(RACES)]

    def cancel_at_once(_: int) -> str:
        id_orden = request_orden(platform, id_producto)
        wait_for("the order", lambda: platform.request("GET", f"/orders/{id_orden}")[0] == 200)
        status, answer = change(platform, {"id_orden": id_orden}, "cancelacion", Prefer="wait=10")
        assert (status, answer.get("estado")) == (200, "cancelada"), answer
        return id_orden

    def race(orden: Any) -> tuple[int, int]:
        with ThreadPoolExecutor(2) as both:
            requests = [
                both.submit(change, platform, orden, path, Prefer="wait=10") for path in ("cancelacion", "despacho")
            ]
        return requests[0].result()[0], requests[1].result()[0]

    with ThreadPoolExecutor(6) as executor:
        cancelled = list(executor.map(cancel_at_once, range(RACES)))
        statuses = list(executor.map(race, started))
    assert set(statuses) <= {(200, 409), (409, 200)}
    dispatched = sum(status == (409, 200) for status in statuses)
    ids = [*cancelled, *(orden["id_orden"] for orden in started)]
    states = "select estado, count(*) from ordenes where id_orden = any(cast(:ids as uuid[])) group by 1"
    expected = {"cancelada": 2 * RACES - dispatched, "despachada": dispatched}
    for database in ("ordenes", "ordenes_lectura"):
        assert dict(platform.sql(database, states, ids=ids)) == {name: n for name, n in expected.items() if n}
    wait_for("the stock", lambda: stock(platform, id_producto) == 2 * RACES - dispatched)
    wait_for("the drivers", lambda: libres(platform) == 2 * RACES - dispatched)
    holding = "select count(*) from asignaciones where estado = 'asignada' and id_orden = any(cast(:ids as uuid[]))"
    assert platform.sql("conductores", holding, ids=ids) == [(dispatched,)]
