"""The decisions about orders."""

import pytest

from functions.comun.mensajes import MensajeInvalido, VerificarOrden
from functions.ordenes import dominio
from tests.datos import liberar, listo, pedir_stock, revertir, una_orden


def test_a_new_order_is_creada_and_asks_for_its_stock() -> None:
    comando = una_orden(cantidad=3)
    orden, salidas = dominio.crear(None, comando)
    assert (orden.estado, orden.version, orden.id_driver, orden.motivo) == ("creada", 1, None, None)
    assert salidas == [
        pedir_stock(comando),
        orden,
        VerificarOrden(comando.id_orden, 1, comando.transaction_id),
    ]


def test_asking_again_for_an_order_that_waits_only_asks_for_its_stock_again() -> None:
    comando = una_orden()
    orden, (pedido, *_) = dominio.crear(None, comando)
    assert dominio.crear(orden, comando) == (orden, [pedido])


def test_a_driver_makes_the_order_iniciada() -> None:
    comando = una_orden()
    orden, _ = dominio.crear(None, comando)
    con_conductor = listo(comando)
    iniciada, salidas = dominio.marcar_listo(orden, con_conductor)
    assert (iniciada.estado, iniciada.id_driver, iniciada.version) == ("iniciada", con_conductor.id_conductor, 2)
    assert salidas == [iniciada]


def test_a_compensation_makes_the_order_fallida_with_the_reason() -> None:
    comando = una_orden()
    orden, _ = dominio.crear(None, comando)
    fallida, salidas = dominio.revertir(orden, revertir(comando))
    assert (fallida.estado, fallida.motivo, fallida.version) == ("fallida", "stock insuficiente", 2)
    assert salidas == [fallida]


@pytest.mark.parametrize("fin", ["iniciada", "fallida"])
def test_an_order_that_has_ended_stays_as_it_is(fin: str) -> None:
    comando = una_orden()
    orden, _ = dominio.crear(None, comando)
    if fin == "iniciada":
        terminada, _ = dominio.marcar_listo(orden, listo(comando))
    else:
        terminada, _ = dominio.revertir(orden, revertir(comando))
    assert dominio.marcar_listo(terminada, listo(comando)) == (terminada, [])
    assert dominio.revertir(terminada, revertir(comando)) == (terminada, [])
    assert dominio.crear(terminada, comando) == (terminada, [])
    for intento in range(1, dominio.INTENTOS + 1):
        plazo = VerificarOrden(comando.id_orden, intento, comando.transaction_id)
        assert dominio.verificar(terminada, plazo) == (terminada, [])


def test_an_order_that_has_not_ended_at_a_deadline_is_pushed_on_and_given_another() -> None:
    comando = una_orden()
    orden, (pedido, _, plazo) = dominio.crear(None, comando)
    assert isinstance(plazo, VerificarOrden)
    siguiente = VerificarOrden(comando.id_orden, 2, comando.transaction_id)
    assert dominio.verificar(orden, plazo) == (orden, [pedido, siguiente])


def test_at_the_last_deadline_the_order_fails_and_what_was_done_for_it_is_undone() -> None:
    comando = una_orden()
    orden, _ = dominio.crear(None, comando)
    fallida, salidas = dominio.verificar(orden, VerificarOrden(orden.id_orden, dominio.INTENTOS, orden.transaction_id))
    assert (fallida.estado, fallida.motivo, fallida.version) == ("fallida", "plazo vencido", 2)
    assert salidas == [fallida, liberar(comando)]


def test_a_batch_asks_once_for_all_its_deadlines_with_its_last_order() -> None:
    comandos = [una_orden() for _ in range(3)]
    salidas = [dominio.crear(None, comando)[1] for comando in comandos]
    juntas = dominio.juntar(salidas)
    primera, *demas = (comando.id_orden for comando in comandos)
    assert juntas[:2] == [lista[:2] for lista in salidas[:2]]
    assert juntas[2] == [*salidas[2][:2], VerificarOrden(primera, 1, comandos[0].transaction_id, demas)]
    assert dominio.juntar(salidas[:1]) == salidas[:1]
    assert dominio.juntar([[]]) == [[]]


def test_an_order_that_does_not_exist_is_an_impossible_message() -> None:
    comando = una_orden()
    with pytest.raises(MensajeInvalido, match=str(comando.id_orden)):
        dominio.marcar_listo(None, listo(comando))
    with pytest.raises(MensajeInvalido, match=str(comando.id_orden)):
        dominio.revertir(None, revertir(comando))
    with pytest.raises(MensajeInvalido, match=str(comando.id_orden)):
        dominio.verificar(None, VerificarOrden(comando.id_orden, 1, comando.transaction_id))
