"""Whole sagas in any order that a broker, its clients and dying instances can bring about."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.comun.mensajes import CrearOrden, EliminarProducto, RegistrarConductor
from tests.chaos import foto
from tests.chaos.foto import Prometido
from tests.chaos.invariantes import violaciones
from tests.datos import un_producto, una_orden
from tests.mundo import FUNCIONES, Mundo
from tests.plataforma import Plataforma

SE_PUEDEN_PERDER = ("disminuir-stock", "asignar-conductor", "marcar-listo-despacho")
"""What an operator may skip by mistake: the order's deadlines bring it again."""


@settings(
    max_examples=25,
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_order_of_events_ends_every_saga_and_keeps_every_invariant(
    postgres: Plataforma, mundo: Mundo, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    monkeypatch.setattr(foto, "estadisticas", lambda _: {})
    mundo.vaciar()
    ordenes, stock = pedir(mundo, data)
    for _ in range(data.draw(st.integers(5, 60), label="steps")):
        if not (activas := [nombre for nombre in FUNCIONES if mundo.broker.colas[nombre]]):
            break
        dar_un_paso(mundo, data, data.draw(st.sampled_from(activas), label="function"))
    mundo.broker.acks_perdidos = False
    mundo.correr()
    prometido = Prometido([str(orden.id_orden) for orden in ordenes], [], stock)
    assert violaciones(foto.tomar(postgres), prometido) == {}
    assert not [topic for topic, _, _ in mundo.broker.publicados if topic.endswith("-dlq")]


def pedir(mundo: Mundo, data: st.DataObject) -> tuple[list[CrearOrden], dict[str, int]]:
    """Products, some of them deleted at some time, drivers, and orders, in any order."""
    productos = [un_producto(stock=data.draw(st.integers(0, 6), label="stock")) for _ in range(2)]
    mundo.broker.enviar(*productos)
    mundo.correr()
    conductores = [RegistrarConductor(uuid4(), None) for _ in range(data.draw(st.integers(0, 4), label="drivers"))]
    ids = [producto.id_producto for producto in productos] + [uuid4()]
    ordenes = [
        una_orden(id_producto=data.draw(st.sampled_from(ids)), cantidad=data.draw(st.integers(1, 3)))
        for _ in range(data.draw(st.integers(1, 6), label="orders"))
    ]
    borrados = [EliminarProducto(ids[0])] * data.draw(st.integers(0, 1), label="deleted")
    mundo.broker.enviar(*data.draw(st.permutations([*conductores, *ordenes, *borrados])))
    return ordenes, {str(producto.id_producto): producto.stock for producto in productos}


def dar_un_paso(mundo: Mundo, data: st.DataObject, nombre: str) -> None:
    """Some of what waits for a function, in any order, some of it twice; or the loss of one message."""
    lote = data.draw(st.permutations(mundo.pendientes(nombre)))[: data.draw(st.integers(1, 8))]
    if nombre in SE_PUEDEN_PERDER and data.draw(st.integers(0, 9), label="lost") == 0:
        mundo.broker.reconocer(nombre, lote[0].crudo.message_id())
        return
    lote += lote[: data.draw(st.integers(0, 2), label="twice")]
    mundo.broker.acks_perdidos = data.draw(st.integers(0, 4), label="acks lost") == 0
    muere_en = data.draw(st.one_of(st.just(0), st.integers(1, 300)), label="dies at line")
    mundo.entregar(nombre, lote, muere_en)
