"""Screens of the live view about messages: of one topic, of one order, and one message whole."""

import json
from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import ClassVar, Final
from uuid import UUID

import pulsar
from listen_print import CABEZAS, Leido, como_fila, objeto
from monitor_messages import Seguir, Tanda
from rich.text import Text
from terminal import seguro
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widgets import DataTable, Footer, Input, Static
from textual.widgets.data_table import RowKey

from functions.comun.cluster.admin_rest import NoContesta

LUGAR: Final = 200
"""Messages that are kept on a screen."""
PAUSA: Final = 1.0
"""After a broker could not be read, in s."""
RITMO: Final = 0.05
"""How often it is looked whether something came, in s."""
ATRAS: Final = Binding("escape", "app.pop_screen", "Back")


class Mensajes(Screen[None]):
    """What `leer` gives, as it comes, until the screen is left."""

    BINDINGS: ClassVar[list[BindingType]] = [ATRAS]

    class Llegada(Message):
        """From the thread that reads. `tanda`: None: it begins anew; a text: why it can't go on."""

        def __init__(self, tanda: Tanda | str | None) -> None:
            super().__init__()
            self.tanda = tanda

    def __init__(self, que: str, leer: Callable[[Seguir], Iterator[Tanda]]) -> None:
        super().__init__()
        self._que, self._leer, self._fin = que, leer, Event()
        self._vistos: dict[RowKey, Leido] = {}
        self._leidos = 0

    def compose(self) -> ComposeResult:
        yield Static(id="estado")
        yield DataTable[Text](id="mensajes", cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        self._tabla.add_columns(*CABEZAS)
        self._tabla.focus()
        self._decir("reading …")
        self.run_worker(self._seguir, thread=True, exit_on_error=False)

    def on_unmount(self) -> None:
        self._fin.set()

    @property
    def _tabla(self) -> "DataTable[Text]":
        return self.query_one("#mensajes", DataTable)

    def _decir(self, estado: str, mal: bool = False) -> None:
        self.query_one("#estado", Static).update(Text(seguro(f"{self._que}: {estado}"), "bold red" if mal else "bold"))

    def _seguir(self) -> None:
        while not self._fin.is_set():
            self.post_message(self.Llegada(None))
            conectada: bool | None = None  # so that the first says that it could be read, even if nothing was there
            try:
                for tanda in self._leer(lambda: not self._fin.is_set()):
                    if tanda.leidos or tanda.conectada != conectada:
                        self.post_message(self.Llegada(tanda))
                        conectada = tanda.conectada
                    else:
                        self._fin.wait(RITMO)
            except (pulsar.PulsarException, NoContesta) as error:
                self.post_message(self.Llegada(f"{type(error).__name__}: {error}"))
                self._fin.wait(PAUSA)

    @on(Llegada)
    def _mostrar(self, llegada: Llegada) -> None:
        match llegada.tanda:
            case None:
                self._tabla.clear()
                self._vistos.clear()
                self._leidos = 0
            case str(motivo):
                self._decir(f"away, trying again: {motivo}", mal=True)
            case Tanda(mensajes, leidos, conectada):
                self._leidos += leidos
                self._agregar(mensajes)
                cuenta = f"{len(self._vistos)} messages shown, {self._leidos} read"
                self._decir(cuenta if conectada else f"{cuenta}; the broker is away, waiting for it", not conectada)

    def _agregar(self, mensajes: Sequence[Leido]) -> None:
        """The newest are the last; a cursor at the end stays there."""
        al_final = self._tabla.cursor_row >= self._tabla.row_count - 1
        for uno in mensajes[-LUGAR:]:
            self._vistos[self._tabla.add_row(*map(Text, como_fila(uno)))] = uno
        for viejo in list(self._vistos)[:-LUGAR]:
            del self._vistos[viejo]
            self._tabla.remove_row(viejo)
        if al_final and mensajes:
            self._tabla.move_cursor(row=self._tabla.row_count - 1)

    @on(DataTable.RowSelected)
    def _abrir(self, elegida: DataTable.RowSelected) -> None:
        self.app.push_screen(Entero(self._vistos[elegida.row_key]))


class Entero(Screen[None]):
    """One message, with all that is known of it."""

    BINDINGS: ClassVar[list[BindingType]] = [ATRAS]

    def __init__(self, uno: Leido) -> None:
        super().__init__()
        self._uno = uno

    def compose(self) -> ComposeResult:
        texto = json.dumps(objeto(self._uno), indent=2, ensure_ascii=False, default=str)
        with VerticalScroll():
            yield Static(Text(seguro(texto, "\n")))
        yield Footer()


class Pregunta(ModalScreen[str | None]):
    """Asks for an order's id."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]

    def compose(self) -> ComposeResult:
        yield Input(placeholder="order id (UUID)")
        yield Static(id="error")

    @on(Input.Submitted)
    def _elegir(self, dado: Input.Submitted) -> None:
        try:
            self.dismiss(str(UUID(dado.value.strip())))
        except ValueError:
            self.query_one("#error", Static).update(Text(f"{dado.value!r} is no UUID", "bold red"))
