"""What the dashboards show: overview, one topic, functions, sagas."""

from collections.abc import Iterator

from functions.messages.topics import PREFIX
from tools.catalogue.flow import Flow
from tools.dashboards.panels import Json, alerts, dashboard, note, target, timeseries, variable
from tools.dashboards.queries import PARTITION, per_second, quantile, quantiles, stats
from tools.dashboards.sagas import functions, sagas


def dashboards(flow: Flow) -> Iterator[Json]:
    """All dashboards, as Grafana's JSON."""
    yield _overview()
    yield _topic(flow)
    yield functions(flow)
    yield sagas(flow)


def _overview() -> Json:
    order_requests = 'method="POST", route="/orders"'
    return dashboard(
        "overview",
        "overview",
        [
            ("", 6, [alerts("Alerts"), *stats()]),
            (
                "Orders",
                8,
                [
                    timeseries(
                        "Orders per second",
                        target(
                            f'sum(rate(bff_request_seconds_count{{{order_requests}, status=~"200|202"}}[1m]))',
                            "accepted",
                        ),
                        *(target(per_second(f"orders_{state}"), state) for state in ("creada", "iniciada", "fallida")),
                        unit="ops",
                    ),
                    timeseries("From request to decision", *quantiles("saga_seconds_bucket"), unit="s"),
                    timeseries(
                        "HTTP answers per second",
                        target("sum by (status) (rate(bff_request_seconds_count[1m]))", "{{status}}"),
                        unit="ops",
                    ),
                ],
            ),
            (
                "Where it waits",
                8,
                [
                    timeseries(
                        "Backlog, entries", target("topic_subscription:backlog > 0", "{{subscription}} {{topic}}")
                    ),
                    timeseries(
                        "Until the broker confirms a command (p99)",
                        target(
                            quantile(0.99, 'bff_publish_seconds_bucket{result="confirmed"}', "topic, "), "{{topic}}"
                        ),
                        unit="s",
                    ),
                    timeseries("Requests in hand", target("sum(bff_requests_in_progress)", "in progress"), _waiting()),
                ],
            ),
        ],
    )


def _waiting() -> Json:
    return target("sum(bff_requests_waiting)", "wait for their saga")


def _topic(flow: Flow) -> Json:
    selector = f'topic=~"{PREFIX}$topic{PARTITION}"'
    by_subscription = "sum by (subscription)"
    dead_letters = [function.dead_letters for function in flow.functions]
    return dashboard(
        "topic",
        "one topic",
        [
            (
                "",
                8,
                [
                    timeseries(
                        "Messages per second",
                        target(f"sum(rate(pulsar_in_messages_total{{{selector}}}[1m]))", "in"),
                        target(
                            f"{by_subscription} (rate(pulsar_out_messages_total{{{selector}}}[1m]))",
                            "to {{subscription}}",
                        ),
                        unit="ops",
                    ),
                    timeseries(
                        "Backlog, entries",
                        target(
                            f"{by_subscription} (pulsar_subscription_back_log_no_delayed{{{selector}}})",
                            "{{subscription}}",
                        ),
                        target(
                            f"{by_subscription} (pulsar_subscription_delayed{{{selector}}})",
                            "{{subscription}}, not due yet",
                        ),
                        text="An entry is a message or a batch of them.",
                    ),
                    timeseries(
                        "Age of the oldest unacknowledged message",
                        target(f"max(pulsar_storage_backlog_age_seconds{{{selector}}})", "age"),
                        unit="s",
                    ),
                ],
            ),
            (
                "",
                8,
                [
                    timeseries(
                        "Redelivered per second",
                        target(
                            f"{by_subscription} (pulsar_subscription_msg_rate_redeliver{{{selector}}})",
                            "{{subscription}}",
                        ),
                        unit="ops",
                    ),
                    timeseries(
                        "Consumers and producers",
                        target(
                            f"{by_subscription} (pulsar_subscription_consumers_count{{{selector}}})", "{{subscription}}"
                        ),
                        target(f"sum(pulsar_producers_count{{{selector}}})", "producers"),
                    ),
                    timeseries("Stored", target(f"sum(pulsar_storage_size{{{selector}}})", "bytes"), unit="bytes"),
                ],
            ),
            ("", 9, [note(_participants(flow))]),
        ],
        [variable("topic", [*flow.schemas, *dead_letters], include_all=False)],
    )


def _participants(flow: Flow) -> str:
    """Who sends and who receives each topic, as a table in Markdown."""
    rows = ["| topic | from | to |", "|---|---|---|"]
    for topic in flow.schemas:
        receivers = [function.name for function in flow.functions if topic in function.receives]
        rows.append(f"| {topic} | {', '.join(flow.senders(topic))} | {', '.join(receivers)} |")
    return "\n".join(rows)
