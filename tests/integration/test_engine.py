"""The engine on a real PostgreSQL: what it does when all goes well, twice, or wrong at each step.

Longer than 200 lines: it mirrors one module, and its tests share the faulty function and the waiting.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pulsar
import pytest
import sqlalchemy as sa

from functions.engine import buffer
from functions.engine import engine as engine_module
from functions.engine.batch import Outputs
from functions.engine.engine import Engine
from functions.engine.handler import BATCH_SIZE
from functions.messages.codec import MAX_BYTES
from functions.messages.ids import new
from functions.messages.outgoing import pack, to_outgoing
from functions.messages.payloads import ComandoCrearOrden as CrearOrdenPayload
from functions.messages.payloads import ComandoRegistrarConductor, Payload
from functions.messages.trace import PROPERTY, Trace, parse
from functions.ordenes.crear_orden import CrearOrden
from functions.ordenes.marcar_listo_despacho import MarcarListoDespacho
from functions.ordenes.revertir_orden_creada import RevertirOrdenCreada
from functions.pulsar_io.errors import SchemaRefused
from functions.saga.registrar_saga import RegistrarSaga
from tests.support.data import listo, make_orden, make_producto, pedir_conductor, pedir_stock, revertir
from tests.support.engines import StartEngine, function, is_waiting_for_lock, receipts, wait_for_acks
from tests.support.engines import context as context_for
from tests.support.fake_pulsar import FakeMessage, raw, received
from tests.support.platform import Platform, wait_for

PEDIR_STOCK = "productos/comando-disminuir-stock"
ONE = make_producto()


class FaultyCrearOrden(CrearOrden):
    """Has a bug with orders of 13 units."""

    def handle(self, tx: Any, batch: Sequence[Any]) -> Outputs:
        outputs = super().handle(tx, batch)
        if any(message.data.cantidad == 13 for message in batch):
            raise ZeroDivisionError("planted")
        return outputs

    handle_new = handle


def test_a_message_is_saved_then_published_then_acknowledged(databases: Platform, start_engine: StartEngine) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    seen: list[tuple[int, int]] = []
    context.client.before_send = lambda: seen.append((receipts(databases), len(context.acks)))
    orden = make_orden()
    running_engine.receive(received(orden))
    wait_for_acks(context, 1)
    assert seen == [(1, 0)] * 3
    assert [m.data.id_orden for m in context.client.messages(PEDIR_STOCK)] == [orden.id_orden]  # type: ignore[attr-defined]
    assert databases.sql("ordenes", "select id_orden::text, estado from ordenes") == [(orden.id_orden, "creada")]


def test_a_redelivered_message_changes_nothing_and_publishes_the_same_ids(
    databases: Platform, start_engine: StartEngine
) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    orden, id_mensaje = make_orden(), new()
    for times in (1, 2):
        running_engine.receive(received(orden, id_mensaje))
        wait_for_acks(context, times)
    first, second = context.client.messages(PEDIR_STOCK)
    assert first == second
    assert databases.sql("ordenes", "select version from ordenes") == [(1,)]


def test_what_was_done_is_measured_once_and_what_came_again_is_said_so(
    databases: Platform, start_engine: StartEngine
) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    messages = [received(make_orden(), new()) for _ in range(3)]
    running_engine._process_batch(messages)
    running_engine._process_batch([*messages, received(make_orden()), raw("ordenes/comando-crear-orden", b"garbage")])
    metrics = context.metrics
    assert (metrics["orders_creada"], metrics["batch_messages"]) == (4, 8)
    assert (metrics["duplicates"], metrics["quarantined"], metrics["infrastructure_failures"]) == (3, 1, 0)
    assert metrics["transaction_seconds"] > 0
    assert metrics["publish_seconds"] > 0


@pytest.mark.parametrize(
    ("error", "metric"),
    [(pulsar.Timeout("away"), "infrastructure_failures"), (SchemaRefused("x", "9"), "schema_refusals")],
)
def test_what_holds_a_function_up_is_measured(
    databases: Platform, start_engine: StartEngine, error: Exception, metric: str
) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    failures = [error]

    def before_send() -> None:
        if failures:
            raise failures.pop()

    context.client.before_send = before_send
    running_engine._process_batch([received(make_orden())])
    assert len(context.acks) == 1
    failure_metrics = ("infrastructure_failures", "schema_refusals")
    assert {name: context.metrics[name] for name in failure_metrics} == dict.fromkeys(failure_metrics, 0) | {metric: 1}


def test_a_canary_works_under_its_functions_name_so_a_redelivery_to_it_changes_nothing(
    databases: Platform, start_engine: StartEngine
) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    canary_context = context_for(databases, "crear-orden")
    canary_context.function, canary_context.config["FUNCION"] = "crear-orden-canary", "crear-orden"
    canary = Engine(CrearOrden(), canary_context)
    try:
        orden, id_mensaje = make_orden(), new()
        running_engine.receive(received(orden, id_mensaje))
        wait_for_acks(context, 1)
        canary.receive(received(orden, id_mensaje))
        wait_for_acks(canary_context, 1)
    finally:
        canary.stop()
    assert context.client.messages(PEDIR_STOCK) == canary_context.client.messages(PEDIR_STOCK)
    assert databases.sql("ordenes", "select funcion from recibos") == [("crear-orden",)]
    assert databases.sql("ordenes", "select version from ordenes") == [(1,)]


def test_copies_of_a_message_in_one_batch_count_once(databases: Platform, start_engine: StartEngine) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    orden, id_mensaje = make_orden(), new()
    running_engine._process_batch([received(orden, id_mensaje) for _ in range(5)])
    assert len(context.acks) == 5
    assert len(context.client.messages(PEDIR_STOCK)) == 1


def test_of_copies_that_differ_the_first_one_counts(databases: Platform, start_engine: StartEngine) -> None:
    """As of one Idempotency-Key, of which each request has its own time: the saga's steps come after the first."""
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    orden, id_mensaje = make_orden(), new()
    copies = [replace(orden, time_stamp=orden.time_stamp + timedelta(seconds=n)) for n in range(3)]
    running_engine._process_batch([received(clone, id_mensaje) for clone in copies])
    assert len(context.acks) == 3
    assert databases.sql("ordenes", "select time_stamp from ordenes") == [(orden.time_stamp,)]


