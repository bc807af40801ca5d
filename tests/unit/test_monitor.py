"""From what the admin API answers to rows, to what is unhealthy, to what is printed; and exit codes."""

import json
from dataclasses import replace
from typing import Any

import pytest
from monitor_cli import main, una_vez
from monitor_figures import cuadro
from monitor_health import quejas
from monitor_source import Mirada, Respuesta
from monitor_table import bytes_, edad

from tests.monitor_falso import AHORA, ESPERADO, FuenteFalsa, con, estado, sana, stats

CREAR, VERIFICAR, CARTAS = "ordenes/comando-crear-orden", "ordenes/comando-verificar-orden", "ordenes/crear-orden-dlq"
FUNCION = "ordenes/crear-orden"


def textos(mirada: Mirada, antes: Mirada | None = None, max_edad: float = 60.0) -> list[str]:
    return [queja.texto for queja in quejas(cuadro(mirada, ESPERADO, antes), max_edad)]


def ms(hace: float) -> int:
    """So many seconds before the look."""
    return int((AHORA - hace) * 1000)


def atrasada(hace: float, **otras: Any) -> dict[str, Any]:
    return {"msgBacklog": 3, "earliestMsgPublishTimeInBacklog": ms(hace)} | otras


def test_a_cluster_as_it_should_be_is_healthy() -> None:
    assert textos(sana()) == []


def test_every_topic_subscription_and_function_of_the_repository_is_expected() -> None:
    visto = cuadro(Mirada(AHORA, dict.fromkeys(ESPERADO.suscripciones), dict.fromkeys(ESPERADO.instancias)), ESPERADO)
    faltan = quejas(visto)
    assert {queja.estado for queja in faltan} == {"missing"}
    assert len(faltan) == len(ESPERADO.suscripciones) + len(ESPERADO.instancias)
    assert len(visto.funciones) == len(visto.cartas) == 14


@pytest.mark.parametrize(
    ("mal", "dicho"),
    [
        (con(sana(), CREAR, respuesta=None), [f"topic {CREAR} is missing: run provision.py"]),
        (con(sana(), CREAR, respuesta="HTTP 500"), [f"topic {CREAR} can't be looked at: HTTP 500"]),
        (
            con(sana(), CREAR, respuesta=stats("registrar-saga")),
            [f"subscription crear-orden of {CREAR} is missing: run provision.py"],
        ),
        (
            con(sana(), CREAR, suscripcion="crear-orden", consumers=[]),
            [f"subscription crear-orden of {CREAR} has no consumer"],
        ),
        (con(sana(), funcion=FUNCION, respuesta=None), [f"function {FUNCION} is missing: run deploy.py"]),
        (con(sana(), funcion=FUNCION, respuesta="HTTP 403"), [f"function {FUNCION} can't be looked at: HTTP 403"]),
        (
            con(sana(), funcion=FUNCION, respuesta=estado(running=False, error="\nAborted\nno python3\n")),
            [f"function {FUNCION} runs 0 of 1 instances: no python3"],
        ),
        (
            con(sana(), CARTAS, suscripcion="cuarentena", consumers=[], msgBacklog=2),
            [f"2 dead letters in {CARTAS}: see dlq.py list"],
        ),
        (con(sana(), CARTAS, respuesta=None), [f"topic {CARTAS} is missing: run provision.py"]),
        (con(sana(), CARTAS, respuesta=stats()), [f"subscription cuarentena of {CARTAS} is missing: run provision.py"]),
        (sana(sin_worker="nobody"), ["no functions worker (PULSAR_FUNCTIONS_URL): nobody"]),
    ],
)
def test_what_is_wrong_is_said_and_named(mal: Mirada, dicho: list[str]) -> None:
    assert textos(mal) == dicho


def test_what_the_history_of_deployments_keeps_is_not_late() -> None:
    de_la_historia = stats("historia", "otra")
    for una in de_la_historia["subscriptions"].values():
        una |= atrasada(3600)
    mirada = sana()
    mirada = replace(mirada, topics={**mirada.topics, "despliegues/historia": de_la_historia})
    (dicho,) = textos(mirada)
    assert dicho.startswith("subscription otra of despliegues/historia is late")


