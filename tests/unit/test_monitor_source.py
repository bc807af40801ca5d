"""Looking at a cluster over its admin REST API, and reading messages from where a topic's newest begin."""

import pulsar
import pytest
from monitor_cli import una_vez
from monitor_messages import Mensajes, inicio
from monitor_source import Cluster

from functions.comun.cluster.admin_rest import Api, NoContesta
from tests.admin_falso import NADA, AdminFalso, Respuesta, admin_falso
from tests.monitor_falso import ESPERADO, estado, stats

NAMESPACES, TOPICS = "/admin/v2/namespaces/monoliticas", "/admin/v2/persistent/monoliticas"
FUNCIONES = "/admin/v3/functions/monoliticas"


def respuestas() -> dict[str, Respuesta]:
    """A whole cluster as it should be."""
    todas: dict[str, Respuesta] = {NAMESPACES: (200, ["monoliticas/ordenes", "monoliticas/otro"])}
    for topic, nombres in ESPERADO.suscripciones.items():
        namespace = f"{TOPICS}/{topic.partition('/')[0]}"
        lista = todas.setdefault(namespace, (200, []))[1]
        lista.append(f"persistent://monoliticas/{topic}")
        todas[f"{TOPICS}/{topic}/stats"] = (200, stats(*nombres))
    for funcion in ESPERADO.instancias:
        todas.setdefault(f"{FUNCIONES}/{funcion.partition('/')[0]}", (200, []))[1].append(funcion.partition("/")[2])
        todas[f"{FUNCIONES}/{funcion}/status"] = (200, estado())
    return todas


def cluster(falso: AdminFalso, worker: AdminFalso | None = None) -> Cluster:
    return Cluster(Api(falso.url, {}), Api((worker or falso).url, {}), ESPERADO)


def test_a_whole_cluster_is_looked_at_and_asked_for_precise_figures() -> None:
    with admin_falso(respuestas()) as falso:
        visto = cluster(falso)
        mirada = visto.mirar()
        assert una_vez(visto, 60, en_json=True) == 0
    assert set(mirada.topics) == set(ESPERADO.suscripciones)
    assert mirada.funciones == dict.fromkeys(sorted(ESPERADO.instancias), estado())
    cifras = {ruta.partition("?")[2] for ruta, _ in falso.pedidas if "/stats" in ruta}
    assert cifras == {"getPreciseBacklog=true&subscriptionBacklogSize=true&getEarliestTimeInBacklog=true"}
    assert len(falso.pedidas) > 100
    assert len(falso.conexiones) <= 16, "each of 8 threads keeps one to the broker, one to the functions worker"


def test_what_the_repository_does_not_have_is_looked_at_too_but_not_pulsars_own() -> None:
    todas = respuestas()
    ajenos = ["x y", "partido-partition-0", "partido-partition-1", "__change_events"]
    todas[f"{TOPICS}/otro"] = (200, [f"persistent://monoliticas/otro/{topic}" for topic in ajenos])
    todas[f"{TOPICS}/otro/partitioned"] = (200, ["persistent://monoliticas/otro/partido"])
    todas[f"{TOPICS}/otro/x%20y/stats"] = (200, stats("s", msgInCounter=3))
    todas[f"{TOPICS}/otro/partido/partitioned-stats"] = (200, stats("t", msgInCounter=4))
    todas[f"{FUNCIONES}/otro"] = (200, ["ajena"])
    todas[f"{FUNCIONES}/otro/ajena/status"] = (500, {"reason": "a bug"})
    with admin_falso(todas) as falso:
        mirada = cluster(falso).mirar()
        problema = f"{falso.url}{FUNCIONES}/otro/ajena/status answers HTTP 500: a bug"
    nuevos = {topic: visto for topic, visto in mirada.topics.items() if topic not in ESPERADO.suscripciones}
    assert nuevos == {"otro/x y": stats("s", msgInCounter=3), "otro/partido": stats("t", msgInCounter=4)}
    assert mirada.funciones["otro/ajena"] == problema


def test_a_tenant_that_is_not_there_misses_everything() -> None:
    with admin_falso() as falso:
        mirada = cluster(falso).mirar()
    assert mirada.topics == dict.fromkeys(sorted(ESPERADO.suscripciones))
    assert mirada.funciones == dict.fromkeys(sorted(ESPERADO.instancias))


def test_without_the_functions_worker_topics_are_looked_at_and_without_the_broker_nothing() -> None:
    with admin_falso(respuestas()) as falso:
        with admin_falso({f"{FUNCIONES}/conductores": (409, {"reason": "Function Worker is not enabled"})}) as worker:
            mirada = cluster(falso, worker).mirar()
        assert mirada.sin_worker.endswith("answers HTTP 409: Function Worker is not enabled")
        assert None not in mirada.topics.values()
        with pytest.raises(NoContesta, match="does not answer"):
            cluster(worker, falso).mirar()
        assert una_vez(cluster(worker, falso), 60, en_json=False) == 3


@pytest.mark.parametrize(
    ("ledgers", "ultima", "desde"),
    [
        ([(7, 0)], "7:-1", (-1, -1)),  # nothing was ever published
        ([(7, 0)], "7:4", (-1, -1)),
        ([(7, 0)], "7:99", (7, 89)),
        ([(3, 50), (7, 0)], "7:3", (3, 43)),
        ([(3, 50), (5, 2), (7, 0)], "7:3", (3, 45)),
        ([(3, 6), (7, 0)], "7:3", (3, -1)),
        ([(3, 50), (7, 0)], "3:49", (3, 39)),
    ],
)
def test_a_topics_newest_entries_begin_in_the_ledger_that_still_has_them(
    ledgers: list[tuple[int, int]], ultima: str, desde: tuple[int, int]
) -> None:
    interno = {"ledgers": [{"ledgerId": n, "entries": e} for n, e in ledgers], "lastConfirmedEntry": ultima}
    donde = inicio(interno, 10)
    assert (donde.ledger_id(), donde.entry_id()) == desde


def test_messages_of_a_topic_with_partitions_are_not_shown_and_that_is_said() -> None:
    with admin_falso({f"{TOPICS}/a/b/internalStats": NADA}) as falso:
        lecturas = Mensajes(pulsar.Client("pulsar://127.0.0.1:1"), Api(falso.url, {}))
        with pytest.raises(NoContesta, match="a/b is missing, or has partitions"):
            next(iter(lecturas.de_topic("a/b", lambda: True)))
        lecturas.cerrar()
