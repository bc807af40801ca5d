"""Between the BFF and the broker: who publishes together, and the fuse."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import pulsar
import pytest

from bff import broker
from bff.broker import Broker, SinBroker
from functions.comun.codec import Publicacion, publicacion
from functions.comun.ids import nuevo
from functions.comun.mensajes import Datos
from tests.datos import un_producto, una_orden
from tests.plataforma import esperar as esperar_a
from tests.pulsar_falso import ClienteFalso, ProductorFalso


class ClienteLento(ClienteFalso):
    """Opens a producer only after `espera` s, or fails after it while `caido`."""

    espera = 0.0
    caido = False
    abiertos = 0

    def create_producer(self, topic: str, **opciones: object) -> ProductorFalso:
        self.abiertos += 1
        time.sleep(self.espera)
        if self.caido:
            raise pulsar.Timeout("TimeOut")
        return super().create_producer(topic, **opciones)


def mensaje(datos: Datos | None = None) -> Publicacion:
    return publicacion(nuevo(), 0, "bff", datos or una_orden())


def resultado(hacer: Callable[[], None]) -> tuple[str, float]:
    """ "ok", "unknown" or "nothing was sent", and after how many seconds."""
    inicio = time.monotonic()
    try:
        hacer()
    except SinBroker as error:
        return ("unknown" if error.enviado else "nothing was sent"), time.monotonic() - inicio
    return "ok", time.monotonic() - inicio


@pytest.fixture
def cliente() -> ClienteLento:
    return ClienteLento()


def test_requests_that_come_at_once_share_one_producer(cliente: ClienteLento) -> None:
    cliente.espera = 0.1
    puente = Broker(cliente)
    with ThreadPoolExecutor(16) as hilos:
        respuestas = list(hilos.map(lambda _: resultado(lambda: puente.publicar(mensaje())), range(16)))
    assert [que for que, _ in respuestas] == ["ok"] * 16
    assert cliente.abiertos == 1
    assert len(cliente.publicados) == 16


def test_what_comes_while_the_broker_stores_a_group_is_the_next_group(cliente: ClienteLento) -> None:
    puente, seguir = Broker(cliente), threading.Event()
    puente.publicar(mensaje())
    empezados: SimpleQueue[int] = SimpleQueue()

    def esperar() -> None:
        empezados.put(len(cliente.publicados))
        seguir.wait(5)

    cliente.estorbo = esperar
    with ThreadPoolExecutor(9) as hilos:
        primera = hilos.submit(resultado, lambda: puente.publicar(mensaje()))
        assert empezados.get(timeout=5) == 1
        demas = [hilos.submit(resultado, lambda: puente.publicar(mensaje())) for _ in range(8)]
        cola = puente._vias["ordenes/comando-crear-orden"].cola
        esperar_a("eight messages in line", lambda: cola.qsize() == 8)
        cliente.vaciados = 0
        seguir.set()
        assert [futura.result(5)[0] for futura in (primera, *demas)] == ["ok"] * 9
    assert len(cliente.publicados) == 10
    assert cliente.vaciados == 2  # a group each


def test_while_the_broker_is_away_nobody_waits_for_more_than_one_try(cliente: ClienteLento) -> None:
    cliente.espera, cliente.caido = float(broker.CONEXION), True
    puente = Broker(cliente)
    with ThreadPoolExecutor(16) as hilos:
        respuestas = list(hilos.map(lambda _: resultado(lambda: puente.publicar(mensaje())), range(16)))
    assert {que for que, _ in respuestas} == {"nothing was sent", "unknown"}  # the first group, and the others
    assert max(segundos for _, segundos in respuestas) < 1.5
    assert cliente.abiertos == 1


def test_a_client_that_never_answers_costs_a_request_so_long_and_no_longer(
    cliente: ClienteLento, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "PACIENCIA", 0.2)
    seguir = threading.Event()

    def nunca() -> None:
        seguir.wait(5)

    cliente.estorbo = nunca
    assert resultado(lambda: Broker(cliente).publicar(mensaje()))[0] == "unknown"
    seguir.set()


def test_after_a_failure_requests_fail_at_once_for_a_moment_and_then_one_tries_again(
    cliente: ClienteLento, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "PAUSA", 0.2)
    cliente.caido = True
    puente = Broker(cliente)
    assert resultado(lambda: puente.publicar(mensaje()))[0] == "unknown"
    assert resultado(lambda: puente.publicar(mensaje()))[0] == "nothing was sent"
    cliente.caido = False
    assert resultado(lambda: puente.publicar(mensaje()))[0] == "nothing was sent"
    time.sleep(0.25)
    assert resultado(lambda: puente.publicar(mensaje()))[0] == "ok"


def test_a_send_that_is_not_confirmed_leads_to_a_new_producer(
    cliente: ClienteLento, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "PAUSA", 0.0)
    puente = Broker(cliente)
    puente.publicar(mensaje())

    def no_confirmar() -> None:
        raise pulsar.Timeout("TimeOut")

    cliente.estorbo = no_confirmar
    assert resultado(lambda: puente.publicar(mensaje()))[0] == "unknown"
    cliente.estorbo = lambda: None
    assert resultado(lambda: puente.publicar(mensaje()))[0] == "ok"
    assert cliente.abiertos == 2


def test_a_topic_that_fails_does_not_close_the_others(cliente: ClienteLento) -> None:
    puente = Broker(cliente)
    puente.publicar(mensaje())
    cliente.caido = True
    assert resultado(lambda: puente.publicar(mensaje(un_producto())))[0] == "unknown"
    assert resultado(lambda: puente.publicar(mensaje()))[0] == "ok"


def test_one_failure_is_one_line_of_log(cliente: ClienteLento, caplog: pytest.LogCaptureFixture) -> None:
    cliente.caido = True
    puente = Broker(cliente)
    for _ in range(5):
        resultado(lambda: puente.publicar(mensaje()))
    assert caplog.messages == ["can't publish to ordenes/comando-crear-orden: TimeOut"]
