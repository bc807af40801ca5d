"""The benchmark's own logic: figures, whose process is whose, the report.

Longer than 200 lines: its tests share one result of a whole run of the benchmark.
"""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deployment.local import services
from functions.conductores.states import MAX_CONDUCTORES
from functions.engine.handler import BATCH_SIZE
from functions.messages.codec import codec
from functions.messages.ids import new
from functions.messages.payloads import ComandoCrearOrden
from tests.load import (
    ceiling_broker,
    charts,
    clients,
    clone,
    filling,
    goals,
    page,
    parallel,
    report,
    requests,
    scale,
    seeding,
)
from tests.load.chain import IDS_PRODUCTO, make_chains, outgoing_by_topic
from tests.load.figures import latencies, percentile
from tests.load.processes import LOAD_GENERATOR, ProcessRow, attribute_processes, cpu_spent, platform_total

DOWNLOADS = "/data/functions-worker/download"


@pytest.mark.parametrize(("n", "expected"), [(50, 5), (95, 10), (90, 9), (99, 10), (1, 1)])
def test_a_percentile_is_one_of_the_values(n: float, expected: float) -> None:
    assert percentile([10, 3, 2, 1, 5, 4, 7, 6, 9, 8], n) == expected


def test_latencies_are_in_ms_and_none_without_answers() -> None:
    assert latencies([0.001, 0.002, 0.003]) == {"p50_ms": 2, "p95_ms": 3, "p99_ms": 3, "max_ms": 3}
    assert latencies([]) == {}


def test_a_process_belongs_to_what_its_command_line_or_its_nearest_ancestor_says() -> None:
    instance = ("python3", "main.py", "--py", f"{DOWNLOADS}/monoliticas/ordenes/crear-orden/0/code.whl")
    other_line = (
        "python3",
        "main.py",
        "--py",
        "/other/functions-worker/download/monoliticas/ordenes/crear-orden/0/code.whl",
    )
    rows = [
        ProcessRow(1, 0, ("init",)),
        ProcessRow(10, 1, ("postgres",)),
        ProcessRow(11, 10, ("postgres: checkpointer",)),
        ProcessRow(20, 1, ("java", "LocalFunctionsWorker")),
        ProcessRow(21, 20, instance),
        ProcessRow(22, 21, ("helper",)),
        ProcessRow(23, 20, ("jspawnhelper",)),
        ProcessRow(30, 1, other_line),
        ProcessRow(40, 1, ("python", "-m", "tests.load.run")),
        ProcessRow(41, 40, ("python", "-c", "worker")),
    ]
    roots = {10: "postgres", 20: "functions-worker", 40: LOAD_GENERATOR, 99: "bff"}
    assert attribute_processes(rows, roots, DOWNLOADS) == {
        10: "postgres",
        11: "postgres",
        20: "functions-worker",
        21: "crear-orden",
        22: "crear-orden",
        23: "functions-worker",
        40: LOAD_GENERATOR,
        41: LOAD_GENERATOR,
    }


def test_cpu_is_a_difference_and_the_load_generator_is_not_the_platform() -> None:
    usage = cpu_spent({"bff": 1.0, LOAD_GENERATOR: 2.0}, {"bff": 1.5, LOAD_GENERATOR: 4.0, "crear-orden": 0.25})
    assert usage == {"bff": 0.5, LOAD_GENERATOR: 2.0, "crear-orden": 0.25}
    assert platform_total(usage) == 0.75


def test_a_request_is_whole_and_says_how_long_it_is() -> None:
    head, _, body = requests.orden("p", 7, Prefer="wait=10").partition(b"\r\n\r\n")
    assert head.startswith(b"POST /orders HTTP/1.1\r\n")
    assert f"\r\nContent-Length: {len(body)}\r\nPrefer: wait=10".encode() in head
    assert json.loads(body)["id_producto"] == "p"
    assert requests.orden("p", 7, requests.XML).endswith(b"</root>")


@pytest.mark.parametrize("name", ["Content-Length", "content-length"])
def test_an_answer_is_whole_when_its_last_byte_is_there(name: str) -> None:
    response = f"HTTP/1.1 202 Accepted\r\nX: y\r\n{name}: 3\r\nZ: 9\r\n\r\nabc".encode()
    assert all(requests.parse_response(response[:end]) is None for end in range(len(response)))
    assert requests.parse_response(response) == (202, len(response) - 3, len(response))


