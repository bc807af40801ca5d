"""The live view, driven by its keys: what is on the screen when the cluster changes, goes away and comes back."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pulsar
import pytest
from listen_print import Leido
from monitor_app import Monitor
from monitor_source import Mirada
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, TabbedContent
from writer_schemas import Lectura

from tests.monitor_falso import AHORA, ESPERADO, FuenteFalsa, LecturasFalsas, con, estado, sana, stats

CREAR, ORDEN = "ordenes/comando-crear-orden", "00000000-0000-4000-8000-00000000000a"
PARADA = con(sana(), funcion="ordenes/crear-orden", respuesta=estado(running=False, error="no python3"))
Uso = Callable[["Vista"], Awaitable[None]]


class Vista:
    """The view, and what a person sees of it."""

    def __init__(self, monitor: Monitor, piloto: Pilot[int]) -> None:
        self.monitor, self._piloto = monitor, piloto

    @property
    def pantalla(self) -> str:
        return "\n".join(
            "".join(parte.text for parte in tira) for tira in self.monitor.screen._compositor.render_strips()
        )

    async def teclas(self, *teclas: str) -> None:
        await self._piloto.press(*teclas)

    async def abrir(self, topic: str) -> None:
        lugar = self.monitor.query_one("#topics DataTable", DataTable).get_row_index(topic)
        await self.teclas("1", *["down"] * lugar, "enter")

    async def hasta(self, *textos: str, sin: str = "\0") -> None:
        """Until the screen shows all of them."""
        for _ in range(500):
            await self._piloto.pause(0.02)
            if all(texto in self.pantalla for texto in textos) and sin not in self.pantalla:
                return
        raise AssertionError(f"{textos} not shown, or still {sin!r}:\n{self.pantalla}")


def mirar(
    fuente: FuenteFalsa, uso: Uso, lecturas: LecturasFalsas | None = None, size: tuple[int, int] = (140, 30)
) -> None:
    """Uses the view, and quits."""
    lecturas = lecturas or LecturasFalsas({})

    async def todo() -> None:
        monitor = Monitor(fuente, ESPERADO, lecturas, 0.3, 60)
        async with monitor.run_test(size=size) as piloto:
            await uso(Vista(monitor, piloto))
            await piloto.press("q")

    asyncio.run(todo())
    assert lecturas.cerradas.is_set()


def mensaje(topic: str, **datos: object) -> Leido:
    lectura = Lectura({"type": topic.partition("/")[2], "data": datos}, "schema version 0")
    return Leido(topic, topic, "clave", "2026-11-24T10:00:00.000Z", "(1,2,-1,-1)", 0, {}, b"", lectura)


def test_what_changes_in_the_cluster_changes_on_the_screen() -> None:
    fuente = FuenteFalsa(sana())

    async def uso(vista: Vista) -> None:
        await vista.hasta("08:00:00Z http://cluster healthy", CREAR)
        fuente.ahora = PARADA
        await vista.hasta("UNHEALTHY, 1 problems: function ordenes/crear-orden runs 0 of 1 instances: no python3")
        await vista.teclas("3")
        await vista.hasta("Functions 1!", "not running  ordenes/crear-orden", "0/1")
        await vista.teclas("5")
        await vista.hasta("not running  function ordenes/crear-orden runs 0 of 1")
        fuente.ahora = sana(hora=AHORA + 2)
        await vista.hasta("08:00:02Z http://cluster healthy", sin="not running")

    mirar(fuente, uso)


def test_a_topic_that_comes_and_goes_moves_no_other_row_under_the_cursor() -> None:
    fuente = FuenteFalsa(sana())

    async def uso(vista: Vista) -> None:
        await vista.hasta(CREAR)
        await vista.teclas("1", "down", "down")
        tabla = vista.monitor.query_one("#topics DataTable", DataTable)
        antes = tabla.cursor_row, tabla.coordinate_to_cell_key(tabla.cursor_coordinate).row_key.value
        fuente.ahora = con(sana(), "a/nuevo", respuesta=stats())
        await vista.hasta("a/nuevo")
        ahora = tabla.cursor_row, tabla.coordinate_to_cell_key(tabla.cursor_coordinate).row_key.value
        assert (antes[0] + 1, antes[1]) == ahora

    mirar(fuente, uso)


def test_a_cluster_that_goes_away_is_said_and_is_back_by_itself() -> None:
    fuente = FuenteFalsa("http://cluster does not answer: refused")

    async def uso(vista: Vista) -> None:
        await vista.hasta("AWAY: http://cluster does not answer: refused", sin="below")
        fuente.ahora = sana()
        await vista.hasta("healthy", CREAR)
        fuente.ahora = "http://cluster does not answer: gone"
        await vista.hasta("AWAY: http://cluster does not answer: gone; below, how it was at 08:00:00Z", CREAR)
        fuente.ahora = sana(hora=AHORA + 60)
        await vista.hasta("08:01:00Z http://cluster healthy", sin="AWAY")

    mirar(fuente, uso)


def test_a_restart_stays_on_the_screen_for_ten_seconds_of_looks() -> None:
    fuente, funcion = FuenteFalsa(sana()), "ordenes/crear-orden"

    def luego(segundos: float, reinicios: int) -> Mirada:
        return con(sana(hora=AHORA + segundos), funcion=funcion, respuesta=estado(numRestarts=reinicios))

    async def uso(vista: Vista) -> None:
        await vista.hasta("healthy")
        for segundos in (2, 4):
            fuente.ahora = luego(segundos, 1)
            await vista.hasta(f"08:00:0{segundos}Z", f"function {funcion} restarted 1 times")
        for segundos in (13, 15):
            fuente.ahora = luego(segundos, 1)
            await vista.hasta(f"08:00:{segundos}Z")
        await vista.hasta("healthy", sin="restarted")

    mirar(fuente, uso)


@pytest.mark.parametrize("size", [(40, 10), (5, 3)])
def test_a_small_terminal_does_no_harm(size: tuple[int, int]) -> None:
    fuente = FuenteFalsa(PARADA)

    async def uso(vista: Vista) -> None:
        await vista.teclas("1", "down", "enter", "escape", "5", "o", "escape")
        assert not vista.monitor.screen.is_modal

    mirar(fuente, uso, size=size)


def test_a_topics_messages_come_as_they_are_published_and_one_is_shown_whole() -> None:
    mensajes = {CREAR: [mensaje(CREAR, id_orden=ORDEN, user_id=f"ana \x1b[31m{n}") for n in range(300)]}

    async def uso(vista: Vista) -> None:
        await vista.hasta(CREAR)
        await vista.abrir(CREAR)
        await vista.hasta(f"{CREAR}: 200 messages shown, 300 read", "ana \\u001b[31m299")
        mensajes[CREAR].append(mensaje(CREAR, id_orden=ORDEN, user_id="eva"))
        await vista.hasta("200 messages shown, 301 read", '"user_id": "eva"')
        await vista.teclas("enter")
        await vista.hasta('"schema_version": 0,', '"user_id": "eva"')
        await vista.teclas("escape", "escape")
        await vista.hasta("OUT/s")
        await vista.teclas("2", "enter")
        await vista.hasta("conductores/comando-asignar-conductor: 0 messages shown, 0 read")
        await vista.teclas("3")
        await vista.hasta("PROCESSED")

    mirar(FuenteFalsa(sana()), uso, LecturasFalsas(mensajes))


def test_an_orders_messages_are_asked_for_by_its_id() -> None:
    lecturas = LecturasFalsas(
        {ORDEN: [mensaje(CREAR, id_orden=ORDEN), mensaje("ordenes/evento-orden", estado="creada")]}
    )

    async def uso(vista: Vista) -> None:
        await vista.hasta(CREAR)
        await vista.teclas("o", "x", "enter")
        await vista.hasta("'x' is no UUID")
        vista.monitor.screen.query_one(Input).value = f" {ORDEN.upper()} "  # pasted
        await vista.teclas("enter")
        await vista.hasta(f"order {ORDEN}: 2 messages shown", "ordenes/evento-orden", '{"estado": "creada"}')

    mirar(FuenteFalsa(sana()), uso, lecturas)


def test_a_broker_that_can_not_be_read_is_tried_again() -> None:
    lecturas = LecturasFalsas({CREAR: [mensaje(CREAR, id_orden=ORDEN)]}, fallos=[pulsar.Timeout("gone")])

    async def uso(vista: Vista) -> None:
        await vista.hasta(CREAR)
        await vista.abrir(CREAR)
        await vista.hasta(f"{CREAR}: away, trying again: Timeout: gone")
        await vista.hasta("1 messages shown, 1 read", sin="away")

    mirar(FuenteFalsa(sana()), uso, lecturas)


@pytest.mark.parametrize("forma", ["ctrl+c", "SIGTERM"])
def test_ctrl_c_and_sigterm_end_it_with_130(forma: str) -> None:
    async def todo() -> None:
        lecturas = LecturasFalsas({})
        monitor = Monitor(FuenteFalsa(sana()), ESPERADO, lecturas, 0.3, 60)
        async with monitor.run_test() as piloto:
            await Vista(monitor, piloto).hasta("healthy")
            if forma == "SIGTERM":
                os.kill(os.getpid(), signal.SIGTERM)
            else:
                await piloto.press(forma)
            await asyncio.to_thread(lecturas.cerradas.wait, 10)
        assert (monitor.return_value, lecturas.cerradas.is_set()) == (130, True)

    asyncio.run(todo())


def test_the_first_sheet_is_that_of_the_topics() -> None:
    async def uso(vista: Vista) -> None:
        assert vista.monitor.query_one(TabbedContent).active == "topics"

    mirar(FuenteFalsa(sana()), uso)
