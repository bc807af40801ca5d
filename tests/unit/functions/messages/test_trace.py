"""Traces: what clients send, and what messages carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.messages.envelope import Message
from functions.messages.ids import Id
from functions.messages.outgoing import derive, pack, to_outgoing, unpack
from functions.messages.trace import PROPERTY, Trace, new, parse, properties
from tests.support.data import listo, make_orden

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CAUSE = Id("6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f")


@pytest.mark.parametrize(
    ("traceparent", "trace"),
    [
        (f"00-{ID}-{SPAN}-01", Trace(ID, "01")),
        (f"cc-{ID}-{SPAN}-00", Trace(ID, "00")),
        (f"cc-{ID}-{SPAN}-00-what comes later", Trace(ID, "00")),
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
def test_what_is_a_trace_and_what_is_none(traceparent: str | None, trace: Trace | None) -> None:
    assert parse(traceparent) == trace


@given(st.from_regex("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True))
def test_what_is_read_can_be_written(traceparent: str) -> None:
    if trace := parse(traceparent):
        assert parse(properties(trace, CAUSE)[PROPERTY]) == trace
        assert trace.id in traceparent


def test_a_messages_span_is_the_second_half_of_its_id() -> None:
    assert properties(Trace(ID, "01"), CAUSE) == {PROPERTY: f"00-{ID}-9e7f0a1b2c3d4e5f-01"}


def test_new_traces_are_traces_and_differ() -> None:
    first, second = new(), new()
    assert first != second
    assert parse(properties(first, CAUSE)[PROPERTY]) == first


def test_what_a_message_leads_to_is_in_its_trace_and_each_is_a_span_of_its_own() -> None:
    orden = make_orden()
    cause = Message(CAUSE, 1, 1, orden, Trace(ID, "01"))
    outputs = derive(cause, "ordenes", [orden, listo(orden)])
    assert [parse(output.properties[PROPERTY]) for output in outputs] == [cause.trace, cause.trace]
    assert len({output.properties[PROPERTY] for output in outputs}) == 2
    assert derive(cause, "ordenes", [orden])[0].properties == outputs[0].properties, "again: the same span"


def test_what_a_receipt_holds_goes_out_in_the_trace_of_the_message_that_came_again() -> None:
    orden = make_orden()
    outputs = derive(Message(CAUSE, 1, 1, orden, Trace(ID)), "ordenes", [orden, listo(orden)])
    assert unpack(pack(outputs), Trace(ID)) == outputs
    assert {parse(s.properties[PROPERTY]) for s in unpack(pack(outputs), Trace("a" * 32))} == {Trace("a" * 32)}


def test_messages_without_a_trace_lead_to_messages_without() -> None:
    orden = make_orden()
    assert to_outgoing(CAUSE, 1, "pruebas", orden).properties == {}
    assert unpack(pack(derive(Message(CAUSE, 1, 1, orden), "ordenes", [orden])))[0].properties == {}
