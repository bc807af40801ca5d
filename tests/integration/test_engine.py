"""The engine on a real PostgreSQL: what it does when all goes well, twice, or wrong at each step."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pulsar
import pytest
import sqlalchemy as sa

from functions.comun import engine
from functions.comun.codec import BYTES_MAXIMOS, empaquetar, publicacion
from functions.comun.engine import Motor
from functions.comun.ids import nuevo
from functions.comun.lote import Salidas
from functions.comun.mensajes import CrearOrden as CrearOrden_
from functions.comun.mensajes import Datos, RegistrarConductor, VerificarOrden
from functions.comun.publicador import EsquemaRechazado
from functions.comun.traza import PROPIEDAD, Traza, leer
from functions.ordenes.crear_orden import CrearOrden
from functions.ordenes.marcar_listo_despacho import MarcarListoDespacho
from functions.ordenes.revertir_orden_creada import RevertirOrdenCreada
from functions.ordenes.verificar_orden import VerificarOrden as VerificarOrdenes
from functions.saga.registrar_saga import RegistrarSaga
from tests.datos import listo, pedir_conductor, pedir_stock, revertir, un_producto, una_orden
from tests.motores import Iniciar, esperando_un_candado, esperar_acks, funcion, recibos
from tests.motores import contexto as contexto_de
from tests.plataforma import Plataforma, esperar
from tests.pulsar_falso import MensajeFalso, crudo, recibido

PEDIR_STOCK = "productos/comando-disminuir-stock"
UNO = un_producto()


class CrearOrdenConError(CrearOrden):
    """Has a bug with orders of 13 units."""

    def manejar(self, tx: Any, lote: Sequence[Any]) -> Salidas:
        salidas = super().manejar(tx, lote)
        if any(mensaje.data.cantidad == 13 for mensaje in lote):
            raise ZeroDivisionError("planted")
        return salidas

    manejar_nuevos = manejar


def test_a_message_is_saved_then_published_then_acknowledged(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    vistos: list[tuple[int, int]] = []
    contexto.cliente.estorbo = lambda: vistos.append((recibos(bases), len(contexto.acks)))
    orden = una_orden()
    motor.recibir(recibido(orden))
    esperar_acks(contexto, 1)
    assert vistos == [(1, 0)] * 3
    assert [m.data.id_orden for m in contexto.cliente.mensajes(PEDIR_STOCK)] == [orden.id_orden]  # type: ignore[attr-defined]
    assert bases.sql("ordenes", "select id_orden::text, estado from ordenes") == [(orden.id_orden, "creada")]


def test_a_redelivered_message_changes_nothing_and_publishes_the_same_ids(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    orden, id_mensaje = una_orden(), nuevo()
    for veces in (1, 2):
        motor.recibir(recibido(orden, id_mensaje))
        esperar_acks(contexto, veces)
    primero, segundo = contexto.cliente.mensajes(PEDIR_STOCK)
    assert primero == segundo
    assert bases.sql("ordenes", "select version from ordenes") == [(1,)]


def test_what_was_done_is_measured_once_and_what_came_again_is_said_so(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    mensajes = [recibido(una_orden(), nuevo()) for _ in range(3)]
    motor._atender(mensajes)
    motor._atender([*mensajes, recibido(una_orden()), crudo("ordenes/comando-crear-orden", b"garbage")])
    medidas = contexto.medidas
    assert (medidas["orders_creada"], medidas["batch_messages"]) == (4, 8)
    assert (medidas["duplicates"], medidas["quarantined"], medidas["infrastructure_failures"]) == (3, 1, 0)
    assert medidas["transaction_seconds"] > 0
    assert medidas["publish_seconds"] > 0


@pytest.mark.parametrize(
    ("error", "medida"),
    [(pulsar.Timeout("away"), "infrastructure_failures"), (EsquemaRechazado("x", "9"), "schema_refusals")],
)
def test_what_holds_a_function_up_is_measured(
    bases: Plataforma, iniciar: Iniciar, error: Exception, medida: str
) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    fallos = [error]

    def estorbo() -> None:
        if fallos:
            raise fallos.pop()

    contexto.cliente.estorbo = estorbo
    motor._atender([recibido(una_orden())])
    assert len(contexto.acks) == 1
    trabas = ("infrastructure_failures", "schema_refusals")
    assert {nombre: contexto.medidas[nombre] for nombre in trabas} == dict.fromkeys(trabas, 0) | {medida: 1}


def test_a_canary_works_under_its_functions_name_so_a_redelivery_to_it_changes_nothing(
    bases: Plataforma, iniciar: Iniciar
) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    suyo = contexto_de(bases, "crear-orden")
    suyo.funcion, suyo.config["FUNCION"] = "crear-orden-canary", "crear-orden"
    canario = Motor(CrearOrden(), suyo)
    try:
        orden, id_mensaje = una_orden(), nuevo()
        motor.recibir(recibido(orden, id_mensaje))
        esperar_acks(contexto, 1)
        canario.recibir(recibido(orden, id_mensaje))
        esperar_acks(suyo, 1)
    finally:
        canario.detener()
    assert contexto.cliente.mensajes(PEDIR_STOCK) == suyo.cliente.mensajes(PEDIR_STOCK)
    assert bases.sql("ordenes", "select funcion from recibos") == [("crear-orden",)]
    assert bases.sql("ordenes", "select version from ordenes") == [(1,)]


def test_copies_of_a_message_in_one_batch_count_once(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    orden, id_mensaje = una_orden(), nuevo()
    motor._atender([recibido(orden, id_mensaje) for _ in range(5)])
    assert len(contexto.acks) == 5
    assert len(contexto.cliente.mensajes(PEDIR_STOCK)) == 1


def test_of_copies_that_differ_the_first_one_counts(bases: Plataforma, iniciar: Iniciar) -> None:
    """As of one Idempotency-Key, of which each request has its own time: the saga's steps come after the first."""
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    orden, id_mensaje = una_orden(), nuevo()
    copias = [replace(orden, time_stamp=orden.time_stamp + timedelta(seconds=n)) for n in range(3)]
    motor._atender([recibido(copia, id_mensaje) for copia in copias])
    assert len(contexto.acks) == 3
    assert bases.sql("ordenes", "select time_stamp from ordenes") == [(orden.time_stamp,)]