def test_a_batch_of_many_is_one_transaction(databases: Platform, start_engine: StartEngine) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    running_engine._process_batch([received(make_orden()) for _ in range(BATCH_SIZE)])
    assert len(context.acks) == BATCH_SIZE
    assert databases.sql("ordenes", "select count(distinct xmin::text), count(*) from ordenes") == [(1, BATCH_SIZE)]


def test_a_function_that_may_be_late_waits_for_more_messages(databases: Platform, start_engine: StartEngine) -> None:
    sizes: list[int] = []

    class PatientFunction(RegistrarSaga):
        linger = 0.5

        def handle(self, tx: Any, batch: Sequence[Any]) -> Outputs:
            sizes.append(len(batch))
            return super().handle(tx, batch)

    running_engine, context = start_engine(PatientFunction(), "registrar-saga")
    running_engine.receive(received(make_orden()))
    wait_for("the first is taken", lambda: running_engine._buffer.size() == 0)
    running_engine.receive(received(make_orden()))
    wait_for_acks(context, 2)
    assert sizes == [2]


def test_nothing_is_acknowledged_until_the_broker_has_confirmed(databases: Platform, start_engine: StartEngine) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    down, attempts = threading.Event(), threading.Semaphore(0)
    down.set()

    def before_send() -> None:
        if down.is_set():
            attempts.release()
            raise pulsar.Timeout("away")

    context.client.before_send = before_send
    running_engine.receive(received(make_orden()))
    for _ in range(6):
        assert attempts.acquire(timeout=10)
    assert (receipts(databases), context.acks) == (1, [])
    down.clear()
    wait_for_acks(context, 1)
    assert databases.sql("ordenes", "select count(*) from ordenes") == [(1,)]


def test_a_lost_database_connection_is_made_again(databases: Platform, start_engine: StartEngine) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    running_engine.receive(received(make_orden()))
    wait_for_acks(context, 1)
    killed = databases.sql(
        "postgres", "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'crear-orden'"
    )
    assert killed
    running_engine.receive(received(make_orden()))
    wait_for_acks(context, 2)
    assert databases.sql("ordenes", "select count(*) from ordenes") == [(2,)]


