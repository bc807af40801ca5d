"""What the dashboards show: overview, one topic, functions, sagas."""

from collections.abc import Iterator

from catalogue_flow import Flujo
from dashboards_panels import Json, alertas, grafica, nota, serie, tablero, variable
from dashboards_queries import PARTICION, cifras, cuantil, cuantiles, por_segundo
from dashboards_sagas import funciones, sagas
from topics import PREFIJO, cartas


def tableros(flujo: Flujo) -> Iterator[Json]:
    yield _resumen()
    yield _topic(flujo)
    yield funciones(flujo)
    yield sagas(flujo)


def _resumen() -> Json:
    ordenes = 'method="POST", route="/orders"'
    return tablero(
        "overview",
        "overview",
        [
            ("", 6, [alertas("Alerts"), *cifras()]),
            (
                "Orders",
                8,
                [
                    grafica(
                        "Orders per second",
                        serie(f'sum(rate(bff_request_seconds_count{{{ordenes}, status=~"200|202"}}[1m]))', "accepted"),
                        *(serie(por_segundo(f"orders_{e}"), e) for e in ("creada", "iniciada", "fallida")),
                        unidad="ops",
                    ),
                    grafica("From request to decision", *cuantiles("saga_seconds_bucket"), unidad="s"),
                    grafica(
                        "HTTP answers per second",
                        serie("sum by (status) (rate(bff_request_seconds_count[1m]))", "{{status}}"),
                        unidad="ops",
                    ),
                ],
            ),
            (
                "Where it waits",
                8,
                [
                    grafica("Backlog, entries", serie("topic_subscription:backlog > 0", "{{subscription}} {{topic}}")),
                    grafica(
                        "Until the broker confirms a command (p99)",
                        serie(cuantil(0.99, 'bff_publish_seconds_bucket{result="confirmed"}', "topic, "), "{{topic}}"),
                        unidad="s",
                    ),
                    grafica("Requests in hand", serie("sum(bff_requests_in_progress)", "in progress"), _esperan()),
                ],
            ),
        ],
    )


def _esperan() -> Json:
    return serie("sum(bff_requests_waiting)", "wait for their saga")


def _topic(flujo: Flujo) -> Json:
    este = f'topic=~"{PREFIJO}$topic{PARTICION}"'
    por = "sum by (subscription)"
    return tablero(
        "topic",
        "one topic",
        [
            (
                "",
                8,
                [
                    grafica(
                        "Messages per second",
                        serie(f"sum(rate(pulsar_in_messages_total{{{este}}}[1m]))", "in"),
                        serie(f"{por} (rate(pulsar_out_messages_total{{{este}}}[1m]))", "to {{subscription}}"),
                        unidad="ops",
                    ),
                    grafica(
                        "Backlog, entries",
                        serie(f"{por} (pulsar_subscription_back_log_no_delayed{{{este}}})", "{{subscription}}"),
                        serie(f"{por} (pulsar_subscription_delayed{{{este}}})", "{{subscription}}, not due yet"),
                        texto="An entry is a message or a batch of them.",
                    ),
                    grafica(
                        "Age of the oldest unacknowledged message",
                        serie(f"max(pulsar_storage_backlog_age_seconds{{{este}}})", "age"),
                        unidad="s",
                    ),
                ],
            ),
            (
                "",
                8,
                [
                    grafica(
                        "Redelivered per second",
                        serie(f"{por} (pulsar_subscription_msg_rate_redeliver{{{este}}})", "{{subscription}}"),
                        unidad="ops",
                    ),
                    grafica(
                        "Consumers and producers",
                        serie(f"{por} (pulsar_subscription_consumers_count{{{este}}})", "{{subscription}}"),
                        serie(f"sum(pulsar_producers_count{{{este}}})", "producers"),
                    ),
                    grafica("Stored", serie(f"sum(pulsar_storage_size{{{este}}})", "bytes"), unidad="bytes"),
                ],
            ),
            ("", 9, [nota(_quienes(flujo))]),
        ],
        [variable("topic", [*flujo.esquemas, *cartas()], todos=False)],
    )


def _quienes(flujo: Flujo) -> str:
    filas = ["| topic | from | to |", "|---|---|---|"]
    for topic in flujo.esquemas:
        reciben = [f.nombre for f in flujo.funciones if topic in f.recibe]
        filas.append(f"| {topic} | {', '.join(flujo.envian(topic))} | {', '.join(reciben)} |")
    return "\n".join(filas)