class ClosingHandler(BaseHTTPRequestHandler):
    """Answers 202 and keeps the connection, but closes it after each tenth answer."""

    protocol_version = "HTTP/1.1"
    wbufsize = 4096  # an answer in one piece
    count = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        self.count += 1
        self.close_connection = self.count % 10 == 0

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), ClosingHandler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield "127.0.0.1", http.server_port
        http.shutdown()
        thread.join()


def test_clients_send_for_a_while_and_begin_again_where_the_server_hangs_up(server: tuple[str, int]) -> None:
    load_round = clients.run(server, 3, [requests.orden("p", 1)], 0.3)
    assert load_round.responses["202"] > 30
    assert load_round.responses["closed"] >= 3
    assert load_round.accepted_in_time <= load_round.responses["202"] <= load_round.accepted_in_time + 3
    assert len(load_round.latencies) == load_round.responses["202"]
    assert set(load_round.responses) == {"202", "closed"}


def load_round(media_type: str, clients: int, accepted_per_s: float) -> dict[str, Any]:
    figures = {"p50_ms": 3.0, "p95_ms": 5.0, "p99_ms": 9.0, "max_ms": 20.0, "parte_de_la_carga": 0.08}
    counts = {
        "aceptadas": 100,
        "iniciadas": 100,
        "respuestas": {"202": 100},
        "cpu_ms": {"bff": 1.0, LOAD_GENERATOR: 0.5},
    }
    own = {"tipo": media_type, "clientes": clients, "aceptadas_s": accepted_per_s, "sagas_s": accepted_per_s / 2}
    return figures | counts | own


def size(stored: int, cpu_ms: float) -> dict[str, Any]:
    p50_ms = dict.fromkeys(report.QUERIES, 2.0)
    return {"guardadas": stored, "cpu_ms": cpu_ms, "sagas_s": 900.0, "p50_ms": p50_ms}


def result() -> dict[str, Any]:
    """As report.json holds it."""
    lat = {"p50_ms": 12.0, "p95_ms": 20.0, "p99_ms": 41.0, "max_ms": 50.0}
    used = {"processes": 1, "rss": 80.0, "pss": 50.0}
    backlog = {
        "ordenes": 1000,
        "segundos": 0.5,
        "sagas_s": 2000.0,
        "arranque_s": 1.0,
        "cpu_ms": {"postgres": 0.5, "crear-orden": 0.25, LOAD_GENERATOR: 0.1},
        "cpu_total_ms": 0.75,
        "curva": [[0.0, 0.0, 0.1], [0.25, 0.5, 0.6], [0.5, 1.0, 1.0]],
        "bytes_por_orden": {"ordenes": 900.0, "pulsar": 4000.0},
    }
    parts: dict[str, Any] = {
        "arranque": {"up": 12.0, "deploy": 10.0, "first order": 1.0, "total": 23.0},
        "huella": {
            "cpu_por_s": {"bff": 0.001, "crear-orden": 0.002},
            "memoria": {"bff": used, "crear-orden": used, "registrar-saga": used | {"pss": 60.0}},
            "otra_vez": {"down": 5.0, "up again": 10.0, "first order again": 1.0},
        },
        "sueltas": {"espera": lat, "mirada": lat, "aceptada": lat, "cada_una_ms": [12.0, 13.0]},
        "puerta": {
            "flujos": {"abiertos": 2000, "terminados": 1999, "memoria_mb": 160.0}
            | dict.fromkeys(("health", "health_al_abrir", "health_al_terminar"), lat),
            "esperas": {"respuestas": {"200": 2000}, **lat, "health": lat},
            "lentas": {"sin": [400.0, 500.0], "con": [410.0, 400.0], "razon": 0.9},
            "memoria_mb": 170.0,
        },
        "traza": {
            "ordenes": 200,
            "espera_us": 21_000.0,
            "saltos": {"crear-orden: its transaction": {"p50_us": 2300.0, "p95_us": 4000.0}},
        },
        "http": {"rondas": [load_round(t, n, 100.0 * n) for t in ("json", "xml") for n in (1, 8)]},
        "techo": {"ordenes": 1000, "broker_ordenes_s": 12e3, "bases_ordenes_s": 6e3, "sagas_s": 4e3},
        "atraso": backlog,
        "crecimiento": {"tamanos": [size(1000, 1.5), size(100_000, 1.6)], "razon": 1.6 / 1.5},
    }
    machine = {"fecha": "today", "version": "v", "nucleos": 2, "modelo": "<EPYC>", "memoria_gb": 24.0}
    machine |= {"kernel": "6", "python": "3.11", "carga_antes": 0.1}
    return {"maquina": machine, "partes": parts, "errores": {}}


