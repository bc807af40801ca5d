"""The report as rows of tables, for the terminal and for the page; and as text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tests.load.metas import cifra, instancias, juzgar
from tests.load.procesos import de_la_plataforma

Tabla = tuple[str, list[str], list[list[str]]]
"""Title, head, rows."""
CONSULTAS: Final = ("list", "page deep inside", "a customer's newest", "one order")
"""What is asked of the read model while it grows."""


def texto(datos: Mapping[str, Any]) -> str:
    """For the terminal."""
    lineas = [maquina(datos)]
    for titulo, cabeza, filas in tablas(datos):
        anchos = [max(map(len, columna)) for columna in zip(cabeza, *filas, strict=True)]
        lineas += ["", titulo, "", _linea(cabeza, anchos), _linea(["-" * ancho for ancho in anchos], anchos)]
        lineas += [_linea(fila, anchos) for fila in filas]
    return "\n".join(lineas) + "\n"


def maquina(datos: Mapping[str, Any]) -> str:
    m = datos["maquina"]
    return (
        f"{m['fecha']}, version {m['version']}: {m['nucleos']} cores ({m['modelo']}), {m['memoria_gb']} GB, "
        f"Linux {m['kernel']}, Python {m['python']}; load before: {m['carga_antes']}"
    )


def _linea(celdas: Sequence[str], anchos: Sequence[int]) -> str:
    return "  ".join(celda.ljust(ancho) for celda, ancho in zip(celdas, anchos, strict=True)).rstrip()


def tablas(datos: Mapping[str, Any]) -> Iterator[Tabla]:
    partes = datos["partes"]
    yield _metas(partes)
    if errores := datos["errores"]:
        yield "Failed", ["part", "error"], [[parte, error] for parte, error in errores.items()]
    if rondas := partes.get("http", {}).get("rondas"):
        yield _http(rondas)
    if sueltas := partes.get("sueltas"):
        yield _sueltas(sueltas)
    if atraso := partes.get("atraso"):
        yield from _atraso(atraso)
    if techo := partes.get("techo"):
        yield _techo(techo, partes.get("atraso", {}).get("sagas_s"))
    if crecimiento := partes.get("crecimiento"):
        yield _crecimiento(crecimiento["tamanos"])
    if escala := partes.get("escala"):
        yield _escala(escala)
    if huella := partes.get("huella"):
        yield _huella(huella, partes.get("atraso", {}).get("memoria", {}))
    yield _arranque(partes["arranque"] | partes.get("huella", {}).get("otra_vez", {}))


def _metas(partes: Mapping[str, Any]) -> Tabla:
    filas = [
        [
            j.meta.nombre,
            "–" if j.medido is None else cifra(j.medido),
            j.meta.unidad,
            f"{'≥' if j.meta.es_minimo else '≤'} {j.meta.valor:,g}",
            j.meta.original,
            j.veredicto,
        ]
        for j in juzgar(partes)
    ]
    return "Goals", ["what", "measured", "", "goal", "original", "verdict"], filas


def _http(rondas: Sequence[Mapping[str, Any]]) -> Tabla:
    cabeza = ["format", "clients", "accepted/s", "sagas/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "CPU ms/order"]
    cabeza += ["generator's CPU", "iniciada", "answers"]
    filas = []
    for r in rondas:
        latencias = [cifra(r[nombre]) for nombre in ("p50_ms", "p95_ms", "p99_ms", "max_ms")]
        fila = [r["tipo"], str(r["clientes"]), cifra(r["aceptadas_s"]), cifra(r["sagas_s"]), *latencias]
        fila += [cifra(de_la_plataforma(r["cpu_ms"])), f"{100 * r['parte_de_la_carga']:.0f} %"]
        respuestas = ", ".join(f"{n:,} × {estado}" for estado, n in r["respuestas"].items())
        filas.append([*fila, f"{r['iniciadas']:,} of {r['aceptadas']:,}", respuestas])
    return "Over HTTP, closed loop", cabeza, filas


def _sueltas(s: Mapping[str, Any]) -> Tabla:
    nombres = {
        "POST with Prefer: wait=10, until its answer": "espera",
        "POST, until a GET shows iniciada": "mirada",
        "POST, until 202": "aceptada",
    }
    filas = [[que, *(cifra(valor) for valor in s[clave].values())] for que, clave in nombres.items()]
    return "Single orders, one at a time", ["ms", "p50", "p95", "p99", "max"], filas


def _atraso(a: Mapping[str, Any]) -> Iterator[Tabla]:
    filas = [
        ["orders", f"{a['ordenes']:,}"],
        ["s from the first until all are iniciada and in the saga log", cifra(a["segundos"])],
        ["sagas/s", cifra(a["sagas_s"])],
        ["s from the functions' start until the first order", cifra(a["arranque_s"])],
        ["CPU ms for an order, all processes of the platform, until then", cifra(a["cpu_total_ms"])],
    ]
    if "plazo_ms" in a:
        filas.append(["CPU ms for its check two minutes later", cifra(a["plazo_ms"])])
    yield "Backlog", ["what", ""], filas
    por_gasto = sorted(a["cpu_ms"].items(), key=lambda par: -par[1])
    yield "Backlog: CPU ms for an order", ["component", "ms"], [[n, cifra(v)] for n, v in por_gasto]
    guardado = a["bytes_por_orden"].items()
    yield "Backlog: bytes stored for an order", ["where", "bytes"], [[n, f"{v:,.0f}"] for n, v in guardado]


def _techo(t: Mapping[str, Any], del_atraso: float | None) -> Tabla:
    filas = [
        ["broker alone: messages stored, read and acknowledged", cifra(t["broker_ordenes_s"])],
        ["databases alone: statements committed", cifra(t["bases_ordenes_s"])],
        ["ceiling: one after the other", cifra(t["sagas_s"])],
    ]
    if del_atraso is not None:
        filas.append(["backlog", cifra(del_atraso)])
    return f"Ceiling, {t['ordenes']:,} orders", ["what", "orders/s"], filas


def _crecimiento(tamanos: Sequence[Mapping[str, Any]]) -> Tabla:
    cabeza = ["stored orders", "CPU ms/order", "sagas/s", *(f"{nombre}, p50 ms" for nombre in CONSULTAS)]
    filas = [
        [f"{t['guardadas']:,}", cifra(t["cpu_ms"]), cifra(t["sagas_s"]), *(cifra(t["p50_ms"][n]) for n in CONSULTAS)]
        for t in tamanos
    ]
    return "Growth", cabeza, filas


def _escala(e: Mapping[str, Any]) -> Tabla:
    cabeza = ["subscription", "instances", "messages/s", "× the first", "CPU ms/message", "of it the function"]
    cabeza += ["messages out of order", "keys out of order"]
    filas = []
    for r in e["rondas"]:
        veces = r["mensajes_s"] / e["rondas"][0]["mensajes_s"]
        cifras = [r["mensajes_s"], veces, r["cpu_ms"], r["cpu_funcion_ms"]]
        fila = [r["modo"], str(r["paralelismo"]), *map(cifra, cifras)]
        fila.append(f"{100 * r['mensajes_desordenados'] / e['mensajes']:.1f} %")
        filas.append([*fila, f"{100 * r['claves_desordenadas'] / e['claves']:.0f} %"])
    titulo = f"Scale: {e['mensajes']:,} messages of {e['claves']} keys in {e['particiones']} partitions"
    return titulo, cabeza, filas


def _huella(h: Mapping[str, Any], despues: Mapping[str, Any]) -> Tabla:
    cabeza = ["component", "processes", "PSS MB", "RSS MB", "PSS MB after the backlog", "CPU ms each s"]
    funciones = instancias(h["memoria"])
    orden = [*(n for n in h["memoria"] if n not in funciones), *sorted(funciones)]
    filas = []
    for nombre in orden:
        usada, cpu = h["memoria"][nombre], 1000 * h["cpu_por_s"].get(nombre, 0)
        pss, luego = _pss(usada), _pss(despues.get(nombre, {}))
        filas.append([nombre, str(usada["procesos"]), pss, cifra(usada["rss"]), luego, cifra(cpu)])
    return "Idle", cabeza, filas


def _pss(usada: Mapping[str, Any]) -> str:
    return "–" if usada.get("pss") is None else cifra(usada["pss"])


def _arranque(pasos: Mapping[str, float]) -> Tabla:
    return "Start", ["step", "s"], [[nombre, f"{segundos:.1f}"] for nombre, segundos in pasos.items()]
