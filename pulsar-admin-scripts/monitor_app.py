"""The live view. Looks again and again, in a thread; a cluster that goes away is waited for."""

import asyncio
import signal
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final

from admin_rest import NoContesta
from monitor_detail import Mensajes, Pregunta
from monitor_health import Queja, quejas
from monitor_messages import Lecturas
from monitor_rows import cuadro
from monitor_source import Esperado, Fuente, Mirada
from monitor_table import CABEZAS, IZQUIERDA, Fila, Hoja, hojas
from rich.text import Text
from terminal import seguro
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable, Footer, Static, TabbedContent, TabPane

VENTANA: Final = 10.0
"""Rates and restarts are those of the last so many seconds, or since the look before if that is longer ago."""
INTERRUMPIDO: Final = 130
"""The exit code of Ctrl-C and SIGTERM."""
PROBLEMAS: Final = "Problems"
TITULOS: Final = {**CABEZAS, PROBLEMAS: ("WHAT",)}


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
        self._hojas: dict[str, tuple[Fila, ...]] = {}
        self._mirando = False

    def compose(self) -> ComposeResult:
        yield Static(id="estado")
        with TabbedContent():
            for titulo in TITULOS:
                with TabPane(titulo, id=_id(titulo)):
                    yield DataTable[Text](cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.action_interrumpir)
        for titulo, cabezas in TITULOS.items():
            for cabeza in ("STATE", *cabezas):
                self._tabla(titulo).add_column(cabeza, key=cabeza)
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
        self.query_one(TabbedContent).active = _id(titulo)
        self._tabla(titulo).focus()

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
        for hoja in [_problemas(malas), *hojas(visto, malas)]:
            self._llenar(hoja)

    def _llenar(self, hoja: Hoja) -> None:
        """Changes what changed, so that cursor and scrolling stay."""
        antes, tabla = self._hojas.get(hoja.titulo, ()), self._tabla(hoja.titulo)
        if antes == hoja.filas:
            return
        self._hojas[hoja.titulo] = hoja.filas
        malas = sum(fila.estado != "ok" for fila in hoja.filas)
        etiqueta = f"{hoja.titulo} {malas}!" if malas else hoja.titulo
        self.query_one(TabbedContent).get_tab(_id(hoja.titulo)).label = etiqueta
        if [fila.clave for fila in antes] != [fila.clave for fila in hoja.filas]:
            self._rehacer(tabla, hoja, antes)
            return
        for vieja, fila in zip(antes, hoja.filas, strict=True):
            if vieja != fila:
                for cabeza, celda in zip(("STATE", *hoja.cabezas), _celdas(hoja, fila), strict=True):
                    tabla.update_cell(fila.clave, cabeza, celda, update_width=True)

    def _rehacer(self, tabla: "DataTable[Text]", hoja: Hoja, antes: Sequence[Fila]) -> None:
        """The cursor stays on what it was on, if that is still there."""
        lugar, claves = tabla.cursor_row, [fila.clave for fila in hoja.filas]
        tabla.clear()
        for fila in hoja.filas:
            tabla.add_row(*_celdas(hoja, fila), key=fila.clave)
        if lugar < len(antes) and antes[lugar].clave in claves:
            lugar = claves.index(antes[lugar].clave)
        tabla.move_cursor(row=min(lugar, len(claves) - 1))

    @on(DataTable.RowSelected)
    def _abrir(self, elegida: DataTable.RowSelected) -> None:
        topic = str(elegida.row_key.value).split(" ")[0]
        if self._antes and topic in self._antes[-1].topics:
            self.push_screen(Mensajes(topic, lambda seguir: self._lecturas.de_topic(topic, seguir)))

    def _estado(self, texto: str, mal: bool = False) -> None:
        self.query_one("#estado", Static).update(Text(seguro(texto), "bold red" if mal else "bold"))

    def _tabla(self, titulo: str) -> "DataTable[Text]":
        return self.query_one(f"#{_id(titulo)} DataTable", DataTable)


def _problemas(malas: Sequence[Queja]) -> Hoja:
    filas = (Fila(f"{q.de} {q.cosa} {q.estado}", q.estado, (seguro(q.texto),)) for q in malas)
    return Hoja(PROBLEMAS, TITULOS[PROBLEMAS], tuple(filas))


def _celdas(hoja: Hoja, fila: Fila) -> list[Text]:
    estilo = "" if fila.estado == "ok" else "bold red"
    lados = ("left", *("left" if cabeza in IZQUIERDA else "right" for cabeza in hoja.cabezas))
    return [Text(c, estilo, justify=lado) for c, lado in zip((fila.estado, *fila.celdas), lados, strict=True)]  # type: ignore[arg-type]


def _id(titulo: str) -> str:
    return titulo.lower().replace(" ", "-")


def _hora(segundos: float) -> str:
    return datetime.fromtimestamp(segundos, UTC).strftime("%H:%M:%SZ")