def test_a_batch_of_many_is_one_transaction(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    motor._atender([recibido(una_orden()) for _ in range(engine.LOTE)])
    assert len(contexto.acks) == engine.LOTE
    assert bases.sql("ordenes", "select count(distinct xmin::text), count(*) from ordenes") == [(1, engine.LOTE)]


def test_a_function_that_may_be_late_waits_for_more_messages(bases: Plataforma, iniciar: Iniciar) -> None:
    tamanos: list[int] = []

    class Paciente(RegistrarSaga):
        reposo = 0.5

        def manejar(self, tx: Any, lote: Sequence[Any]) -> Salidas:
            tamanos.append(len(lote))
            return super().manejar(tx, lote)

    motor, contexto = iniciar(Paciente(), "registrar-saga")
    motor.recibir(recibido(una_orden()))
    esperar("the first is taken", motor._cola.empty)
    motor.recibir(recibido(una_orden()))
    esperar_acks(contexto, 2)
    assert tamanos == [2]


def test_nothing_is_acknowledged_until_the_broker_has_confirmed(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    caido, intentos = threading.Event(), threading.Semaphore(0)
    caido.set()

    def estorbo() -> None:
        if caido.is_set():
            intentos.release()
            raise pulsar.Timeout("away")

    contexto.cliente.estorbo = estorbo
    motor.recibir(recibido(una_orden()))
    for _ in range(6):
        assert intentos.acquire(timeout=10)
    assert (recibos(bases), contexto.acks) == (1, [])
    caido.clear()
    esperar_acks(contexto, 1)
    assert bases.sql("ordenes", "select count(*) from ordenes") == [(1,)]


def test_a_lost_database_connection_is_made_again(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    motor.recibir(recibido(una_orden()))
    esperar_acks(contexto, 1)
    matadas = bases.sql(
        "postgres", "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'crear-orden'"
    )
    assert matadas
    motor.recibir(recibido(una_orden()))
    esperar_acks(contexto, 2)
    assert bases.sql("ordenes", "select count(*) from ordenes") == [(2,)]


def test_a_database_without_the_tables_is_waited_for(bases: Plataforma, iniciar: Iniciar) -> None:
    bases.sql("ordenes", "alter table recibos rename to otra")
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    try:
        motor.recibir(recibido(una_orden()))
        esperar("a few tries", lambda: contexto.medidas["infrastructure_failures"] > 1)
        assert (contexto.acks, contexto.cliente.publicados) == ([], [])
    finally:
        bases.sql("ordenes", "alter table otra rename to recibos")
    esperar_acks(contexto, 1)


def test_unreadable_bytes_are_quarantined_as_they_came(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    orden = una_orden()
    motor._atender([crudo(orden.topic, b"\xff garbage", origen="x"), recibido(orden)])
    assert len(contexto.acks) == 2
    topic, contenido, propiedades = contexto.cliente.publicados[0]
    assert (topic, contenido) == ("ordenes/crear-orden-dlq", b"\xff garbage")
    assert propiedades["origen"] == "x"
    assert propiedades["dlq-topic"] == f"persistent://monoliticas/{orden.topic}"
    assert propiedades["dlq-reason"].startswith("MensajeInvalido: not a ordenes/comando-crear-orden")
    assert bases.sql("ordenes", "select id_orden::text from ordenes") == [(orden.id_orden,)]


def test_outputs_are_in_the_trace_of_their_message_also_when_it_comes_again(
    bases: Plataforma, iniciar: Iniciar
) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    orden, id_mensaje = una_orden(), nuevo()
    for traza in ("a" * 32, "b" * 32):
        entrada = publicacion(id_mensaje, 1, "bff", orden, Traza(traza))
        motor._atender([crudo(orden.topic, entrada.crudo, **entrada.propiedades), recibido(una_orden())])
        vistas = [leer(propiedades.get(PROPIEDAD)) for _, _, propiedades in contexto.cliente.publicados]
        # the deadline of both orders is one message, in the other one's trace
        assert (vistas.count(Traza(traza)), vistas.count(None)) == (2, 3)
        contexto.cliente.publicados.clear()


def test_properties_that_are_no_text_stop_nothing(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    orden = una_orden()
    legible, basura = SinTexto(orden.topic, recibido(orden).crudo.data()), SinTexto(orden.topic, b"garbage")
    motor._atender([recibido(orden).esquema.decode_message(mensaje) for mensaje in (legible, basura)])
    assert contexto.acks == [basura.id, legible.id]
    [(contenido, propiedades)] = [(c, p) for topic, c, p in contexto.cliente.publicados if topic.endswith("-dlq")]
    assert (contenido, propiedades["dlq-function"]) == (b"garbage", "ordenes/crear-orden")


class SinTexto(MensajeFalso):
    """Other clients can send bytes that are no UTF-8 where text should be."""

    def properties(self) -> dict[str, str]:
        return {"x": b"\xff".decode()}

    def partition_key(self) -> str:
        return b"\xff".decode()


def test_an_impossible_message_is_quarantined_with_the_reason(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(MarcarListoDespacho(), "marcar-listo-despacho")
    orden = una_orden()
    motor._atender([recibido(listo(orden))])
    [(topic, _, propiedades), _] = contexto.cliente.publicados
    assert topic == "ordenes/marcar-listo-despacho-dlq"
    assert f"id_orden is {orden.id_orden}: there is no such order" in propiedades["dlq-reason"]
    assert (propiedades["dlq-attempts"], propiedades["dlq-traceback"]) == ("1", "")
    assert recibos(bases) == 0


def test_the_saga_log_is_told_of_a_quarantined_message_whose_saga_is_known(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrdenConError(), "crear-orden")
    orden = una_orden(cantidad=13)
    mensaje = recibido(orden)
    motor._atender([mensaje])
    motor._atender([mensaje, crudo(orden.topic, b"unreadable")])
    primera, segunda = contexto.cliente.mensajes("saga/evento-cuarentena")
    assert primera.id == segunda.id, "the same message, delivered again, is one step of the saga"
    evento: Any = primera.data
    assert (evento.id_orden, evento.transaction_id) == (orden.id_orden, orden.transaction_id)
    assert (evento.funcion, evento.accion, evento.operador) == ("ordenes/crear-orden", "en-cuarentena", None)
    assert (evento.origen, evento.id_mensaje) == (mensaje.crudo.topic_name(), str(mensaje.crudo.message_id()))
    assert evento.motivo == "ZeroDivisionError: planted"


def test_only_the_order_of_a_deadline_is_delivered_later(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    motor._atender([recibido(una_orden())])
    assert contexto.cliente.demorados == {"ordenes/comando-verificar-orden"}


def test_at_a_deadline_of_several_orders_those_that_have_not_ended_are_pushed_on(
    bases: Plataforma, iniciar: Iniciar
) -> None:
    ordenes = una, terminada, otra = [una_orden() for _ in range(3)]
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    motor._atender([recibido(orden) for orden in ordenes])
    [plazo] = contexto.cliente.mensajes("ordenes/comando-verificar-orden")
    assert plazo.data == VerificarOrden(una.id_orden, 1, una.transaction_id, [terminada.id_orden, otra.id_orden])
    iniciar(MarcarListoDespacho(), "marcar-listo-despacho")[0]._atender([recibido(listo(terminada))])

    motor, contexto = iniciar(VerificarOrdenes(), "verificar-orden")
    motor._atender([recibido(plazo.data), recibido(VerificarOrden(otra.id_orden, 2, otra.transaction_id))])
    pedidas = [m.data.id_orden for m in contexto.cliente.mensajes(PEDIR_STOCK)]  # type: ignore[attr-defined]
    assert pedidas == [una.id_orden, otra.id_orden, otra.id_orden]
    assert [m.data for m in contexto.cliente.mensajes("ordenes/comando-verificar-orden")] == [
        VerificarOrden(una.id_orden, 2, una.transaction_id, [otra.id_orden]),
        VerificarOrden(otra.id_orden, 3, otra.transaction_id),
    ]


def test_one_order_of_a_deadline_that_nobody_knows_is_an_impossible_message(
    bases: Plataforma, iniciar: Iniciar
) -> None:
    conocida, desconocida = una_orden(), una_orden()
    iniciar(CrearOrden(), "crear-orden")[0]._atender([recibido(conocida)])
    motor, contexto = iniciar(VerificarOrdenes(), "verificar-orden")
    plazo = VerificarOrden(conocida.id_orden, 1, conocida.transaction_id, [desconocida.id_orden])
    motor._atender([recibido(plazo)])
    [(_, propiedades)] = [(t, p) for t, _, p in contexto.cliente.publicados if t == "ordenes/verificar-orden-dlq"]
    assert str(desconocida.id_orden) in propiedades["dlq-reason"]


def test_a_message_that_is_too_big_is_quarantined(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    motor._atender([recibido(una_orden(direccion_entrega="x" * BYTES_MAXIMOS)), recibido(una_orden())])
    assert len(contexto.acks) == 2
    [propiedades] = [p for topic, _, p in contexto.cliente.publicados if topic.endswith("-dlq")]
    assert f"at most {BYTES_MAXIMOS} are allowed" in propiedades["dlq-reason"]


def test_a_message_in_a_schema_version_that_nobody_knows_is_quarantined(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    extrano, buena = recibido(una_orden()), una_orden()
    extrano.crudo.version = 99
    motor._atender([extrano, recibido(buena)])
    assert len(contexto.acks) == 2
    [propiedades] = [p for topic, _, p in contexto.cliente.publicados if topic.endswith("-dlq")]
    assert (
        "schema version 99 of persistent://monoliticas/ordenes/comando-crear-orden is not registered"
        in (propiedades["dlq-reason"])
    )
    assert propiedades["dlq-schema-version"] == "99"


def test_few_messages_that_are_too_big_are_in_memory_at_once(
    bases: Plataforma, iniciar: Iniciar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "GRANDES", 3)
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    abierto = threading.Event()
    contexto.cliente.estorbo = lambda: assert_open(abierto)
    vistos: list[int] = []

    def enviar() -> None:
        for numero in range(10):
            motor.recibir(recibido(una_orden(direccion_entrega="x" * BYTES_MAXIMOS)))
            vistos.append(numero)

    hilo = threading.Thread(target=enviar, daemon=True)
    hilo.start()
    esperar("three", lambda: len(vistos) == 3)
    hilo.join(0.2)
    assert len(vistos) == 3
    abierto.set()
    esperar_acks(contexto, 10)


def test_a_bug_on_one_message_does_not_hold_up_the_others(bases: Plataforma, iniciar: Iniciar) -> None:
    motor, contexto = iniciar(CrearOrdenConError(), "crear-orden")
    buenas, mala = [una_orden() for _ in range(20)], una_orden(cantidad=13)
    motor._atender([recibido(orden) for orden in [*buenas[:7], mala, *buenas[7:]]])
    assert len(contexto.acks) == 21
    assert {fila[0] for fila in bases.sql("ordenes", "select id_orden::text from ordenes")} == {
        o.id_orden for o in buenas
    }
    [propiedades] = [p for topic, _, p in contexto.cliente.publicados if topic.endswith("-dlq")]
    assert "planted" in propiedades["dlq-traceback"]
    assert propiedades["dlq-attempts"] == str(engine.INTENTOS)


def test_a_value_that_the_database_refuses_is_quarantined(bases: Plataforma, iniciar: Iniciar) -> None:
    bases.sql("ordenes", "alter table ordenes add constraint prueba check (cantidad <> 13)")
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    try:
        motor._atender([recibido(una_orden(cantidad=13)), recibido(una_orden())])
    finally:
        bases.sql("ordenes", "alter table ordenes drop constraint prueba")
    assert len(contexto.acks) == 2
    [propiedades] = [p for topic, _, p in contexto.cliente.publicados if topic.endswith("-dlq")]
    assert "IntegrityError" in propiedades["dlq-reason"] or "23514" in propiedades["dlq-reason"]


def test_two_instances_at_the_same_messages_do_them_once(bases: Plataforma, iniciar: Iniciar) -> None:
    mensajes = [recibido(una_orden()) for _ in range(200)]
    motores = [iniciar(CrearOrden(), "crear-orden") for _ in range(2)]
    for motor, _ in motores:
        for mensaje in mensajes:
            motor.recibir(mensaje)
    for _, contexto in motores:
        esperar_acks(contexto, 200)
    assert bases.sql("ordenes", "select count(*), max(version) from ordenes") == [(200, 1)]
    primera, segunda = (sorted(c.cliente.mensajes(PEDIR_STOCK), key=lambda m: m.id) for _, c in motores)
    assert primera == segunda


def test_new_messages_among_some_that_came_again_are_done_and_those_publish_what_they_did(
    bases: Plataforma, iniciar: Iniciar
) -> None:
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    viejos, nuevos = ([recibido(una_orden()) for _ in range(3)] for _ in range(2))
    motor._atender(viejos)
    primera = {m.id for m in contexto.cliente.mensajes(PEDIR_STOCK)}
    contexto.cliente.publicados.clear()
    motor._atender([*viejos, *nuevos])
    pedidos = {m.id for m in contexto.cliente.mensajes(PEDIR_STOCK)}
    assert (len(pedidos), primera < pedidos) == (6, True)
    assert bases.sql("ordenes", "select count(*), max(version) from ordenes") == [(6, 1)]
    assert contexto.medidas["duplicates"] == 3


@pytest.mark.parametrize(
    ("nombre", "mensaje", "base", "consulta"),
    [
        ("crear-orden", lambda orden: orden, "ordenes", "select version, 'creada' from ordenes"),
        ("disminuir-stock", pedir_stock, "productos", "select stock, estado from productos cross join reservas"),
        ("asignar-conductor", pedir_conductor, "conductores", "select count(*), min(estado) from asignaciones"),
    ],
)
def test_what_another_message_has_created_is_found_and_not_done_again(
    bases: Plataforma, iniciar: Iniciar, nombre: str, mensaje: Callable[[CrearOrden_], Datos], base: str, consulta: str
) -> None:
    orden, otra = (una_orden(id_producto=UNO.id_producto, cantidad=1) for _ in range(2))
    iniciar(funcion("crear-producto"), "crear-producto")[0]._atender([recibido(UNO)])
    registrar = [recibido(RegistrarConductor(nuevo(), None)) for _ in range(3)]
    iniciar(funcion("registrar-conductor"), "registrar-conductor")[0]._atender(registrar)
    motor, contexto = iniciar(funcion(nombre), nombre)
    motor._atender([recibido(mensaje(orden))])
    antes, paso = bases.sql(base, consulta), contexto.cliente.publicados[0]
    contexto.cliente.publicados.clear()
    motor._atender([recibido(mensaje(orden))])
    assert bases.sql(base, consulta) == antes
    [(topic, _, _)] = contexto.cliente.publicados
    assert topic == paso[0], "the saga's next step is asked for again"
    motor._atender([recibido(mensaje(orden)), recibido(mensaje(otra))])
    assert len(contexto.acks) == 4
    assert not any(topic.endswith("-dlq") for topic, _, _ in contexto.cliente.publicados)
    libres = bases.sql("conductores", "select count(*) from conductores where libre")[0][0]
    assert libres == (1 if nombre == "asignar-conductor" else 3)


def test_a_message_at_which_another_instance_is_at_work_is_waited_for_and_not_done_again(
    bases: Plataforma, iniciar: Iniciar
) -> None:
    """The other one's transaction, in the middle: its receipt is written and not committed."""
    motor, contexto = iniciar(RevertirOrdenCreada(), "revertir-orden-creada")
    orden = una_orden()
    iniciar(CrearOrden(), "crear-orden")[0]._atender([recibido(orden)])
    mensaje = recibido(revertir(orden))
    with bases.motor("ordenes").connect() as otra:
        recibo = "insert into recibos values ('revertir-orden-creada', :id, :salidas)"
        otra.execute(sa.text(recibo), {"id": mensaje.mensaje().id, "salidas": empaquetar([])})
        motor.recibir(mensaje)
        esperar("the engine waits", lambda: esperando_un_candado(bases, "revertir-orden-creada"))
        otra.commit()
    esperar_acks(contexto, 1)
    assert bases.sql("ordenes", "select estado from ordenes") == [("creada",)]
    assert contexto.cliente.publicados == []


def test_a_full_buffer_holds_the_consumer_back(
    bases: Plataforma, iniciar: Iniciar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOTE", 5)
    motor, contexto = iniciar(CrearOrden(), "crear-orden")
    abierto = threading.Event()
    contexto.cliente.estorbo = lambda: assert_open(abierto)
    enviados = threading.Semaphore(0)

    def enviar() -> None:
        for _ in range(40):
            motor.recibir(recibido(una_orden()))
            enviados.release()

    hilo = threading.Thread(target=enviar, daemon=True)
    hilo.start()
    esperar("a full buffer", lambda: motor._cola.qsize() == 2 * engine.LOTE)
    hilo.join(0.2)
    assert hilo.is_alive(), "40 messages fit into a buffer of 10"
    abierto.set()
    esperar_acks(contexto, 40)


def assert_open(evento: threading.Event) -> None:
    if not evento.is_set():
        raise pulsar.Timeout("away")
