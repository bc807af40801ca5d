"""Dead letters on the whole platform, with the tool that operators use."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.dlq_helpers import PREFIJO, auditoria, cartas, cliente, correr, dlq, pasos, pedir_orden, publicar
from tests.e2e.test_saga import crear_producto, registrar_conductores, stock
from tests.plataforma import Plataforma, esperar

pytestmark = pytest.mark.e2e


def test_garbage_is_listed_shown_and_discarded(platform: Plataforma) -> None:
    marca = str(uuid4())
    publicado = publicar(platform, "ordenes/comando-verificar-orden", f"\x1b[31m{marca}".encode(), marca, origen=marca)

    def llegada() -> Any:
        todas = cartas(platform, "--function", "verificar-orden")
        return next((carta for carta in todas if carta["message_id"] == publicado), None)

    carta = esperar("the letter", llegada, 60)
    assert carta["function"] == "ordenes/verificar-orden"
    assert carta["topic"] == PREFIJO + "ordenes/comando-verificar-orden"
    assert carta["reason"].startswith("MensajeInvalido: not a ordenes/comando-verificar-orden")
    assert (carta["attempts"], carta["order"]) == (1, None)

    descartar = ("discard", carta["id"], "--reason", f"prueba {marca}", "--operator", "ana")
    assert "nothing is changed without --yes" in dlq(platform, *descartar)
    entera = json.loads(dlq(platform, "show", "--json", carta["id"]))
    assert bytes.fromhex(entera["hex"]) == f"\x1b[31m{marca}".encode()
    assert (entera["key"], entera["properties"]["origen"], entera["message"]) == (marca, marca, None)
    version = entera["properties"]["dlq-schema-version"]
    detalle = dlq(platform, "show", carta["id"])
    assert "\x1b" not in detalle
    assert f"unreadable with schema version {version} of ordenes/comando-verificar-orden" in detalle
    assert "1b 5b 33 31 6d" in detalle

    assert f"discarded {carta['id']}" in dlq(platform, *descartar, "--yes")
    esperado = [("descartado", "ordenes/verificar-orden", "ana", None)]
    esperar("the audit", lambda: auditoria(platform, f"prueba {marca}") == esperado)
    codigo, _, errores = correr(platform, *descartar, "--yes")
    assert (codigo, f"there is no letter {carta['id']}" in errores) == (1, True)


def test_what_a_mended_bug_quarantined_is_redriven_and_changes_things_once(platform: Plataforma) -> None:
    id_producto, veneno = crear_producto(platform, 5), f"veneno-{uuid4()}"
    registrar_conductores(platform, 1)
    platform.sql("ordenes", f"alter table ordenes add constraint sin_veneno check (user_id <> '{veneno}')")
    try:
        id_orden = pedir_orden(platform, id_producto, veneno)
        esperar("the audit", lambda: pasos(platform, id_orden, "evento-cuarentena") == ["en-cuarentena"], 60)
        (carta,) = cartas(platform, "--order", id_orden)
    finally:
        platform.sql("ordenes", "alter table ordenes drop constraint sin_veneno")
    assert (carta["function"], carta["attempts"], carta["order"]) == ("ordenes/crear-orden", 3, id_orden)
    assert "sin_veneno" in carta["reason"]
    entera = json.loads(dlq(platform, "show", "--json", carta["id"]))
    version = entera["properties"]["dlq-schema-version"]
    assert (entera["schema"], entera["problem"]) == (f"schema version {version} of ordenes/comando-crear-orden", None)
    assert (entera["message"]["data"]["user_id"], entera["key"]) == (veneno, id_orden)

    reenviar = ("redrive", "--order", id_orden, "--reason", f"reparado {id_orden}")
    assert f"would redrive {carta['id']} to ordenes/comando-crear-orden" in dlq(platform, *reenviar)
    assert platform.pedir("GET", f"/orders/{id_orden}")[0] == 404

    assert f"redrove {carta['id']}" in dlq(platform, *reenviar, "--yes")
    completa = {"comando-disminuir-stock", "comando-asignar-conductor", "comando-marcar-listo-despacho"}
    esperar("the saga", lambda: completa <= set(pasos(platform, id_orden)), 60)
    esperar("the order", lambda: platform.pedir("GET", f"/orders/{id_orden}")[1].get("estado") == "iniciada")
    esperar("the audit", lambda: len(auditoria(platform, f"reparado {id_orden}")) == 1)
    assert pasos(platform, id_orden, "evento-cuarentena") == ["en-cuarentena", "reenviado"]
    assert cartas(platform, "--order", id_orden) == []

    antes = foto(platform, id_orden, id_producto)
    publicar(platform, "ordenes/comando-crear-orden", bytes.fromhex(entera["hex"]), id_orden)
    otra = pedir_orden(platform, str(uuid4()), veneno)  # the function takes it after the duplicate
    esperar("the next order", lambda: platform.pedir("GET", f"/orders/{otra}")[1].get("estado") == "fallida")
    assert foto(platform, id_orden, id_producto) == antes


def foto(platform: Plataforma, id_orden: str, id_producto: str) -> Any:
    """All that this order has changed."""
    orden = platform.sql("ordenes", "select * from ordenes where id_orden = cast(:id as uuid)", id=id_orden)
    reservas = "select * from reservas where id_orden = cast(:id as uuid)"
    asignaciones = "select * from asignaciones where id_orden = cast(:id as uuid)"
    return (
        orden,
        stock(platform, id_producto),
        platform.sql("productos", reservas, id=id_orden),
        platform.sql("conductores", asignaciones, id=id_orden),
        pasos(platform, id_orden),
    )


def test_letters_by_hand_stay_until_they_are_discarded_and_the_rest_is_left(platform: Plataforma) -> None:
    """Some of many, in a topic that nobody else uses in these tests; the broker forgets nothing of it."""
    marca, topic = uuid4().hex, PREFIJO + "productos/eliminar-producto-dlq"
    with cliente(platform) as abierto:
        productor = abierto.create_producer(topic)
        for numero in range(7):
            productor.send(b"", properties={"dlq-reason": f"{marca} {numero % 2}\x1b[2J\n"})
    mias = ("--function", "productos/eliminar-producto", "--reason-matches", marca)
    codigo, tabla, _ = correr(platform, "list", "--exit-code", *mias)
    assert (codigo, tabla.count(marca), "7 letters:" in tabla, "\x1b" in tabla) == (3, 7, True, False)

    codigo, _, errores = correr(platform, "redrive", *mias, "--yes")
    assert (codigo, errores.count("it does not say where it came from")) == (1, 7)
    impares = ("discard", "--function", "eliminar-producto", "--reason-matches", f"{marca} 1", "--reason", marca)
    assert "discarded 3 letters" in dlq(platform, *impares, "--yes")
    platform.admin("topics", "unload", topic)  # what the broker knows now, it has read from its disk
    assert len(cartas(platform, *mias)) == 4

    with cliente(platform) as abierto:
        ocupado = abierto.subscribe(topic, "cuarentena")
        codigo, _, errores = correr(platform, "list", *mias)
        assert (codigo, f"somebody else is at work on {topic}" in errores) == (1, True)
        ocupado.close()
    assert "discarded 4 letters" in dlq(platform, "discard", *mias, "--reason", marca, "--yes")
    assert correr(platform, "list", "--exit-code", *mias)[:2] == (0, "no dead letters\n")
    esperar("the audit", lambda: len(auditoria(platform, marca)) == 7)
