"""Dashboards of all functions, and of the sagas that they carry."""

from collections.abc import Sequence
from typing import Final

from functions.messages.topics import PREFIX
from tools.catalogue.flow import Flow, Function, fields
from tools.dashboards.panels import Json, dashboard, stat, target, timeseries, variable
from tools.dashboards.queries import METRIC, PARTITION, average, per_second, quantiles, stats

FREE_DRIVERS: Final = 'max(bff_drivers{estado="libre"})'


def functions(flow: Flow) -> Json:
    """The dashboard of all functions, or of those that are chosen."""
    selector = 'name=~"$function"'
    legend = "{{name}}"
    times = [
        timeseries(title, target(average(metric, selector), legend), unit="s")
        for title, metric in (
            ("A batch's transaction", "transaction_seconds"),
            ("Its publication", "publish_seconds"),
        )
    ]
    counts = [
        timeseries(title, target(f'{METRIC}_sum:increase5m{{metric="{metric}", {selector}}}', legend))
        for title, metric in (
            ("Duplicates in 5 minutes", "duplicates"),
            ("Quarantined in 5 minutes", "quarantined"),
            ("Database or broker away, tries in 5 minutes", "infrastructure_failures"),
        )
    ]
    received = f"sum by (name) (rate(pulsar_function_received_total{{{selector}}}[1m]))"
    consumers = 'pulsar_subscription_consumers_count{subscription=~"$function"}'
    return dashboard(
        "functions",
        "functions",
        [
            *(("", 4, [_backlog_stat(f) for f in flow.functions[i : i + 7]]) for i in range(0, len(flow.functions), 7)),
            (
                "",
                8,
                [
                    timeseries("Messages per second", target(received, legend), unit="ops"),
                    timeseries(
                        "Backlog", target('topic_subscription:backlog{subscription=~"$function"} > 0', "{{topic}}")
                    ),
                    timeseries("Messages in a batch", target(average("batch_messages", selector), legend)),
                ],
            ),
            ("", 8, [*times, _uptimes(selector, legend)]),
            ("", 8, counts),
            ("", 8, [timeseries("Consumers", target(f"min by (subscription) ({consumers})", "{{subscription}}"))]),
        ],
        [variable("function", [f.name for f in flow.functions])],
    )


def _backlog_stat(function: Function) -> Json:
    """How many entries wait for a function; the description says what the function does."""
    waiting = f'sum(topic_subscription:backlog{{subscription="{function.subscription}"}})'
    return stat(function.name, waiting, red_from=1000, text=f"Entries that wait. {function.purpose}")


def _uptimes(selector: str, legend: str) -> Json:
    """For how long each function's newest instance has been running."""
    uptime = f"time() - max by (name) (pulsar_function_received_created{{{selector}}})"
    return timeseries("Runs for", target(uptime, legend), unit="s", text="It falls to 0 when an instance starts.")


def sagas(flow: Flow) -> Json:
    """The dashboard of sagas: how long they take, how they end, and their commands."""
    comandos = [
        topic
        for topic, schema in flow.schemas.items()
        if "/comando-" in topic and "id_orden" in fields(schema) and not flow.is_delayed(topic)
    ]
    steps = [topic for topic in comandos if not flow.is_compensation(topic)]
    compensations = [topic for topic in comandos if flow.is_compensation(topic)]
    sum_metric = f"{METRIC}_sum:increase5m"
    ended = [target(f'sum({sum_metric}{{metric="orders_{state}"}})', state) for state in ("iniciada", "fallida")]
    per_minute = f"60 * {per_second('orders_iniciada|orders_fallida')}"
    reasons = target(f'sum by (metric) ({sum_metric}{{metric=~"compensations_.+"}})', "{{metric}}")
    return dashboard(
        "sagas",
        "sagas",
        [
            ("", 5, [*stats()[:3], stat("Ended per minute", per_minute), stat("Free drivers", FREE_DRIVERS)]),
            (
                "",
                9,
                [
                    timeseries("From request to decision", *quantiles("saga_seconds_bucket"), unit="s"),
                    timeseries("Ended in 5 minutes", *ended),
                    timeseries("Compensated in 5 minutes, by reason", reasons),
                ],
            ),
            (
                "",
                9,
                [_comandos("Commands per second", steps), _comandos("To undo, commands per second", compensations)],
            ),
        ],
    )


def _comandos(title: str, topics: Sequence[str]) -> Json:
    """How many commands of each topic are published in a second."""
    expr = 'sum(rate(pulsar_in_messages_total{{topic=~"{}"}}[1m]))'
    return timeseries(title, *(target(expr.format(f"{PREFIX}{t}{PARTITION}"), t) for t in topics), unit="ops")
