"""The live view. Looks again and again, in a thread; a cluster that goes away is waited for."""

import asyncio
import signal
from collections import deque
from datetime import UTC, datetime
from typing import ClassVar, Final

from monitor_detail import Mensajes, Pregunta
from monitor_figures import cuadro
from monitor_health import quejas
from monitor_messages import Lecturas
from monitor_sheets import TITULOS, Hojas, problemas
from monitor_source import Esperado, Fuente, Mirada
from monitor_table import hojas
from rich.text import Text
from terminal import seguro
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable, Footer, Static

from functions.comun.cluster.admin_rest import NoContesta

VENTANA: Final = 10.0
"""Rates and restarts are those of the last so many seconds, or since the look before if that is longer ago."""
INTERRUMPIDO: Final = 130
"""The exit code of Ctrl-C and SIGTERM."""


class Monitor(App[int]):
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #estado { height: auto; max-height: 3; }
    #mensajes, DataTable { height: 1fr; }
    TabPane { padding: 0; }
    Pregunta { align: center middle; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "interrumpir", show=False, priority=True),
        Binding("o", "orden", "Order"),
        *(Binding(str(numero), f"hoja('{titulo}')", titulo) for numero, titulo in enumerate(TITULOS, 1)),
    ]

    class Vista(Message):
        """From the thread that looks: a look, or why there was none."""

        def __init__(self, mirada: Mirada | str) -> None:
            super().__init__()
            self.mirada = mirada

    def __init__(self, fuente: Fuente, deseado: Esperado, lecturas: Lecturas, cada: float, max_edad: float) -> None:
        super().__init__()
        self._fuente, self._deseado, self._lecturas = fuente, deseado, lecturas
        self._cada, self._max_edad = cada, max_edad
        self._antes: deque[Mirada] = deque()
        self._mirando = False

    def compose(self) -> ComposeResult:
        yield Static(id="estado")
        yield Hojas()
        yield Footer()

    def on_mount(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.action_interrumpir)
        self._estado(f"looking at {self._fuente.url} …")
        self.set_interval(self._cada, self._mirar)
        self._mirar()

    def on_unmount(self) -> None:
        self._lecturas.cerrar()

    def action_interrumpir(self) -> None:
        self.exit(INTERRUMPIDO)

    def action_hoja(self, titulo: str) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.query_one(Hojas).mostrar(titulo)

    def action_orden(self) -> None:
        def elegida(id_orden: str | None) -> None:
            if id_orden:
                self.push_screen(
                    Mensajes(f"order {id_orden}", lambda seguir: self._lecturas.de_orden(id_orden, seguir))
                )

        self.push_screen(Pregunta(), elegida)

    def _mirar(self) -> None:
        if not self._mirando:
            self._mirando = True
            self.run_worker(self._una_mirada, thread=True)

    def _una_mirada(self) -> None:
        try:
            self.post_message(self.Vista(self._fuente.mirar()))
        except NoContesta as error:
            self.post_message(self.Vista(str(error)))

    @on(Vista)
    def _mostrar(self, vista: Vista) -> None:
        self._mirando = False
        if not self.query("#estado"):
            return  # it comes too late: the view is being closed
        if isinstance(mirada := vista.mirada, str):
            ultima = f"; below, how it was at {_hora(self._antes[-1].hora)}" if self._antes else ""
            self._estado(f"AWAY: {mirada}{ultima}", mal=True)
            return
        while len(self._antes) > 1 and mirada.hora - self._antes[0].hora > VENTANA:
            self._antes.popleft()
        visto = cuadro(mirada, self._deseado, self._antes[0] if self._antes else None)
        self._antes.append(mirada)
        malas = quejas(visto, self._max_edad)
        cuenta = f"UNHEALTHY, {len(malas)} problems: {malas[0].texto}" if malas else "healthy"
        self._estado(f"{_hora(mirada.hora)} {self._fuente.url} {cuenta}", mal=bool(malas))
        for hoja in [*hojas(visto, malas), problemas(malas)]:
            self.query_one(Hojas).llenar(hoja)

    @on(DataTable.RowSelected)
    def _abrir(self, elegida: DataTable.RowSelected) -> None:
        topic = str(elegida.row_key.value).split(" ")[0]
        if self._antes and topic in self._antes[-1].topics:
            self.push_screen(Mensajes(topic, lambda seguir: self._lecturas.de_topic(topic, seguir)))

    def _estado(self, texto: str, mal: bool = False) -> None:
        self.query_one("#estado", Static).update(Text(seguro(texto), "bold red" if mal else "bold"))


def _hora(segundos: float) -> str:
    return datetime.fromtimestamp(segundos, UTC).strftime("%H:%M:%SZ")