def test_goals_are_reached_or_not_or_were_not_measured() -> None:
    verdicts = {verdict.goal.name: verdict for verdict in goals.judge(result()["partes"])}
    assert verdicts["backlog"].outcome == "reached"
    assert verdicts["orders accepted over HTTP"].outcome == "not reached: 800, goal ≥ 1,360"
    assert verdicts["a single order until it has ended, p99"].outcome == "not reached: 41, goal ≤ 40"
    assert verdicts["an idle function instance (PSS, mean)"].measured == 55
    assert verdicts["backlog, part of the ceiling"].measured == 50
    assert verdicts["event streams at once, to their end"].outcome == "not reached: 1,999, goal ≥ 2,000"
    assert verdicts["waits answered 200, 1,000 at once, twice"].outcome == "reached"
    assert verdicts["CPU for an order, with most stored / with least"].outcome == "reached"


@pytest.mark.parametrize("part", ["techo", "atraso"])
def test_a_part_of_the_ceiling_needs_both(part: str) -> None:
    parts = result()["partes"]
    del parts[part]
    verdicts = {verdict.goal.name: verdict for verdict in goals.judge(parts)}
    assert verdicts["backlog, part of the ceiling"].outcome == "not measured"


def test_the_report_shows_what_was_measured_and_what_failed() -> None:
    data = result()
    text = report.text(data)
    assert "2 cores (<EPYC>)" in text
    assert "100 of 100" in text
    assert "Ceiling, 1,000 orders" in text
    assert "2000, 1999" in text
    assert "2000 × 200" in text
    assert re.search(r"crear-orden: its transaction +2,300 +4,000", text)
    assert "100,000        1.6           900" in text
    html = page.html(data)
    assert html.count("<svg") == html.count("</svg>") == 9
    assert "&lt;EPYC&gt;" in html
    assert "http" not in html.lower().replace("over http", "").replace("accepted over http", "")
    del data["partes"]["http"]
    data["errores"]["http"] = "AssertionError: no"
    assert "AssertionError: no" in report.text(data)
    assert "Over HTTP: orders" not in page.html(data)


def test_one_instance_is_measured_once_and_more_in_each_mode() -> None:
    assert scale.plan((1, 2, 4)) == [("Shared", 1), ("Shared", 2), ("Shared", 4), ("Failover", 2), ("Failover", 4)]


@pytest.mark.parametrize(
    ("rows", "messages", "keys"),
    [
        ([], 0, 0),
        ([("a", 7), ("b", 5), ("a", 7), ("b", 6)], 0, 0),  # one transaction, and each key by itself
        ([("a", 7), ("a", 9), ("a", 8), ("a", 8), ("b", 1)], 2, 1),
        ([("a", 2), ("b", 2), ("a", 1), ("b", 1)], 2, 2),
    ],
)
def test_out_of_order_is_what_a_later_transaction_overtook(
    rows: list[tuple[str, int]], messages: int, keys: int
) -> None:
    assert scale.out_of_order(rows) == {"mensajes_desordenados": messages, "claves_desordenadas": keys}


def test_ids_of_messages_grow_as_they_are_published_and_keys_take_turns() -> None:
    keys = [new(), new()]
    published, id_range = scale.messages(5, keys)
    decoded = [codec(ComandoCrearOrden.topic).decode(p.raw) for p in published]
    assert [str(message.id) for message in decoded] == sorted(str(message.id) for message in decoded)
    assert id_range == {"primero": str(decoded[0].id), "ultimo": str(decoded[-1].id)}
    assert [p.key for p in published] == [str(keys[i % 2]) for i in range(5)]


def test_a_copy_differs_from_the_function_in_name_input_and_instances_only() -> None:
    chain = clone.Clone("shared-2", scale.ORIGINAL, ComandoCrearOrden.topic, 2, {"retainOrdering": True})
    config = clone.configuration(chain, {"DB_NAME": "saga", "DB_PORT": "1"})
    assert list(config["inputSpecs"]) == ["persistent://monoliticas/escala/shared-2"]
    assert config["inputSpecs"][chain.topic]["schemaProperties"] == {"topic": "ordenes/comando-crear-orden"}
    assert config["className"] == "functions.saga.registrar_saga.RegistrarSaga"
    assert (config["namespace"], config["name"], config["parallelism"]) == ("escala", "shared-2", 2)
    assert config["userConfig"] == {"DB_NAME": "saga", "DB_PORT": "1"}
    assert config["retainOrdering"]


