"""Watches orders come and end, without being in their way: a sample of them, and all only at the end."""

import time
from types import TracebackType
from typing import Any, Final

import sqlalchemy as sa

from tests.load import siembra
from tests.load.cifras import decir
from tests.plataforma import Plataforma

PASOS: Final = 4
"""Commands of a saga that goes well, in the saga log."""
MUESTRA: Final = 100
PAUSA: Final = 0.05
PAUSA_CORTA: Final = 0.005
"""Between two looks, in s: at the sample, and where a moment must be known well."""
PLAZO_INICIAL: Final = 60
PLAZO: Final = 1200
"""For the first order, and for all, in s."""
LINEA: Final = 2.0
"""A line of progress so often, in s."""
_HAY: Final = "select exists(select 1 from {tabla} where id_orden = any(cast(:ids as uuid[])))"
_DE_LA_MUESTRA: Final = "select count(*) from {tabla} where id_orden = any(cast(:ids as uuid[]))"
_INICIADAS: Final = """
    select count(*) from ordenes where id_producto = any(cast(:productos as uuid[])) and estado = 'iniciada'"""
_EN_EL_LOG: Final = """
    select count(*) from unnest(cast(:ids as uuid[])) as u(id) join sagalog on id_orden = id
    where evento like 'comando-%'"""


class Vigia:
    """Of orders that do not exist yet."""

    def __init__(self, platform: Plataforma, ids: list[str], productos: list[str]) -> None:
        self.curva: list[tuple[float, float, float]] = []
        """Seconds since the first, and the parts that are iniciada and in the saga log."""
        self._ids, self._productos = ids, productos
        self._muestra = [*ids[:: max(1, len(ids) // MUESTRA)], ids[-1]]
        self._conexiones = {b: siembra.conexion(platform, b) for b in ("ordenes", "ordenes_lectura", "saga")}
        self._primera = 0.0

    def __enter__(self) -> "Vigia":
        return self

    def __exit__(self, tipo: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for conexion in self._conexiones.values():
            conexion.close()

    def primera(self) -> float:
        """When one of the first is in a table."""
        primeras, limite = self._ids[:MUESTRA], time.monotonic() + PLAZO_INICIAL
        tablas = {"ordenes": "ordenes", "saga": "sagalog"}
        while not any(self._uno(base, _HAY.format(tabla=tabla), ids=primeras) for base, tabla in tablas.items()):
            assert time.monotonic() < limite, f"no order within {PLAZO_INICIAL} s"
            time.sleep(PAUSA_CORTA)
        self._primera = time.monotonic()
        return self._primera

    def todas(self) -> float:
        """When all are iniciada in the read model, and their sagas whole."""
        self._seguir()
        while True:
            momento = time.monotonic()
            iniciadas = self._uno("ordenes_lectura", _INICIADAS, productos=self._productos)
            if iniciadas == len(self._ids) and self._uno("saga", _EN_EL_LOG, ids=self._ids) == PASOS * len(self._ids):
                return momento
            assert momento < self._primera + PLAZO, f"{iniciadas} of {len(self._ids)} orders are iniciada"
            time.sleep(PAUSA_CORTA)

    def _seguir(self) -> None:
        """Until the sample is complete."""
        cuantas, linea = len(set(self._muestra)), LINEA
        while not self.curva or min(self.curva[-1][1:]) < 1:
            en_lectura = _DE_LA_MUESTRA.format(tabla="ordenes") + " and estado = 'iniciada'"
            iniciadas = self._uno("ordenes_lectura", en_lectura, ids=self._muestra)
            pasos = self._uno("saga", _DE_LA_MUESTRA.format(tabla="sagalog"), ids=self._muestra)
            pasado = time.monotonic() - self._primera
            self.curva.append((round(pasado, 3), iniciadas / cuantas, pasos / cuantas / PASOS))
            if pasado > linea:
                decir(f"  {100 * iniciadas // cuantas} % of the orders are iniciada")
                linea = pasado + LINEA
            assert pasado < PLAZO, f"after {PLAZO} s: {self.curva[-1]}"
            time.sleep(PAUSA)

    def _uno(self, base: str, consulta: str, **parametros: Any) -> int:
        return int(self._conexiones[base].execute(sa.text(consulta), parametros).scalar_one())
