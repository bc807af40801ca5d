"""A real Prometheus watches a real platform: what is broken is told, and told to be over when it is mended.

With the rules as they are, but that minutes are seconds.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

import pulsar
import pytest
from pulsar.schema import AvroSchema

from deployment.local.settings import Settings
from deployment.monitoring.render import write_all
from tests.e2e.dlq_helpers import PREFIJO, cliente, correr, dlq, publicar
from tests.e2e.test_saga import crear_producto, final, pedir_orden, registrar_conductores
from tests.e2e.test_watchdog import functions
from tests.plataforma import Plataforma, esperar
from tests.prometheus import Servidor, apurar, corriendo, metricas, metricas_propias, programas

pytestmark = pytest.mark.e2e

DE_OTROS: Final = {"node_filesystem_avail_bytes", "node_filesystem_size_bytes"}
"""Of node_exporter."""
TRAS_UN_RECHAZO: Final = {"pulsar_schema_incompatible_total", "pulsar_schema_incompatible_created"}
"""The broker's, from its first refusal of a schema on."""


@pytest.fixture(scope="module")
def prometheus(platform: Plataforma, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servidor]:
    programas()
    carpeta = tmp_path_factory.mktemp("prometheus")
    write_all(Settings.from_env(platform.entorno), carpeta)
    apurar(carpeta)
    with corriendo(carpeta) as servidor:
        esperar("broker, functions worker and BFF", lambda: servidor.sanos() == 3)
        yield servidor


def con(alertas: list[Any], **etiquetas: str) -> list[Any]:
    return [a for a in alertas if etiquetas.items() <= a["labels"].items()]


def test_a_stopped_function_is_told_until_it_runs_again(platform: Plataforma, prometheus: Servidor) -> None:
    def caida() -> list[Any]:
        return con(prometheus.activas("FunctionDown"), subscription="eliminar-producto")

    assert not caida()
    functions(platform, "stop", "productos", "eliminar-producto")
    try:
        (alerta,) = esperar("the alert", caida)
    finally:
        functions(platform, "start", "productos", "eliminar-producto")
    assert alerta["annotations"]["summary"] == "Function eliminar-producto does not run"
    assert alerta["labels"]["severity"] == "critical"
    esperar("its end", lambda: not caida())


def test_a_poisoned_message_is_told_until_its_letter_is_discarded(platform: Plataforma, prometheus: Servidor) -> None:
    topic = "persistent://monoliticas/productos/crear-producto-dlq"

    def cartas() -> list[Any]:
        return con(prometheus.activas("DeadLettersWaiting"), topic=topic)

    def llegan() -> list[Any]:
        return con(prometheus.activas("MessagesQuarantined"), name="crear-producto")

    descartar = ("discard", "--function", "crear-producto", "--reason", "a test", "--yes")
    correr(platform, *descartar)  # what other tests left
    esperar("that nothing waits", lambda: not cartas())
    publicar(platform, "productos/comando-crear-producto", b"poison", str(uuid4()))
    (llegada,) = esperar("that it arrives", llegan)
    assert llegada["annotations"]["summary"] == "Function crear-producto quarantines messages"
    (alerta,) = esperar("that it waits", cartas)
    assert alerta["annotations"]["summary"] == f"Dead letters wait in {topic}: 1"
    dlq(platform, *descartar)
    esperar("that nothing waits", lambda: not cartas())
    esperar("that nothing arrives", lambda: not llegan())


def test_a_database_that_is_away_is_told_until_it_is_back(platform: Plataforma, prometheus: Servidor) -> None:
    assert not prometheus.activas("DatabaseAway")
    platform.local("stop", "postgres")
    try:
        platform.pedir("POST", "/productos", {"nombre": "Té", "stock": 1})
        esperar("that the BFF misses it", lambda: prometheus.activas("DatabaseAway"))
        fallas = esperar("that a function misses it", lambda: prometheus.activas("InfrastructureFailures"))
    finally:
        platform.local("start", "postgres")
    assert con(fallas, name="crear-producto", severity="critical")
    esperar("that all have it", lambda: not prometheus.activas("DatabaseAway"))
    esperar("that all have got on", lambda: not prometheus.activas("InfrastructureFailures"))


def test_a_schema_that_does_not_fit_is_told(platform: Plataforma, prometheus: Servidor) -> None:
    def rechazados() -> list[Any]:
        return con(prometheus.activas("SchemaRefused"), namespace="monoliticas/saga")

    ajeno = AvroSchema(
        None, schema_definition={"type": "record", "name": "X", "fields": [{"name": "x", "type": "int"}]}
    )
    with cliente(platform) as abierto, pytest.raises(pulsar.IncompatibleSchema):
        abierto.subscribe(f"{PREFIJO}saga/evento-cuarentena", "ajena", schema=ajeno)
    (alerta,) = esperar("the alert", rechazados)
    assert alerta["annotations"]["summary"] == "The broker refuses a schema of monoliticas/saga"
    esperar("its end", lambda: not rechazados())


def test_every_metric_that_rules_and_dashboards_ask_for_exists(platform: Plataforma, prometheus: Servidor) -> None:
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    final(platform, pedir_orden(platform, id_producto))
    final(platform, pedir_orden(platform, id_producto))  # sold out

    def faltan() -> set[str]:
        nombres = set(prometheus.pedir("/api/v1/label/__name__/values"))
        propias = set(prometheus.pedir("/api/v1/label/metric/values"))
        sin = {m for m in metricas_propias() if not any(re.fullmatch(m, p) for p in propias)}
        return (metricas() - DE_OTROS - TRAS_UN_RECHAZO - nombres) | sin

    with suppress(AssertionError):
        esperar("every metric", lambda: not faltan())
    assert faltan() == set()
