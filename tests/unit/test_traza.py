"""Traces: what clients send, and what messages carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.comun.codec import derivar, desempaquetar, empaquetar, publicacion
from functions.comun.ids import Id
from functions.comun.mensajes import Mensaje
from functions.comun.traza import PROPIEDAD, Traza, leer, nueva, propiedades
from tests.datos import listo, una_orden

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CAUSA = Id("6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f")


@pytest.mark.parametrize(
    ("traceparent", "traza"),
    [
        (f"00-{ID}-{SPAN}-01", Traza(ID, "01")),
        (f"cc-{ID}-{SPAN}-00", Traza(ID, "00")),
        (f"cc-{ID}-{SPAN}-00-what comes later", Traza(ID, "00")),
        (f"00-{ID}-{SPAN}-01-more", None),
        (f"00-{ID}-{SPAN}-01-", None),
        (f"cc-{ID}-{SPAN}-00.more", None),
        (f"ff-{ID}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{ID}-{'0' * 16}-01", None),
        (f"00-{ID.upper()}-{SPAN}-01", None),
        (f"00-{ID}-{SPAN}", None),
        (f"00-{ID}-{SPAN}-01\n", None),
        ("", None),
        (None, None),
    ],
)
def test_what_is_a_trace_and_what_is_none(traceparent: str | None, traza: Traza | None) -> None:
    assert leer(traceparent) == traza


@given(st.from_regex("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True))
def test_what_is_read_can_be_written(traceparent: str) -> None:
    if traza := leer(traceparent):
        assert leer(propiedades(traza, CAUSA)[PROPIEDAD]) == traza
        assert traza.id in traceparent


def test_a_messages_span_is_the_second_half_of_its_id() -> None:
    assert propiedades(Traza(ID, "01"), CAUSA) == {PROPIEDAD: f"00-{ID}-9e7f0a1b2c3d4e5f-01"}


def test_new_traces_are_traces_and_differ() -> None:
    una, otra = nueva(), nueva()
    assert una != otra
    assert leer(propiedades(una, CAUSA)[PROPIEDAD]) == una


def test_what_a_message_leads_to_is_in_its_trace_and_each_is_a_span_of_its_own() -> None:
    orden = una_orden()
    causa = Mensaje(CAUSA, 1, 1, orden, Traza(ID, "01"))
    salidas = derivar(causa, "ordenes", [orden, listo(orden)])
    assert [leer(salida.propiedades[PROPIEDAD]) for salida in salidas] == [causa.traza, causa.traza]
    assert len({salida.propiedades[PROPIEDAD] for salida in salidas}) == 2
    assert derivar(causa, "ordenes", [orden])[0].propiedades == salidas[0].propiedades, "again: the same span"


def test_what_a_receipt_holds_goes_out_in_the_trace_of_the_message_that_came_again() -> None:
    orden = una_orden()
    salidas = derivar(Mensaje(CAUSA, 1, 1, orden, Traza(ID)), "ordenes", [orden, listo(orden)])
    assert desempaquetar(empaquetar(salidas), Traza(ID)) == salidas
    assert {leer(s.propiedades[PROPIEDAD]) for s in desempaquetar(empaquetar(salidas), Traza("a" * 32))} == {
        Traza("a" * 32)
    }


def test_messages_without_a_trace_lead_to_messages_without() -> None:
    orden = una_orden()
    assert publicacion(CAUSA, 1, "pruebas", orden).propiedades == {}
    assert desempaquetar(empaquetar(derivar(Mensaje(CAUSA, 1, 1, orden), "ordenes", [orden])))[0].propiedades == {}