def test_a_database_without_the_tables_is_waited_for(databases: Platform, start_engine: StartEngine) -> None:
    databases.sql("ordenes", "alter table recibos rename to otra")
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    try:
        running_engine.receive(received(make_orden()))
        wait_for("a few tries", lambda: context.metrics["infrastructure_failures"] > 1)
        assert (context.acks, context.client.published) == ([], [])
    finally:
        databases.sql("ordenes", "alter table otra rename to recibos")
    wait_for_acks(context, 1)


def test_unreadable_bytes_are_quarantined_as_they_came(databases: Platform, start_engine: StartEngine) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    orden = make_orden()
    running_engine._process_batch([raw(orden.topic, b"\xff garbage", origen="x"), received(orden)])
    assert len(context.acks) == 2
    topic, content, message_properties = context.client.published[0]
    assert (topic, content) == ("ordenes/crear-orden-dlq", b"\xff garbage")
    assert message_properties["origen"] == "x"
    assert message_properties["dlq-topic"] == f"persistent://monoliticas/{orden.topic}"
    assert message_properties["dlq-reason"].startswith("MensajeInvalido: not a ordenes/comando-crear-orden")
    assert databases.sql("ordenes", "select id_orden::text from ordenes") == [(orden.id_orden,)]


def test_outputs_are_in_the_trace_of_their_message_also_when_it_comes_again(
    databases: Platform, start_engine: StartEngine
) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    orden, id_mensaje = make_orden(), new()
    for trace in ("a" * 32, "b" * 32):
        entry = to_outgoing(id_mensaje, 1, "bff", orden, Trace(trace))
        running_engine._process_batch([raw(orden.topic, entry.raw, **entry.properties), received(make_orden())])
        seen_traces = [parse(message_properties.get(PROPERTY)) for _, _, message_properties in context.client.published]
        # the deadline of both orders is one message, in the other one's trace
        assert (seen_traces.count(Trace(trace)), seen_traces.count(None)) == (2, 3)
        context.client.published.clear()


def test_properties_that_are_no_text_stop_nothing(databases: Platform, start_engine: StartEngine) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    orden = make_orden()
    readable, garbage = (
        InvalidTextMessage(orden.topic, received(orden).raw.data()),
        InvalidTextMessage(orden.topic, b"garbage"),
    )
    running_engine._process_batch([received(orden).schema.decode_message(message) for message in (readable, garbage)])
    assert context.acks == [garbage.id, readable.id]
    [(content, message_properties)] = [(c, p) for topic, c, p in context.client.published if topic.endswith("-dlq")]
    assert (content, message_properties["dlq-function"]) == (b"garbage", "ordenes/crear-orden")


class InvalidTextMessage(FakeMessage):
    """Other clients can send bytes that are no UTF-8 where text should be."""

    def properties(self) -> dict[str, str]:
        return {"x": b"\xff".decode()}

    def partition_key(self) -> str:
        return b"\xff".decode()


def test_an_impossible_message_is_quarantined_with_the_reason(databases: Platform, start_engine: StartEngine) -> None:
    running_engine, context = start_engine(MarcarListoDespacho(), "marcar-listo-despacho")
    orden = make_orden()
    running_engine._process_batch([received(listo(orden))])
    [(topic, _, message_properties), _] = context.client.published
    assert topic == "ordenes/marcar-listo-despacho-dlq"
    assert f"id_orden is {orden.id_orden}: there is no such order" in message_properties["dlq-reason"]
    assert (message_properties["dlq-attempts"], message_properties["dlq-traceback"]) == ("1", "")
    assert receipts(databases) == 0


def test_the_saga_log_is_told_of_a_quarantined_message_whose_saga_is_known(
    databases: Platform, start_engine: StartEngine
) -> None:
    running_engine, context = start_engine(FaultyCrearOrden(), "crear-orden")
    orden = make_orden(cantidad=13)
    message = received(orden)
    running_engine._process_batch([message])
    running_engine._process_batch([message, raw(orden.topic, b"unreadable")])
    first, second = context.client.messages("saga/evento-cuarentena")
    assert first.id == second.id, "the same message, delivered again, is one step of the saga"
    evento: Any = first.data
    assert (evento.id_orden, evento.transaction_id) == (orden.id_orden, orden.transaction_id)
    assert (evento.funcion, evento.accion, evento.operador) == ("ordenes/crear-orden", "en-cuarentena", None)
    assert (evento.origen, evento.id_mensaje) == (message.raw.topic_name(), str(message.raw.message_id()))
    assert evento.motivo == "ZeroDivisionError: planted"


