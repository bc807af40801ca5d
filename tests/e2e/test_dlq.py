"""Dead letters on the whole platform, with the tool that operators use."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.dlq_helpers import PREFIX, audit, client, dead_letters, dlq, publish, request_orden, run, steps
from tests.e2e.test_saga import crear_producto, registrar_conductores, stock
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e


def test_garbage_is_listed_shown_and_discarded(platform: Platform) -> None:
    marker = str(uuid4())
    published_id = publish(
        platform, "ordenes/comando-verificar-orden", f"\x1b[31m{marker}".encode(), marker, origen=marker
    )

    def arrival() -> Any:
        letters = dead_letters(platform, "--function", "verificar-orden")
        return next((dead_letter for dead_letter in letters if dead_letter["message_id"] == published_id), None)

    dead_letter = wait_for("the letter", arrival)
    assert dead_letter["function"] == "ordenes/verificar-orden"
    assert dead_letter["topic"] == PREFIX + "ordenes/comando-verificar-orden"
    assert dead_letter["reason"].startswith("MensajeInvalido: not a ordenes/comando-verificar-orden")
    assert (dead_letter["attempts"], dead_letter["order"]) == (1, None)

    discard = ("discard", dead_letter["id"], "--reason", f"prueba {marker}", "--operator", "ana")
    assert "nothing is changed without --yes" in dlq(platform, *discard)
    shown = json.loads(dlq(platform, "show", "--json", dead_letter["id"]))
    assert bytes.fromhex(shown["hex"]) == f"\x1b[31m{marker}".encode()
    assert (shown["key"], shown["properties"]["origen"], shown["message"]) == (marker, marker, None)
    version = shown["properties"]["dlq-schema-version"]
    detail = dlq(platform, "show", dead_letter["id"])
    assert "\x1b" not in detail
    assert f"unreadable with schema version {version} of ordenes/comando-verificar-orden" in detail
    assert "1b 5b 33 31 6d" in detail

    assert f"discarded {dead_letter['id']}" in dlq(platform, *discard, "--yes")
    expected = [("descartado", "ordenes/verificar-orden", "ana", None)]
    wait_for("the audit", lambda: audit(platform, f"prueba {marker}") == expected)
    code, _, errors = run(platform, *discard, "--yes")
    assert (code, f"there is no letter {dead_letter['id']}" in errors) == (1, True)


def test_what_a_mended_bug_quarantined_is_redriven_and_changes_things_once(platform: Platform) -> None:
    id_producto, poison = crear_producto(platform, 5), f"veneno-{uuid4()}"
    registrar_conductores(platform, 1)
    platform.sql("ordenes", f"alter table ordenes add constraint sin_veneno check (user_id <> '{poison}')")
    try:
        id_orden = request_orden(platform, id_producto, poison)
        wait_for("the audit", lambda: steps(platform, id_orden, "evento-cuarentena") == ["en-cuarentena"])
        (dead_letter,) = dead_letters(platform, "--order", id_orden)
    finally:
        platform.sql("ordenes", "alter table ordenes drop constraint sin_veneno")
    assert (dead_letter["function"], dead_letter["attempts"], dead_letter["order"]) == (
        "ordenes/crear-orden",
        3,
        id_orden,
    )
    assert "sin_veneno" in dead_letter["reason"]
    shown = json.loads(dlq(platform, "show", "--json", dead_letter["id"]))
    version = shown["properties"]["dlq-schema-version"]
    assert (shown["schema"], shown["problem"]) == (f"schema version {version} of ordenes/comando-crear-orden", None)
    assert (shown["message"]["data"]["user_id"], shown["key"]) == (poison, id_orden)

    redrive = ("redrive", "--order", id_orden, "--reason", f"reparado {id_orden}")
    assert f"would redrive {dead_letter['id']} to ordenes/comando-crear-orden" in dlq(platform, *redrive)
    assert platform.request("GET", f"/orders/{id_orden}")[0] == 404

    assert f"redrove {dead_letter['id']}" in dlq(platform, *redrive, "--yes")
    saga_steps = {"comando-disminuir-stock", "comando-asignar-conductor", "comando-marcar-listo-despacho"}
    wait_for("the saga", lambda: saga_steps <= set(steps(platform, id_orden)))
    wait_for("the order", lambda: platform.request("GET", f"/orders/{id_orden}")[1].get("estado") == "iniciada")
    wait_for("the audit", lambda: len(audit(platform, f"reparado {id_orden}")) == 1)
    assert steps(platform, id_orden, "evento-cuarentena") == ["en-cuarentena", "reenviado"]
    assert dead_letters(platform, "--order", id_orden) == []

    before = snapshot(platform, id_orden, id_producto)
    publish(platform, "ordenes/comando-crear-orden", bytes.fromhex(shown["hex"]), id_orden)
    other = request_orden(platform, str(uuid4()), poison)  # the function takes it after the duplicate
    wait_for("the next order", lambda: platform.request("GET", f"/orders/{other}")[1].get("estado") == "fallida")
    assert snapshot(platform, id_orden, id_producto) == before


def snapshot(platform: Platform, id_orden: str, id_producto: str) -> Any:
    """All that this order has changed."""
    orden = platform.sql("ordenes", "select * from ordenes where id_orden = cast(:id as uuid)", id=id_orden)
    reservas = "select * from reservas where id_orden = cast(:id as uuid)"
    asignaciones = "select * from asignaciones where id_orden = cast(:id as uuid)"
    return (
        orden,
        stock(platform, id_producto),
        platform.sql("productos", reservas, id=id_orden),
        platform.sql("conductores", asignaciones, id=id_orden),
        steps(platform, id_orden),
    )


def test_letters_by_hand_stay_until_they_are_discarded_and_the_rest_is_left(platform: Platform) -> None:
    """Some of many, in a topic that nobody else uses in these tests; the broker forgets nothing of it."""
    marker, topic = uuid4().hex, PREFIX + "productos/eliminar-producto-dlq"
    with client(platform) as opened:
        producer = opened.create_producer(topic)
        for number in range(7):
            producer.send(b"", properties={"dlq-reason": f"{marker} {number % 2}\x1b[2J\n"})
    own_filter = ("--function", "productos/eliminar-producto", "--reason-matches", marker)
    code, table, _ = run(platform, "list", "--exit-code", *own_filter)
    assert (code, table.count(marker), "7 letters:" in table, "\x1b" in table) == (3, 7, True, False)

    code, _, errors = run(platform, "redrive", *own_filter, "--yes")
    assert (code, errors.count("it does not say where it came from")) == (1, 7)
    discard_odd = ("discard", "--function", "eliminar-producto", "--reason-matches", f"{marker} 1", "--reason", marker)
    assert "discarded 3 letters" in dlq(platform, *discard_odd, "--yes")
    platform.admin("topics", "unload", topic)  # what the broker knows now, it has read from its disk
    assert len(dead_letters(platform, *own_filter)) == 4

    with client(platform) as opened:
        busy_consumer = opened.subscribe(topic, "cuarentena")
        code, _, errors = run(platform, "list", *own_filter)
        assert (code, f"somebody else is at work on {topic}" in errors) == (1, True)
        busy_consumer.close()
    assert "discarded 4 letters" in dlq(platform, "discard", *own_filter, "--reason", marker, "--yes")
    assert run(platform, "list", "--exit-code", *own_filter)[:2] == (0, "no dead letters\n")
    wait_for("the audit", lambda: len(audit(platform, marker)) == 7)
