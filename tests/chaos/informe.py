"""A chaos run as text."""

import os
import platform as maquina
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from tests.chaos.caos import Resultado
from tests.chaos.invariantes import TODAS
from tests.chaos.registro import mayor_pausa, recuperaciones, vidas

MUESTRA = 10
"""So many violations of one invariant are listed."""
PLAZO = 120
"""In deployment/functions/crear-orden.yaml, in s. What needs it is not lost, but shows that something was."""


def texto(resultado: Resultado) -> str:
    """Markdown."""
    return "\n".join([*_cabeza(resultado), *_fallas(resultado), *_ordenes(resultado), *_invariantes(resultado)]) + "\n"


def _cabeza(r: Resultado) -> Iterator[str]:
    a = r.ajustes
    rotas = sum(map(len, r.violaciones.values()))
    yield "# Chaos: the latest report"
    yield ""
    yield f"Written by `python -m tests.chaos.run`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {_maquina()}."
    yield ""
    veredicto = f"FAILED: {rotas} violations" if rotas else "All invariants hold"
    yield f"**{veredicto}** after {len(r.registro.fallas)} faults"
    yield f"in {a.segundos / 60:g} min (one every {a.cada:g} s on average) while {a.ritmo:g} orders a second were sent."
    yield f"Seed {a.semilla}."
    yield ""


def _maquina() -> str:
    return f"{os.cpu_count()} cores, Linux {maquina.release()}, Python {maquina.python_version()}"


def _fallas(r: Resultado) -> Iterator[str]:
    yield "## Faults and recovery"
    yield ""
    yield "Median / longest, in s, from the kill: until the service was ready again (an instance: its worker sees to"
    yield "it); until an order sent after the kill was accepted; until the first order sent after it had ended."
    yield "Faults overlap, and a time holds what other faults added to it."
    yield ""
    filas = [
        (f.tipo, str(f.cuantas), _par(f.abajo), _par(f.aceptada), _par(f.terminada)) for f in recuperaciones(r.registro)
    ]
    yield from _tabla(("killed", "times", "ready again", "next order accepted", "next order ended"), filas)
    yield ""
    victimas = Counter(f.que for f in r.registro.fallas if f.tipo == "instance")
    yield "Instances killed: " + (", ".join(f"{q} {n}" for q, n in sorted(victimas.items())) or "none") + "."
    yield ""
    pausa, cuando = mayor_pausa(r.registro)
    yield f"Longest stall (no order ended although some were open): {pausa:.1f} s, until second {cuando:.0f}."
    yield f"{'Still not drained' if r.violaciones else 'All drained'} {r.drenaje:.1f} s after the last request."
    yield ""
    yield f"Incidents (what nobody asked for): {len(r.registro.incidentes)}"
    yield from (f"- {incidente}" for incidente in r.registro.incidentes)
    yield ""


def _ordenes(r: Resultado) -> Iterator[str]:
    yield "## Orders"
    yield ""
    ordenes, reg, rep = r.foto.ordenes, r.registro, r.repeticiones
    finales = Counter(f"{o.estado}{f' ({o.motivo})' if o.motivo else ''}" for o in ordenes.values())
    yield from _tabla(("answer", "times"), [(q, str(n)) for q, n in sorted(reg.respuestas.items())])
    yield ""
    yield from _tabla(("end of orders", "number"), [(q, str(n)) for q, n in sorted(finales.items())])
    yield ""
    sin_202 = len(set(map(str, ordenes)) - reg.aceptadas.keys())
    conductores_sin_202 = len(set(map(str, r.foto.conductores)) - reg.conductores)
    yield f"Accepted: {len(reg.aceptadas)} orders, {len(reg.conductores)} drivers. There as well, although no 202"
    yield f"reached the client, or from other tests here: {sin_202} orders, {conductores_sin_202} drivers."
    yield ""
    if duraron := vidas(reg):
        yield f"From the 202 to the end: median {duraron[len(duraron) // 2]:.1f} s, longest {duraron[-1]:.1f} s; longer"
        yield f"than {PLAZO} s, the watchdog's first deadline: {sum(vida > PLAZO for vida in duraron)} orders."
    yield ""
    yield f"- Handed out again by the broker: at least {rep.entregas - rep.mensajes} of {rep.mensajes} messages (the"
    yield "  subscriptions' `msgOutCounter` over all lives of the broker, less what they acknowledged)."
    yield f"- Published again: {sum(rep.repetidos.values())} of {rep.publicados} messages (the same bytes twice in a"
    yield "  topic: processed again after the commit, or sent again because no confirmation came)."
    yield from (f"    - {topic.removeprefix('persistent://')}: {n}" for topic, n in sorted(rep.repetidos.items()))
    yield ""


def _invariantes(r: Resultado) -> Iterator[str]:
    yield "## Invariants"
    yield ""
    reglas = {invariante.__name__: invariante.__doc__ or "" for invariante in TODAS}
    filas = [(regla, str(len(r.violaciones.get(nombre, ())))) for nombre, regla in reglas.items()]
    filas += [(nombre, str(len(v))) for nombre, v in r.violaciones.items() if nombre not in reglas]
    yield from _tabla(("rule", "violations"), filas)
    for nombre, rotas in r.violaciones.items():
        yield f"\n{nombre}:\n"
        yield from (f"- {rota}" for rota in sorted(rotas)[:MUESTRA])


def _par(valores: tuple[float, float] | None) -> str:
    return "–" if valores is None else f"{valores[0]:.1f} / {valores[1]:.1f}"


def _tabla(cabeza: Sequence[str], filas: Sequence[Sequence[str]]) -> Iterator[str]:
    for fila in (cabeza, ["---"] * len(cabeza), *filas):
        yield f"| {' | '.join(fila)} |"