def test_a_message_that_is_too_big_is_quarantined(databases: Platform, start_engine: StartEngine) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    running_engine._process_batch([received(make_orden(direccion_entrega="x" * MAX_BYTES)), received(make_orden())])
    assert len(context.acks) == 2
    [message_properties] = [p for topic, _, p in context.client.published if topic.endswith("-dlq")]
    assert f"at most {MAX_BYTES} are allowed" in message_properties["dlq-reason"]


def test_a_message_in_a_schema_version_that_nobody_knows_is_quarantined(
    databases: Platform, start_engine: StartEngine
) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    unknown_version, good = received(make_orden()), make_orden()
    unknown_version.raw.version = 99
    running_engine._process_batch([unknown_version, received(good)])
    assert len(context.acks) == 2
    [message_properties] = [p for topic, _, p in context.client.published if topic.endswith("-dlq")]
    assert (
        "schema version 99 of persistent://monoliticas/ordenes/comando-crear-orden is not registered"
        in (message_properties["dlq-reason"])
    )
    assert message_properties["dlq-schema-version"] == "99"


def test_few_messages_that_are_too_big_are_in_memory_at_once(
    databases: Platform, start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffer, "MAX_OVERSIZED", 3)
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    opened = threading.Event()
    context.client.before_send = lambda: assert_open(opened)
    seen: list[int] = []

    def send() -> None:
        for number in range(10):
            running_engine.receive(received(make_orden(direccion_entrega="x" * MAX_BYTES)))
            seen.append(number)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    wait_for("three", lambda: len(seen) == 3)
    thread.join(0.2)
    assert len(seen) == 3
    opened.set()
    wait_for_acks(context, 10)


def test_a_bug_on_one_message_does_not_hold_up_the_others(databases: Platform, start_engine: StartEngine) -> None:
    running_engine, context = start_engine(FaultyCrearOrden(), "crear-orden")
    good, bad = [make_orden() for _ in range(20)], make_orden(cantidad=13)
    running_engine._process_batch([received(orden) for orden in [*good[:7], bad, *good[7:]]])
    assert len(context.acks) == 21
    assert {row[0] for row in databases.sql("ordenes", "select id_orden::text from ordenes")} == {
        o.id_orden for o in good
    }
    [message_properties] = [p for topic, _, p in context.client.published if topic.endswith("-dlq")]
    assert "planted" in message_properties["dlq-traceback"]
    assert message_properties["dlq-attempts"] == str(engine_module.MAX_ATTEMPTS)


def test_a_value_that_the_database_refuses_is_quarantined(databases: Platform, start_engine: StartEngine) -> None:
    databases.sql("ordenes", "alter table ordenes add constraint prueba check (cantidad <> 13)")
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    try:
        running_engine._process_batch([received(make_orden(cantidad=13)), received(make_orden())])
    finally:
        databases.sql("ordenes", "alter table ordenes drop constraint prueba")
    assert len(context.acks) == 2
    [message_properties] = [p for topic, _, p in context.client.published if topic.endswith("-dlq")]
    assert "IntegrityError" in message_properties["dlq-reason"] or "23514" in message_properties["dlq-reason"]


def test_two_instances_at_the_same_messages_do_them_once(databases: Platform, start_engine: StartEngine) -> None:
    messages = [received(make_orden()) for _ in range(200)]
    engines = [start_engine(CrearOrden(), "crear-orden") for _ in range(2)]
    for running_engine, _ in engines:
        for message in messages:
            running_engine.receive(message)
    for _, context in engines:
        wait_for_acks(context, 200)
    assert databases.sql("ordenes", "select count(*), max(version) from ordenes") == [(200, 1)]
    first, second = (sorted(c.client.messages(PEDIR_STOCK), key=lambda m: m.id) for _, c in engines)
    assert first == second


