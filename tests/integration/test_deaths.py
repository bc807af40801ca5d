"""An instance that dies at any line, for every function: another one ends its work, and nothing is lost or doubled."""

from itertools import count

import pytest

from functions.comun.ids import nuevo
from functions.comun.mensajes import CrearOrden, EliminarProducto, RegistrarConductor
from tests.chaos import foto
from tests.chaos.foto import Prometido
from tests.chaos.invariantes import violaciones
from tests.datos import un_producto, una_orden
from tests.mundo import FUNCIONES, Mundo
from tests.plataforma import Plataforma

HAY, NO_HAY = un_producto(stock=100_000), un_producto(stock=0)
CUANTAS = 800
"""Far more messages than lines are executed for one: each line takes one."""


@pytest.mark.parametrize("nombre", FUNCIONES)
def test_a_death_at_any_line_loses_nothing_and_doubles_nothing(postgres: Plataforma, mundo: Mundo, nombre: str) -> None:
    mundo.vaciar()
    ordenes = preparar(mundo, nombre)
    lineas = morir_en_cada_linea(mundo, nombre)
    assert lineas > 30, f"only {lineas} lines: the function was not at work"
    print(f"{nombre}: {lineas} deaths")
    mundo.correr()
    prometido = Prometido([str(o.id_orden) for o in ordenes], [], {str(p.id_producto): p.stock for p in (HAY, NO_HAY)})
    assert violaciones(foto.tomar(postgres, con_broker=False), prometido) == {}


def morir_en_cada_linea(mundo: Mundo, nombre: str) -> int:
    """Dies at the first line with one message, at the second with the next one, …; how many deaths there were."""
    for linea in count(1):
        mensaje = mundo.pendientes(nombre)[:1]
        assert mensaje, f"no message left for line {linea}"
        if not mundo.entregar(nombre, mensaje, muere_en=linea):
            return linea - 1
        if mundo.pendientes(nombre)[:1] == mensaje:
            mundo.entregar(nombre, mensaje)
    raise AssertionError


def preparar(mundo: Mundo, nombre: str) -> list[CrearOrden]:
    """Brings the world to where many messages wait for this function, of orders that end in every way."""
    mundo.broker.enviar(HAY, NO_HAY, *(RegistrarConductor(nuevo(), None) for _ in range(CUANTAS)))
    mundo.correr()
    ordenes = [una_orden(id_producto=p.id_producto, cantidad=1) for _ in range(2 * CUANTAS) for p in (HAY, NO_HAY)]
    if nombre == "liberar-conductor":
        mundo.broker.enviar(*ordenes)
        mundo.correr(sin=["liberar-conductor", "marcar-listo-despacho", "revertir-orden-creada"])
    elif nombre == "verificar-orden":
        mundo.broker.enviar(*ordenes)
        while lote := mundo.pendientes("crear-orden")[:4]:  # each batch has one message with its deadlines
            mundo.entregar("crear-orden", lote)
        mundo.correr(sin=["verificar-orden", "disminuir-stock"])
    elif nombre == "registrar-conductor":
        mundo.broker.enviar(*(RegistrarConductor(nuevo(), "Ana") for _ in range(CUANTAS)))
        return []
    elif nombre in ("crear-producto", "proyectar-producto", "eliminar-producto"):
        otros = [un_producto() for _ in range(CUANTAS)]
        mundo.broker.enviar(*otros)
        mundo.correr(sin=[nombre])
        if nombre == "eliminar-producto":
            mundo.broker.enviar(*(EliminarProducto(p.id_producto) for p in otros))
        return []
    else:
        mundo.broker.enviar(*ordenes)
        mundo.correr(sin=[nombre, "verificar-orden"])
    return ordenes
