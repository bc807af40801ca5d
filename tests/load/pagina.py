"""The report as one page for the browser, which needs no network."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from tests.load import graficas, informe
from tests.load.informe import Tabla

_ESTILO: Final = """
:root { color-scheme: light dark }
body { font: 15px/1.4 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 0 0 2rem } caption { text-align: left; font-weight: 600; padding: .3rem 0 }
th, td { border-bottom: 1px solid #8886; padding: .2rem .7rem; text-align: left }
td + td { font-variant-numeric: tabular-nums }
.graficas { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1.5rem }
figure { margin: 0 }
svg { width: 100% } svg text { font: 12px system-ui, sans-serif } svg text:not([fill]) { fill: currentColor }
svg .titulo { font-weight: 600; font-size: 13px } .eje { stroke: #8886 }
.si { color: #2e8b57 } .no { color: #c0392b }"""


def html(datos: Mapping[str, Any]) -> str:
    metas, *tablas = map(_tabla, informe.tablas(datos))
    dibujos = "".join(f"<figure>{dibujo}</figure>" for dibujo in _graficas(datos["partes"]))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Benchmark</title><style>{_ESTILO}</style>'
        f"<h1>Benchmark</h1><p>{escape(informe.maquina(datos))}</p>"
        f'{metas}<div class="graficas">{dibujos}</div>{"".join(tablas)}</html>\n'
    )


def _tabla(tabla: Tabla) -> str:
    titulo, cabeza, filas = tabla
    arriba = "".join(f"<th>{escape(celda)}</th>" for celda in cabeza)
    cuerpo = "".join(f"<tr>{''.join(map(_celda, fila))}</tr>" for fila in filas)
    return f"<table><caption>{escape(titulo)}</caption><tr>{arriba}</tr>{cuerpo}</table>"


def _celda(celda: str) -> str:
    clase = {"reached": ' class="si"', "not reached": ' class="no"'}.get(celda.partition(":")[0], "")
    return f"<td{clase}>{escape(celda)}</td>"


def _graficas(partes: Mapping[str, Any]) -> Iterator[str]:
    if rondas := partes.get("http", {}).get("rondas"):
        nombres = [str(r["clientes"]) for r in rondas if r["tipo"] == "json"]
        for titulo, campos in (
            ("Over HTTP: orders a second", {"accepted": "aceptadas_s", "ended": "sagas_s"}),
            ("Over HTTP: until the answer, in ms", {"p50": "p50_ms", "p99": "p99_ms"}),
        ):
            series = {
                f"{nombre}, {tipo}": list(enumerate(r[campo] for r in rondas if r["tipo"] == tipo))
                for nombre, campo in campos.items()
                for tipo in ("json", "xml")
            }
            yield graficas.lineas(titulo, series, "clients", nombres)
    if sueltas := partes.get("sueltas"):
        yield graficas.lineas("Single orders: ms each", {"ms": list(enumerate(sueltas["cada_una_ms"]))}, "order")
    if atraso := partes.get("atraso"):
        iniciadas = [(s, 100 * parte) for s, parte, _ in atraso["curva"]]
        pasos = [(s, 100 * parte) for s, _, parte in atraso["curva"]]
        yield graficas.lineas("Backlog: % done", {"iniciada": iniciadas, "saga log": pasos}, "s since the first order")
        yield graficas.barras("Backlog: CPU ms for an order", atraso["cpu_ms"])
        yield graficas.barras("Backlog: bytes stored for an order", atraso["bytes_por_orden"])
    if crecimiento := partes.get("crecimiento"):
        tamanos = crecimiento["tamanos"]
        nombres = [f"{t['guardadas']:,}" for t in tamanos]
        series = {"ms": list(enumerate(t["cpu_ms"] for t in tamanos))}
        yield graficas.lineas("Growth: CPU ms for an order", series, "stored orders", nombres)
        series = {n: list(enumerate(t["p50_ms"][n] for t in tamanos)) for n in informe.CONSULTAS}
        yield graficas.lineas("Growth: until the answer, p50 in ms", series, "stored orders", nombres)
    if huella := partes.get("huella"):
        usada = {n: m["rss"] if m["pss"] is None else m["pss"] for n, m in huella["memoria"].items()}
        yield graficas.barras("Idle: memory in MB (PSS)", usada)