def test_new_messages_among_some_that_came_again_are_done_and_those_publish_what_they_did(
    databases: Platform, start_engine: StartEngine
) -> None:
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    earlier, added = ([received(make_orden()) for _ in range(3)] for _ in range(2))
    running_engine._process_batch(earlier)
    first = {m.id for m in context.client.messages(PEDIR_STOCK)}
    context.client.published.clear()
    running_engine._process_batch([*earlier, *added])
    requests = {m.id for m in context.client.messages(PEDIR_STOCK)}
    assert (len(requests), first < requests) == (6, True)
    assert databases.sql("ordenes", "select count(*), max(version) from ordenes") == [(6, 1)]
    assert context.metrics["duplicates"] == 3


@pytest.mark.parametrize(
    ("name", "message", "database", "query"),
    [
        ("crear-orden", lambda orden: orden, "ordenes", "select version, 'creada' from ordenes"),
        ("disminuir-stock", pedir_stock, "productos", "select stock, estado from productos cross join reservas"),
        ("asignar-conductor", pedir_conductor, "conductores", "select count(*), min(estado) from asignaciones"),
    ],
)
def test_what_another_message_has_created_is_found_and_not_done_again(
    databases: Platform,
    start_engine: StartEngine,
    name: str,
    message: Callable[[CrearOrdenPayload], Payload],
    database: str,
    query: str,
) -> None:
    orden, other = (make_orden(id_producto=ONE.id_producto, cantidad=1) for _ in range(2))
    start_engine(function("crear-producto"), "crear-producto")[0]._process_batch([received(ONE)])
    registrations = [received(ComandoRegistrarConductor(new(), None)) for _ in range(3)]
    start_engine(function("registrar-conductor"), "registrar-conductor")[0]._process_batch(registrations)
    running_engine, context = start_engine(function(name), name)
    running_engine._process_batch([received(message(orden))])
    before, step = databases.sql(database, query), context.client.published[0]
    context.client.published.clear()
    running_engine._process_batch([received(message(orden))])
    assert databases.sql(database, query) == before
    [(topic, _, _)] = context.client.published
    assert topic == step[0], "the saga's next step is asked for again"
    running_engine._process_batch([received(message(orden)), received(message(other))])
    assert len(context.acks) == 4
    assert not any(topic.endswith("-dlq") for topic, _, _ in context.client.published)
    free = databases.sql("conductores", "select count(*) from conductores where libre")[0][0]
    assert free == (1 if name == "asignar-conductor" else 3)


def test_a_message_at_which_another_instance_is_at_work_is_waited_for_and_not_done_again(
    databases: Platform, start_engine: StartEngine
) -> None:
    """The other one's transaction, in the middle: its receipt is written and not committed."""
    running_engine, context = start_engine(RevertirOrdenCreada(), "revertir-orden-creada")
    orden = make_orden()
    start_engine(CrearOrden(), "crear-orden")[0]._process_batch([received(orden)])
    message = received(revertir(orden))
    with databases.engine("ordenes").connect() as other:
        receipt = "insert into recibos values ('revertir-orden-creada', :id, :salidas)"
        other.execute(sa.text(receipt), {"id": message.message().id, "salidas": pack([])})
        running_engine.receive(message)
        wait_for("the engine waits", lambda: is_waiting_for_lock(databases, "revertir-orden-creada"))
        other.commit()
    wait_for_acks(context, 1)
    assert databases.sql("ordenes", "select estado from ordenes") == [("creada",)]
    assert context.client.published == []


def test_a_full_buffer_holds_the_consumer_back(
    databases: Platform, start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffer, "CAPACITY", 10)
    running_engine, context = start_engine(CrearOrden(), "crear-orden")
    opened = threading.Event()
    context.client.before_send = lambda: assert_open(opened)
    sent = threading.Semaphore(0)

    def send() -> None:
        for _ in range(40):
            running_engine.receive(received(make_orden()))
            sent.release()

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    wait_for("a full buffer", lambda: running_engine._buffer.size() == buffer.CAPACITY)
    thread.join(0.2)
    assert thread.is_alive(), "40 messages fit into a buffer of 10"
    opened.set()
    wait_for_acks(context, 40)


def assert_open(event: threading.Event) -> None:
    if not event.is_set():
        raise pulsar.Timeout("away")
