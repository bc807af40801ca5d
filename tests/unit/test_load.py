"""The benchmark's own logic: figures, whose process is whose, the report."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deployment.local import services
from functions.comun.codec import codec
from functions.comun.engine import LOTE
from functions.comun.ids import nuevo
from functions.comun.mensajes import CrearOrden
from tests.load import (
    clientes,
    copia,
    escala,
    graficas,
    informe,
    llenado,
    metas,
    pagina,
    paralelo,
    peticiones,
    siembra,
    techo_broker,
)
from tests.load.cadena import IDS_PRODUCTO, cadenas, por_topic
from tests.load.cifras import latencias, percentil
from tests.load.procesos import CARGA, Fila, atribuir, de_la_plataforma, gastado

DESCARGAS = "/data/functions-worker/download"


@pytest.mark.parametrize(("cuanto", "esperado"), [(50, 5), (95, 10), (90, 9), (99, 10), (1, 1)])
def test_a_percentile_is_one_of_the_values(cuanto: float, esperado: float) -> None:
    assert percentil([10, 3, 2, 1, 5, 4, 7, 6, 9, 8], cuanto) == esperado


def test_latencies_are_in_ms_and_none_without_answers() -> None:
    assert latencias([0.001, 0.002, 0.003]) == {"p50_ms": 2, "p95_ms": 3, "p99_ms": 3, "max_ms": 3}
    assert latencias([]) == {}


def test_a_process_belongs_to_what_its_command_line_or_its_nearest_ancestor_says() -> None:
    instancia = ("python3", "main.py", "--py", f"{DESCARGAS}/monoliticas/ordenes/crear-orden/0/code.whl")
    otra = ("python3", "main.py", "--py", "/other/functions-worker/download/monoliticas/ordenes/crear-orden/0/code.whl")
    filas = [
        Fila(1, 0, ("init",)),
        Fila(10, 1, ("postgres",)),
        Fila(11, 10, ("postgres: checkpointer",)),
        Fila(20, 1, ("java", "LocalFunctionsWorker")),
        Fila(21, 20, instancia),
        Fila(22, 21, ("helper",)),
        Fila(23, 20, ("jspawnhelper",)),
        Fila(30, 1, otra),
        Fila(40, 1, ("python", "-m", "tests.load.run")),
        Fila(41, 40, ("python", "-c", "worker")),
    ]
    raices = {10: "postgres", 20: "functions-worker", 40: CARGA, 99: "bff"}
    assert atribuir(filas, raices, DESCARGAS) == {
        10: "postgres",
        11: "postgres",
        20: "functions-worker",
        21: "crear-orden",
        22: "crear-orden",
        23: "functions-worker",
        40: CARGA,
        41: CARGA,
    }


def test_cpu_is_a_difference_and_the_load_generator_is_not_the_platform() -> None:
    uso = gastado({"bff": 1.0, CARGA: 2.0}, {"bff": 1.5, CARGA: 4.0, "crear-orden": 0.25})
    assert uso == {"bff": 0.5, CARGA: 2.0, "crear-orden": 0.25}
    assert de_la_plataforma(uso) == 0.75


def test_a_request_is_whole_and_says_how_long_it_is() -> None:
    cabeza, _, cuerpo = peticiones.orden("p", 7, Prefer="wait=10").partition(b"\r\n\r\n")
    assert cabeza.startswith(b"POST /orders HTTP/1.1\r\n")
    assert f"\r\nContent-Length: {len(cuerpo)}\r\nPrefer: wait=10".encode() in cabeza
    assert json.loads(cuerpo)["id_producto"] == "p"
    assert peticiones.orden("p", 7, peticiones.XML).endswith(b"</root>")


@pytest.mark.parametrize("nombre", ["Content-Length", "content-length"])
def test_an_answer_is_whole_when_its_last_byte_is_there(nombre: str) -> None:
    respuesta = f"HTTP/1.1 202 Accepted\r\nX: y\r\n{nombre}: 3\r\nZ: 9\r\n\r\nabc".encode()
    assert all(peticiones.completa(respuesta[:hasta]) is None for hasta in range(len(respuesta)))
    assert peticiones.completa(respuesta) == (202, len(respuesta) - 3, len(respuesta))


class Servidor(BaseHTTPRequestHandler):
    """Answers 202 and keeps the connection, but closes it after each tenth answer."""

    protocol_version = "HTTP/1.1"
    wbufsize = 4096  # an answer in one piece
    cuantas = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        self.cuantas += 1
        self.close_connection = self.cuantas % 10 == 0

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def servidor() -> Iterator[tuple[str, int]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Servidor) as http:
        hilo = threading.Thread(target=http.serve_forever, args=(0.01,))
        hilo.start()
        yield "127.0.0.1", http.server_port
        http.shutdown()
        hilo.join()


def test_clients_send_for_a_while_and_begin_again_where_the_server_hangs_up(servidor: tuple[str, int]) -> None:
    ronda = clientes.correr(servidor, 3, [peticiones.orden("p", 1)], 0.3)
    assert ronda.respuestas["202"] > 30
    assert ronda.respuestas["closed"] >= 3
    assert ronda.a_tiempo <= ronda.respuestas["202"] <= ronda.a_tiempo + 3
    assert len(ronda.latencias) == ronda.respuestas["202"]
    assert set(ronda.respuestas) == {"202", "closed"}


def ronda(tipo: str, clientes: int, aceptadas_s: float) -> dict[str, Any]:
    cifras = {"p50_ms": 3.0, "p95_ms": 5.0, "p99_ms": 9.0, "max_ms": 20.0, "parte_de_la_carga": 0.08}
    cuentas = {"aceptadas": 100, "iniciadas": 100, "respuestas": {"202": 100}, "cpu_ms": {"bff": 1.0, CARGA: 0.5}}
    propias = {"tipo": tipo, "clientes": clientes, "aceptadas_s": aceptadas_s, "sagas_s": aceptadas_s / 2}
    return cifras | cuentas | propias


def tamano(guardadas: int, cpu_ms: float) -> dict[str, Any]:
    p50_ms = dict.fromkeys(informe.CONSULTAS, 2.0)
    return {"guardadas": guardadas, "cpu_ms": cpu_ms, "sagas_s": 900.0, "p50_ms": p50_ms}


def resultado() -> dict[str, Any]:
    """As report.json holds it."""
    lat = {"p50_ms": 12.0, "p95_ms": 20.0, "p99_ms": 41.0, "max_ms": 50.0}
    usada = {"procesos": 1, "rss": 80.0, "pss": 50.0}
    atraso = {
        "ordenes": 1000,
        "segundos": 0.5,
        "sagas_s": 2000.0,
        "arranque_s": 1.0,
        "cpu_ms": {"postgres": 0.5, "crear-orden": 0.25, CARGA: 0.1},
        "cpu_total_ms": 0.75,
        "curva": [[0.0, 0.0, 0.1], [0.25, 0.5, 0.6], [0.5, 1.0, 1.0]],
        "bytes_por_orden": {"ordenes": 900.0, "pulsar": 4000.0},
    }
    partes: dict[str, Any] = {
        "arranque": {"up": 12.0, "deploy": 10.0, "first order": 1.0, "total": 23.0},
        "huella": {
            "cpu_por_s": {"bff": 0.001, "crear-orden": 0.002},
            "memoria": {"bff": usada, "crear-orden": usada, "registrar-saga": usada | {"pss": 60.0}},
            "otra_vez": {"down": 5.0, "up again": 10.0, "first order again": 1.0},
        },
        "sueltas": {"espera": lat, "mirada": lat, "aceptada": lat, "cada_una_ms": [12.0, 13.0]},
        "http": {"rondas": [ronda(t, n, 100.0 * n) for t in ("json", "xml") for n in (1, 8)]},
        "techo": {"ordenes": 1000, "broker_ordenes_s": 12e3, "bases_ordenes_s": 6e3, "sagas_s": 4e3},
        "atraso": atraso,
        "crecimiento": {"tamanos": [tamano(1000, 1.5), tamano(100_000, 1.6)], "razon": 1.6 / 1.5},
    }
    maquina = {"fecha": "today", "version": "v", "nucleos": 2, "modelo": "<EPYC>", "memoria_gb": 24.0}
    maquina |= {"kernel": "6", "python": "3.11", "carga_antes": 0.1}
    return {"maquina": maquina, "partes": partes, "errores": {}}


def test_goals_are_reached_or_not_or_were_not_measured() -> None:
    juicios = {juicio.meta.nombre: juicio for juicio in metas.juzgar(resultado()["partes"])}
    assert juicios["backlog"].veredicto == "reached"
    assert juicios["orders accepted over HTTP"].veredicto == "not reached: 800, goal ≥ 1,360"
    assert juicios["a single order until it has ended, p99"].veredicto == "not reached: 41, goal ≤ 40"
    assert juicios["an idle function instance (PSS, mean)"].medido == 55
    assert juicios["backlog, part of the ceiling"].medido == 50
    assert juicios["CPU for an order, with most stored / with least"].veredicto == "reached"


@pytest.mark.parametrize("parte", ["techo", "atraso"])
def test_a_part_of_the_ceiling_needs_both(parte: str) -> None:
    partes = resultado()["partes"]
    del partes[parte]
    juicios = {juicio.meta.nombre: juicio for juicio in metas.juzgar(partes)}
    assert juicios["backlog, part of the ceiling"].veredicto == "not measured"


def test_the_report_shows_what_was_measured_and_what_failed() -> None:
    datos = resultado()
    texto = informe.texto(datos)
    assert "2 cores (<EPYC>)" in texto
    assert "100 of 100" in texto
    assert "Ceiling, 1,000 orders" in texto
    assert "100,000        1.6           900" in texto
    html = pagina.html(datos)
    assert html.count("<svg") == html.count("</svg>") == 9
    assert "&lt;EPYC&gt;" in html
    assert "http" not in html.lower().replace("over http", "").replace("accepted over http", "")
    del datos["partes"]["http"]
    datos["errores"]["http"] = "AssertionError: no"
    assert "AssertionError: no" in informe.texto(datos)
    assert "Over HTTP: orders" not in pagina.html(datos)


def test_one_instance_is_measured_once_and_more_in_each_mode() -> None:
    assert escala.plan((1, 2, 4)) == [("Shared", 1), ("Shared", 2), ("Shared", 4), ("Failover", 2), ("Failover", 4)]


@pytest.mark.parametrize(
    ("filas", "mensajes", "claves"),
    [
        ([], 0, 0),
        ([("a", 7), ("b", 5), ("a", 7), ("b", 6)], 0, 0),  # one transaction, and each key by itself
        ([("a", 7), ("a", 9), ("a", 8), ("a", 8), ("b", 1)], 2, 1),
        ([("a", 2), ("b", 2), ("a", 1), ("b", 1)], 2, 2),
    ],
)
def test_out_of_order_is_what_a_later_transaction_overtook(
    filas: list[tuple[str, int]], mensajes: int, claves: int
) -> None:
    assert escala.fuera_de_orden(filas) == {"mensajes_desordenados": mensajes, "claves_desordenadas": claves}


def test_ids_of_messages_grow_as_they_are_published_and_keys_take_turns() -> None:
    claves = [nuevo(), nuevo()]
    publicados, rango = escala.mensajes(5, claves)
    leidos = [codec(CrearOrden.topic).decodificar(p.crudo) for p in publicados]
    assert [str(mensaje.id) for mensaje in leidos] == sorted(str(mensaje.id) for mensaje in leidos)
    assert rango == {"primero": str(leidos[0].id), "ultimo": str(leidos[-1].id)}
    assert [p.clave for p in publicados] == [str(claves[i % 2]) for i in range(5)]


def test_a_copy_differs_from_the_function_in_name_input_and_instances_only() -> None:
    una = copia.Copia("shared-2", escala.ORIGINAL, CrearOrden.topic, 2, {"retainOrdering": True})
    config = copia.configuracion(una, {"DB_NAME": "saga", "DB_PORT": "1"})
    assert list(config["inputSpecs"]) == ["persistent://monoliticas/escala/shared-2"]
    assert config["inputSpecs"][una.topic]["schemaProperties"] == {"topic": "ordenes/comando-crear-orden"}
    assert config["className"] == "functions.saga.registrar_saga.RegistrarSaga"
    assert (config["namespace"], config["name"], config["parallelism"]) == ("escala", "shared-2", 2)
    assert config["userConfig"] == {"DB_NAME": "saga", "DB_PORT": "1"}
    assert config["retainOrdering"]


def test_the_report_compares_more_instances_with_one() -> None:
    datos = resultado()
    cifras = {"cpu_ms": 0.5, "cpu_funcion_ms": 0.25, "mensajes_desordenados": 0, "claves_desordenadas": 0}
    una = cifras | {"modo": "Shared", "paralelismo": 1, "mensajes_s": 1000.0}
    dos = una | {"paralelismo": 2, "mensajes_s": 1500.0, "mensajes_desordenados": 250, "claves_desordenadas": 40}
    datos["partes"]["escala"] = {"mensajes": 1000, "claves": 50, "particiones": 4, "rondas": [una, dos]}
    texto = informe.texto(datos)
    assert "Scale: 1,000 messages of 50 keys in 4 partitions" in texto
    assert re.search(r"Shared +2 +1,500 +1.5 +0.5 +0.25 +25.0 % +80 %", texto)


def test_lines_and_bars_stay_inside_the_drawing() -> None:
    assert "NaN" not in graficas.lineas("t", {"a": [(0, 0)]}, "x")
    assert 'width="0.0"' in graficas.barras("t", {"a": 0.0, "b": -1.0})


def test_work_is_spread_over_all_cores_and_nobody_is_idle() -> None:
    assert paralelo.repartir({"a": 1, "b": 4, "c": 2, "d": 3}, 2) == [["b", "a"], ["d", "c"]]
    assert paralelo.repartir({"a": 1}, 8) == [["a"]]


def test_orders_that_go_well_have_each_message_that_the_functions_would_send() -> None:
    cuantas = LOTE + 1
    assert {topic: len(lista) for topic, lista in por_topic(list(cadenas(cuantas))).items()} == {
        "ordenes/comando-crear-orden": cuantas,
        "productos/comando-disminuir-stock": cuantas,
        "conductores/comando-asignar-conductor": cuantas,
        "ordenes/comando-marcar-listo-despacho": cuantas,
        "ordenes/evento-orden": 2 * cuantas,
        "productos/evento-producto": len(IDS_PRODUCTO) + 1,
        "ordenes/comando-verificar-orden": 2,
    }


def test_orders_of_the_ceiling_have_ended_and_lower_the_stock() -> None:
    todas = list(cadenas(2 * len(IDS_PRODUCTO)))
    assert {(una.iniciada.estado, una.asignacion.estado, una.reserva.estado) for una in todas} == {
        ("iniciada", "asignada", "reservada")
    }
    assert all(una.iniciada.id_driver == una.asignacion.id_conductor for una in todas)
    assert [todas[0].disminuido.version, todas[-1].disminuido.version] == [2, 3]
    assert todas[-1].disminuido.stock == siembra.STOCK - 2


def test_each_message_is_read_as_often_as_functions_subscribe_to_it() -> None:
    leidas = techo_broker.suscripciones()
    assert leidas["ordenes/comando-crear-orden"] == ["crear-orden", "registrar-saga"]
    assert leidas["productos/evento-producto"] == ["proyectar-producto"]


def test_orders_put_there_are_like_real_ones_or_it_is_said_where_not() -> None:
    reales = {
        ("saga", "sagalog", llenado.BYTES): 4000,
        ("saga", "sagalog", "evento"): 40,
        ("saga", "sagalog", "motivo"): 0,
    }
    iguales = {clave: 5 * cuanto for clave, cuanto in reales.items()}
    assert llenado.distintas(reales, 10, iguales, 50, 0.05) == []
    otras = {("saga", "sagalog", llenado.BYTES): 21_100, ("saga", "sagalog", "evento"): 199}
    assert llenado.distintas(reales, 10, otras, 50, 0.05) == [
        "saga.sagalog.bytes: 422 for an order, really 400",
        "saga.sagalog.evento: 3.98 for an order, really 4",
    ]


def test_components_that_are_no_functions_are_known() -> None:
    assert set(metas.SERVICIOS) == {*services.NAMES, CARGA}