def test_an_old_message_is_late_at_the_limit_and_not_before() -> None:
    vieja = con(sana(), CREAR, suscripcion="crear-orden", **atrasada(61))
    assert textos(vieja) == [f"subscription crear-orden of {CREAR} is late: its oldest message has been due for 61 s"]
    assert textos(vieja, max_edad=61) == []
    assert textos(con(sana(), CREAR, suscripcion="crear-orden", **atrasada(59))) == []


def test_a_sender_whose_clock_is_ahead_makes_nothing_late() -> None:
    visto = cuadro(con(sana(), CREAR, suscripcion="crear-orden", **atrasada(-5000)), ESPERADO)
    assert (visto.topics[3].nombre, visto.topics[3].edad) == (CREAR, 0.0)


def test_messages_for_later_are_late_only_once_their_time_has_come() -> None:
    """By DEMORAS, 120 s; whether the broker has counted them as delayed or not."""
    for luego in (3, 0):
        esperan = con(sana(), VERIFICAR, suscripcion="verificar-orden", **atrasada(119, msgDelayed=luego))
        assert textos(esperan, max_edad=1) == []
        assert cuadro(esperan, ESPERADO).suscripciones[-1].edad is None
    vencida = con(sana(), VERIFICAR, suscripcion="verificar-orden", **atrasada(181))
    assert textos(vencida) == [
        f"subscription verificar-orden of {VERIFICAR} is late: its oldest message has been due for 61 s"
    ]


def test_what_a_listener_leaves_unread_is_nobodys_fault_but_a_forgotten_subscription_is() -> None:
    oyente = con(sana(), CREAR, suscripcion="reader-1", **atrasada(900, isDurable=False, consumers=[]))
    assert textos(oyente) == []
    olvidada = con(sana(), CREAR, suscripcion="prueba", **atrasada(900, consumers=[]))
    assert textos(olvidada) == [f"subscription prueba of {CREAR} is late: its oldest message has been due for 900 s"]


def test_a_restart_is_one_since_the_look_before_only() -> None:
    antes = con(sana(), funcion=FUNCION, respuesta=estado(numRestarts=3))
    ahora = con(sana(hora=AHORA + 2), funcion=FUNCION, respuesta=estado(numRestarts=5))
    assert textos(ahora, antes) == [f"function {FUNCION} restarted 2 times since the look before"]
    assert textos(ahora, ahora) == textos(ahora) == []
    assert textos(antes, ahora) == []  # a functions worker that began anew


def test_more_instances_than_the_repository_says_must_run_too() -> None:
    dos: Respuesta = estado() | {"numInstances": 2}
    assert textos(con(sana(), funcion=FUNCION, respuesta=dos)) == [f"function {FUNCION} runs 1 of 2 instances"]


def test_rates_are_those_since_the_look_before_or_the_brokers() -> None:
    def ritmos(mirada: Mirada, antes: Mirada | None = None) -> tuple[float, float]:
        visto = cuadro(mirada, ESPERADO, antes)
        return next((topic.entrada, topic.salida) for topic in visto.topics if topic.nombre == CREAR)

    luego = sana(hora=AHORA + 4)
    assert ritmos(sana()) == (1.5, 2.5)
    assert ritmos(con(luego, CREAR, respuesta=stats(msgInCounter=50, msgOutCounter=70)), sana()) == (5.0, 2.5)
    assert ritmos(con(luego, CREAR, respuesta=stats(msgInCounter=1)), sana()) == (1.5, 0.0)  # the topic moved


def test_the_newest_exception_is_the_last_error() -> None:
    def excepcion(texto: str, cuando: int) -> dict[str, Any]:
        return {"exceptionString": f"Traceback\n  …\n{texto}\n", "timestampMs": cuando}

    respuesta = estado(
        numUserExceptions=2,
        latestUserExceptions=[excepcion("ValueError: uno", 2), excepcion("ValueError: dos", 1)],
        numSystemExceptions=1,
        latestSystemExceptions=[excepcion("KeyError: tres", 0)],
    )
    visto = cuadro(con(sana(), funcion=FUNCION, respuesta=respuesta), ESPERADO)
    funcion = next(una for una in visto.funciones if una.nombre == FUNCION)
    assert (funcion.excepciones, funcion.ultimo_error, funcion.ultima_invocacion) == (3, "ValueError: uno", AHORA - 3)
    assert quejas(visto) == []