def test_the_report_compares_more_instances_with_one() -> None:
    data = result()
    figures = {"cpu_ms": 0.5, "cpu_funcion_ms": 0.25, "mensajes_desordenados": 0, "claves_desordenadas": 0}
    chain = figures | {"modo": "Shared", "paralelismo": 1, "mensajes_s": 1000.0}
    two = chain | {"paralelismo": 2, "mensajes_s": 1500.0, "mensajes_desordenados": 250, "claves_desordenadas": 40}
    data["partes"]["escala"] = {"mensajes": 1000, "claves": 50, "particiones": 4, "rondas": [chain, two]}
    text = report.text(data)
    assert "Scale: 1,000 messages of 50 keys in 4 partitions" in text
    assert re.search(r"Shared +2 +1,500 +1.5 +0.5 +0.25 +25.0 % +80 %", text)


def test_lines_and_bars_stay_inside_the_drawing() -> None:
    assert "NaN" not in charts.lines("t", {"a": [(0, 0)]}, "x")
    assert 'width="0.0"' in charts.bars("t", {"a": 0.0, "b": -1.0})


def test_work_is_spread_over_all_cores_and_nobody_is_idle() -> None:
    assert parallel.distribute({"a": 1, "b": 4, "c": 2, "d": 3}, 2) == [["b", "a"], ["d", "c"]]
    assert parallel.distribute({"a": 1}, 8) == [["a"]]


def test_orders_that_go_well_have_each_message_that_the_functions_would_send() -> None:
    count = BATCH_SIZE + 1
    assert {topic: len(items) for topic, items in outgoing_by_topic(list(make_chains(count))).items()} == {
        "ordenes/comando-crear-orden": count,
        "productos/comando-disminuir-stock": count,
        "conductores/comando-asignar-conductor": count,
        "ordenes/comando-marcar-listo-despacho": count,
        "ordenes/evento-orden": 2 * count,
        "productos/evento-producto": len(IDS_PRODUCTO) + 1,
        "ordenes/comando-verificar-orden": 2,
        "conductores/evento-conductor": BATCH_SIZE // MAX_CONDUCTORES + 1,
    }


def test_orders_of_the_ceiling_have_ended_and_lower_the_stock() -> None:
    chains = list(make_chains(2 * len(IDS_PRODUCTO)))
    assert {(chain.iniciada.estado, chain.asignacion.estado, chain.reserva.estado) for chain in chains} == {
        ("iniciada", "asignada", "reservada")
    }
    assert all(chain.iniciada.id_driver == chain.asignacion.id_conductor for chain in chains)
    assert [chains[0].reduced.version, chains[-1].reduced.version] == [2, 3]
    assert chains[-1].reduced.stock == seeding.STOCK - 2


def test_each_message_is_read_as_often_as_functions_subscribe_to_it() -> None:
    by_topic = ceiling_broker.subscriptions()
    assert by_topic["ordenes/comando-crear-orden"] == ["crear-orden", "registrar-saga"]
    assert by_topic["productos/evento-producto"] == ["proyectar-producto"]


def test_generated_orders_are_like_real_ones_or_the_difference_is_named() -> None:
    reference_contents = {
        ("saga", "sagalog", filling.BYTES): 4000,
        ("saga", "sagalog", "evento"): 40,
        ("saga", "sagalog", "motivo"): 0,
    }
    same = {key: 5 * n for key, n in reference_contents.items()}
    assert filling.differences(reference_contents, 10, same, 50, 0.05) == []
    others = {("saga", "sagalog", filling.BYTES): 21_100, ("saga", "sagalog", "evento"): 199}
    assert filling.differences(reference_contents, 10, others, 50, 0.05) == [
        "saga.sagalog.bytes: 422 for an order, really 400",
        "saga.sagalog.evento: 3.98 for an order, really 4",
    ]


def test_components_that_are_no_functions_are_known() -> None:
    assert set(goals.SERVICES) == {*services.NAMES, LOAD_GENERATOR}
