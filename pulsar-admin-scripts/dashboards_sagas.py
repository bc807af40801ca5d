"""Dashboards of all functions, and of the sagas that they carry."""

from collections.abc import Sequence

from catalogue_flow import Flujo, Funcion, campos
from dashboards_panels import Json, cifra, grafica, serie, tablero, variable
from dashboards_queries import METRICA, PARTICION, cifras, cuantiles, medio, por_segundo
from topics import PREFIJO


def funciones(flujo: Flujo) -> Json:
    estas = 'name=~"$function"'
    por = "{{name}}"
    tiempos = [
        grafica(titulo, serie(medio(metrica, estas), por), unidad="s")
        for titulo, metrica in (
            ("A batch's transaction", "transaction_seconds"),
            ("Its publication", "publish_seconds"),
        )
    ]
    cuentas = [
        grafica(titulo, serie(f'{METRICA}_sum:increase5m{{metric="{metrica}", {estas}}}', por))
        for titulo, metrica in (
            ("Duplicates in 5 minutes", "duplicates"),
            ("Quarantined in 5 minutes", "quarantined"),
            ("Database or broker away, tries in 5 minutes", "infrastructure_failures"),
        )
    ]
    recibidos = f"sum by (name) (rate(pulsar_function_received_total{{{estas}}}[1m]))"
    consumidores = 'pulsar_subscription_consumers_count{subscription=~"$function"}'
    return tablero(
        "functions",
        "functions",
        [
            *(("", 4, [_una(f) for f in flujo.funciones[i : i + 7]]) for i in range(0, len(flujo.funciones), 7)),
            (
                "",
                8,
                [
                    grafica("Messages per second", serie(recibidos, por), unidad="ops"),
                    grafica("Backlog", serie('topic_subscription:backlog{subscription=~"$function"} > 0', "{{topic}}")),
                    grafica("Messages in a batch", serie(medio("batch_messages", estas), por)),
                ],
            ),
            ("", 8, [*tiempos, _arranques(estas, por)]),
            ("", 8, cuentas),
            ("", 8, [grafica("Consumers", serie(f"min by (subscription) ({consumidores})", "{{subscription}}"))]),
        ],
        [variable("function", [f.nombre for f in flujo.funciones])],
    )


def _una(funcion: Funcion) -> Json:
    """The messages that wait for a function; its description says what it does."""
    esperan = f'sum(topic_subscription:backlog{{subscription="{funcion.suscripcion}"}})'
    return cifra(funcion.nombre, esperan, rojo=1000, texto=f"Entries that wait. {funcion.que_hace}")


def _arranques(estas: str, por: str) -> Json:
    hace = f"time() - max by (name) (pulsar_function_received_created{{{estas}}})"
    return grafica("Runs for", serie(hace, por), unidad="s", texto="It falls to 0 when an instance starts.")


def sagas(flujo: Flujo) -> Json:
    comandos = [
        t for t, e in flujo.esquemas.items() if "/comando-" in t and "id_orden" in campos(e) and not flujo.demorado(t)
    ]
    pasos = [t for t in comandos if not flujo.compensa(t)]
    vuelta = [t for t in comandos if flujo.compensa(t)]
    suma = f"{METRICA}_sum:increase5m"
    terminadas = [serie(f'sum({suma}{{metric="orders_{e}"}})', e) for e in ("iniciada", "fallida")]
    por_minuto = f"60 * {por_segundo('orders_iniciada|orders_fallida')}"
    motivos = serie(f'sum by (metric) ({suma}{{metric=~"compensations_.+"}})', "{{metric}}")
    return tablero(
        "sagas",
        "sagas",
        [
            ("", 5, [*cifras()[:3], cifra("Ended per minute", por_minuto)]),
            (
                "",
                9,
                [
                    grafica("From request to decision", *cuantiles("saga_seconds_bucket"), unidad="s"),
                    grafica("Ended in 5 minutes", *terminadas),
                    grafica("Compensated in 5 minutes, by reason", motivos),
                ],
            ),
            ("", 9, [_comandos("Commands per second", pasos), _comandos("To undo, commands per second", vuelta)]),
        ],
    )


def _comandos(titulo: str, topics: Sequence[str]) -> Json:
    expr = 'sum(rate(pulsar_in_messages_total{{topic=~"{}"}}[1m]))'
    return grafica(titulo, *(serie(expr.format(f"{PREFIJO}{t}{PARTICION}"), t) for t in topics), unidad="ops")
