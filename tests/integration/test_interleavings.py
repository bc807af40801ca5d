"""Whole sagas in any order that a broker, its clients and dying instances can bring about."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.comun.ids import nuevo
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
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(semilla=st.integers(0, 2**32 - 1))
def test_any_order_of_events_ends_every_saga_and_keeps_every_invariant(
    postgres: Plataforma, mundo: Mundo, semilla: int
) -> None:
    """One number makes the whole story: what is possible next depends on what the functions did before."""
    mundo.vaciar()
    azar = random.Random(semilla)
    ordenes, stock = pedir(mundo, azar)
    for _ in range(azar.randint(5, 60)):
        if not (activas := [nombre for nombre in FUNCIONES if mundo.broker.colas[nombre]]):
            break
        dar_un_paso(mundo, azar, azar.choice(activas))
    mundo.broker.acks_perdidos = False
    mundo.correr()
    prometido = Prometido([str(orden.id_orden) for orden in ordenes], [], stock)
    assert violaciones(foto.tomar(postgres, con_broker=False), prometido) == {}
    assert not [topic for topic, _, _ in mundo.broker.publicados if topic.endswith("-dlq")]


def pedir(mundo: Mundo, azar: random.Random) -> tuple[list[CrearOrden], dict[str, int]]:
    """Products, some of them deleted at some time, drivers, and orders, in any order."""
    productos = [un_producto(stock=azar.randint(0, 6)) for _ in range(2)]
    mundo.broker.enviar(*productos)
    mundo.correr()
    ids = [producto.id_producto for producto in productos] + [nuevo()]
    conductores = [RegistrarConductor(nuevo(), None) for _ in range(azar.randint(0, 4))]
    ordenes = [una_orden(id_producto=azar.choice(ids), cantidad=azar.randint(1, 3)) for _ in range(azar.randint(1, 6))]
    mensajes = [*conductores, *ordenes, *[EliminarProducto(ids[0])] * azar.randint(0, 1)]
    mundo.broker.enviar(*azar.sample(mensajes, len(mensajes)))
    return ordenes, {str(producto.id_producto): producto.stock for producto in productos}


def dar_un_paso(mundo: Mundo, azar: random.Random, nombre: str) -> None:
    """Some of what waits for a function, in any order, some of it twice; or the loss of one message."""
    pendientes = mundo.pendientes(nombre)
    lote = azar.sample(pendientes, min(len(pendientes), azar.randint(1, 8)))
    if nombre in SE_PUEDEN_PERDER and azar.random() < 0.1 and not mundo.a_medias(nombre, lote[0]):
        mundo.broker.acks_perdidos = False
        mundo.broker.reconocer(nombre, lote[0].crudo.message_id())
        return
    lote += lote[: azar.randint(0, 2)]
    mundo.broker.acks_perdidos = azar.random() < 0.2
    mundo.entregar(nombre, lote, muere_en=azar.choice([0, azar.randint(1, 300)]))