def test_once_prints_every_row_and_each_reason_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert una_vez(FuenteFalsa(sana()), 60, en_json=False) == 0
    salida, errores = capsys.readouterr()
    assert errores == ""
    for nombre in (*ESPERADO.suscripciones, *ESPERADO.instancias):
        assert f" {nombre} " in salida
    assert salida.rstrip().endswith("2027-01-15T08:00:00.000Z http://cluster: healthy")
    mala = con(sana(), funcion=FUNCION, respuesta=estado(running=False, error="\x1b[31mroto"))
    assert una_vez(FuenteFalsa(mala), 60, en_json=False) == 1
    salida, errores = capsys.readouterr()
    assert errores == f"unhealthy: function {FUNCION} runs 0 of 1 instances: \\x1b[31mroto\n"
    assert "\x1b" not in salida
    assert f"not running  {FUNCION} " in salida
    assert salida.rstrip().endswith(": unhealthy")


def test_json_is_one_document_with_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    mala = con(sana(), CARTAS, suscripcion="cuarentena", consumers=[], msgBacklog=1)
    assert una_vez(FuenteFalsa(mala), 60, en_json=True) == 1
    documento = json.loads(capsys.readouterr().out)
    assert (documento["reachable"], documento["healthy"]) == (True, False)
    assert documento["unhealthy"] == [f"1 dead letter in {CARTAS}: see dlq.py list"]
    assert {topic["topic"] for topic in documento["topics"] + documento["dead_letters"]} == set(ESPERADO.suscripciones)
    assert {funcion["function"] for funcion in documento["functions"]} == set(ESPERADO.instancias)
    suyas = next(topic["subscriptions"] for topic in documento["topics"] if topic["topic"] == CREAR)
    assert [(una["subscription"], una["function"]) for una in suyas] == [
        ("crear-orden", FUNCION),
        ("registrar-saga", "saga/registrar-saga"),
    ]
    assert suyas[0]["last_acked"] == "2027-01-15T07:59:56.000Z"


def test_a_cluster_that_is_away_is_3_and_said_in_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert una_vez(FuenteFalsa("nobody answers"), 60, en_json=True) == 3
    salida, errores = capsys.readouterr()
    assert errores == "error: nobody answers\n"
    assert json.loads(salida) == {
        "cluster": "http://cluster",
        "reachable": False,
        "healthy": False,
        "unhealthy": ["nobody answers"],
    }


@pytest.mark.parametrize(
    ("argumentos", "url", "dicho"),
    [
        (["--once", "--max-age", "0"], "http://127.0.0.1:1", "'0': it must be more than 0"),
        (["--once", "otra"], "http://127.0.0.1:1", "unrecognized arguments: otra"),
        (["--once"], "127.0.0.1:8080", "can't use PULSAR_ADMIN_URL"),
        ([], "http://127.0.0.1:1", "the live view needs a terminal; --once and --json don't"),
    ],
)
def test_wrong_usage_and_settings_are_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    en_primer_plano: None,
    argumentos: list[str],
    url: str,
    dicho: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["monitor.py", *argumentos])
    monkeypatch.setenv("PULSAR_ADMIN_URL", url)
    try:
        codigo: object = main()
    except SystemExit as fin:
        codigo = fin.code
    assert (codigo, dicho in capsys.readouterr().err) == (2, True)


def test_sizes_and_ages_are_readable() -> None:
    assert [bytes_(n) for n in (0, 999, 1000, 1_234_567, 2e9, 3e15)] == [
        *("0 B", "999 B", "1.0 kB", "1.2 MB", "2.0 GB", "3000.0 TB"),
    ]
    assert [edad(s) for s in (None, 0.4, 119, 120, 7199, 7200, 3600 * 47, 86400 * 3)] == [
        *("–", "0 s", "119 s", "2 min", "120 min", "2 h", "47 h", "3 d"),
    ]
