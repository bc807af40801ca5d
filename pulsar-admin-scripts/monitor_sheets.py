"""The tables of the live view, each on a sheet of its own."""

from collections.abc import Sequence
from typing import Final

from monitor_health import Queja
from monitor_table import CABEZAS, IZQUIERDA, Fila, Hoja
from rich.text import Text
from terminal import seguro
from textual.app import ComposeResult
from textual.widgets import DataTable, TabbedContent, TabPane

PROBLEMAS: Final = "Problems"
TITULOS: Final = {**CABEZAS, PROBLEMAS: ("WHAT",)}


class Hojas(TabbedContent):
    def __init__(self) -> None:
        super().__init__()
        self._filas: dict[str, tuple[Fila, ...]] = {}

    def compose(self) -> ComposeResult:
        for titulo in TITULOS:
            self.compose_add_child(TabPane(titulo, DataTable[Text](cursor_type="row"), id=_id(titulo)))
        yield from super().compose()

    def on_mount(self) -> None:
        for titulo, cabezas in TITULOS.items():
            for cabeza in ("STATE", *cabezas):
                self._tabla(titulo).add_column(cabeza, key=cabeza)

    def mostrar(self, titulo: str) -> None:
        self.active = _id(titulo)
        self._tabla(titulo).focus()

    def llenar(self, hoja: Hoja) -> None:
        """Changes what changed, so that cursor and scrolling stay."""
        antes, tabla = self._filas.get(hoja.titulo, ()), self._tabla(hoja.titulo)
        if antes == hoja.filas:
            return
        self._filas[hoja.titulo] = hoja.filas
        malas = sum(fila.estado != "ok" for fila in hoja.filas)
        etiqueta = f"{hoja.titulo} {malas}!" if malas else hoja.titulo
        self.get_tab(_id(hoja.titulo)).label = etiqueta
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

    def _tabla(self, titulo: str) -> "DataTable[Text]":
        return self.query_one(f"#{_id(titulo)} DataTable", DataTable)


def problemas(malas: Sequence[Queja]) -> Hoja:
    filas = (Fila(f"{q.de} {q.cosa} {q.estado}", q.estado, (seguro(q.texto),)) for q in malas)
    return Hoja(PROBLEMAS, TITULOS[PROBLEMAS], tuple(filas))


def _celdas(hoja: Hoja, fila: Fila) -> list[Text]:
    estilo = "" if fila.estado == "ok" else "bold red"
    lados = ("left", *("left" if cabeza in IZQUIERDA else "right" for cabeza in hoja.cabezas))
    return [Text(c, estilo, justify=lado) for c, lado in zip((fila.estado, *fila.celdas), lados, strict=True)]  # type: ignore[arg-type]


def _id(titulo: str) -> str:
    return titulo.lower().replace(" ", "-")
