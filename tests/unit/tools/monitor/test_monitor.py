"""From what the admin API answers to rows, to what is unhealthy, to what is printed; and exit codes.

Longer than 200 lines: it follows the same figures from the admin API to the screen.
"""

import json
from dataclasses import replace
from typing import Any

import pytest
from tools.cluster.repository import function_configs
from tools.monitor.cli import main, run_once
from tools.monitor.figures import frame
from tools.monitor.health import complaints
from tools.monitor.source import Observation, Response
from tools.monitor.table import age, bytes_

from tests.support.fake_monitor import EXPECTED, NOW, FakeSource, altered, healthy, stats, status

CREAR, VERIFICAR, DEAD_LETTERS = (
    "ordenes/comando-crear-orden",
    "ordenes/comando-verificar-orden",
    "ordenes/crear-orden-dlq",
)
FUNCTION = "ordenes/crear-orden"


def texts(observation: Observation, before: Observation | None = None, max_age: float = 60.0) -> list[str]:
    return [complaint.text for complaint in complaints(frame(observation, EXPECTED, before), max_age)]


def ms(ago: float) -> int:
    """So many seconds before the observation, in ms."""
    return int((NOW - ago) * 1000)


def late(ago: float, **others: Any) -> dict[str, Any]:
    return {"msgBacklog": 3, "earliestMsgPublishTimeInBacklog": ms(ago)} | others


def test_a_cluster_as_it_should_be_is_healthy() -> None:
    assert texts(healthy()) == []


def test_every_topic_subscription_and_function_of_the_repository_is_expected() -> None:
    seen = frame(Observation(NOW, dict.fromkeys(EXPECTED.subscriptions), dict.fromkeys(EXPECTED.instances)), EXPECTED)
    missing = complaints(seen)
    assert {complaint.status for complaint in missing} == {"missing"}
    assert len(missing) == len(EXPECTED.subscriptions) + len(EXPECTED.instances)
    assert len(seen.functions) == len(seen.dead_letters) == len(function_configs())


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (altered(healthy(), CREAR, response=None), [f"topic {CREAR} is missing: run provision.py"]),
        (altered(healthy(), CREAR, response="HTTP 500"), [f"topic {CREAR} can't be looked at: HTTP 500"]),
        (
            altered(healthy(), CREAR, response=stats("registrar-saga")),
            [f"subscription crear-orden of {CREAR} is missing: run provision.py"],
        ),
        (
            altered(healthy(), CREAR, subscription="crear-orden", consumers=[]),
            [f"subscription crear-orden of {CREAR} has no consumer"],
        ),
        (altered(healthy(), function=FUNCTION, response=None), [f"function {FUNCTION} is missing: run deploy.py"]),
        (
            altered(healthy(), function=FUNCTION, response="HTTP 403"),
            [f"function {FUNCTION} can't be looked at: HTTP 403"],
        ),
        (
            altered(healthy(), function=FUNCTION, response=status(running=False, error="\nAborted\nno python3\n")),
            [f"function {FUNCTION} runs 0 of 1 instances: no python3"],
        ),
        (
            altered(healthy(), DEAD_LETTERS, subscription="cuarentena", consumers=[], msgBacklog=2),
            [f"2 dead letters in {DEAD_LETTERS}: see dlq.py list"],
        ),
        (altered(healthy(), DEAD_LETTERS, response=None), [f"topic {DEAD_LETTERS} is missing: run provision.py"]),
        (
            altered(healthy(), DEAD_LETTERS, response=stats()),
            [f"subscription cuarentena of {DEAD_LETTERS} is missing: run provision.py"],
        ),
        (healthy(worker_error="nobody"), ["no functions worker (PULSAR_FUNCTIONS_URL): nobody"]),
    ],
)
def test_what_is_wrong_is_said_and_named(bad: Observation, expected: list[str]) -> None:
    assert texts(bad) == expected


def test_what_the_history_of_deployments_keeps_is_not_late() -> None:
    history_stats = stats("historia", "otra")
    for item in history_stats["subscriptions"].values():
        item |= late(3600)
    observation = healthy()
    observation = replace(observation, topics={**observation.topics, "despliegues/historia": history_stats})
    (expected,) = texts(observation)
    assert expected.startswith("subscription otra of despliegues/historia is late")


def test_an_old_message_is_late_at_the_limit_and_not_before() -> None:
    old = altered(healthy(), CREAR, subscription="crear-orden", **late(61))
    assert texts(old) == [f"subscription crear-orden of {CREAR} is late: its oldest message has been due for 61 s"]
    assert texts(old, max_age=61) == []
    assert texts(altered(healthy(), CREAR, subscription="crear-orden", **late(59))) == []


def test_a_sender_whose_clock_is_ahead_makes_nothing_late() -> None:
    seen = frame(altered(healthy(), CREAR, subscription="crear-orden", **late(-5000)), EXPECTED)
    assert [topic.age for topic in seen.topics if topic.name == CREAR] == [0.0]


def test_messages_for_later_are_late_only_once_their_time_has_come() -> None:
    """By the longest of DEMORAS, 3,840 s; whether the broker has counted them as delayed or not."""
    for later in (3, 0):
        waiting = altered(healthy(), VERIFICAR, subscription="verificar-orden", **late(3839, msgDelayed=later))
        assert texts(waiting, max_age=1) == []
        assert frame(waiting, EXPECTED).subscriptions[-1].age is None
    overdue = altered(healthy(), VERIFICAR, subscription="verificar-orden", **late(3901))
    assert texts(overdue) == [
        f"subscription verificar-orden of {VERIFICAR} is late: its oldest message has been due for 61 s"
    ]


def test_what_a_listener_leaves_unread_is_nobodys_fault_but_a_forgotten_subscription_is() -> None:
    listener = altered(healthy(), CREAR, subscription="reader-1", **late(900, isDurable=False, consumers=[]))
    assert texts(listener) == []
    forgotten = altered(healthy(), CREAR, subscription="prueba", **late(900, consumers=[]))
    assert texts(forgotten) == [f"subscription prueba of {CREAR} is late: its oldest message has been due for 900 s"]


def test_a_restart_is_one_since_the_look_before_only() -> None:
    before = altered(healthy(), function=FUNCTION, response=status(numRestarts=3))
    now = altered(healthy(timestamp=NOW + 2), function=FUNCTION, response=status(numRestarts=5))
    assert texts(now, before) == [f"function {FUNCTION} restarted 2 times since the look before"]
    assert texts(now, now) == texts(now) == []
    assert texts(before, now) == []  # a functions worker that began anew


def test_a_worker_that_could_not_ask_about_an_instance_knows_of_no_restart() -> None:
    unknown = altered(healthy(), function=FUNCTION, response=status(running=False, numRestarts=0))
    now = altered(healthy(timestamp=NOW + 2), function=FUNCTION, response=status(numRestarts=5))
    assert texts(now, unknown) == []


def test_more_instances_than_the_repository_says_must_run_too() -> None:
    two: Response = status() | {"numInstances": 2}
    assert texts(altered(healthy(), function=FUNCTION, response=two)) == [f"function {FUNCTION} runs 1 of 2 instances"]


def test_rates_are_those_since_the_look_before_or_the_brokers() -> None:
    def rates(observation: Observation, before: Observation | None = None) -> tuple[float, float]:
        seen = frame(observation, EXPECTED, before)
        return next((topic.rate_in, topic.rate_out) for topic in seen.topics if topic.name == CREAR)

    later = healthy(timestamp=NOW + 4)
    assert rates(healthy()) == (1.5, 2.5)
    assert rates(altered(later, CREAR, response=stats(msgInCounter=50, msgOutCounter=70)), healthy()) == (5.0, 2.5)
    assert rates(altered(later, CREAR, response=stats(msgInCounter=1)), healthy()) == (1.5, 0.0)  # the topic moved


def test_the_newest_exception_is_the_last_error() -> None:
    def exception(text: str, when: int) -> dict[str, Any]:
        return {"exceptionString": f"Traceback\n  …\n{text}\n", "timestampMs": when}

    response = status(
        numUserExceptions=2,
        latestUserExceptions=[exception("ValueError: uno", 2), exception("ValueError: dos", 1)],
        numSystemExceptions=1,
        latestSystemExceptions=[exception("KeyError: tres", 0)],
    )
    seen = frame(altered(healthy(), function=FUNCTION, response=response), EXPECTED)
    function = next(item for item in seen.functions if item.name == FUNCTION)
    assert (function.exceptions, function.last_error, function.last_invocation) == (3, "ValueError: uno", NOW - 3)
    assert complaints(seen) == []


def test_once_prints_every_row_and_each_reason_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_once(FakeSource(healthy()), 60, as_json=False) == 0
    rate_out, errors = capsys.readouterr()
    assert errors == ""
    for name in (*EXPECTED.subscriptions, *EXPECTED.instances):
        assert f" {name} " in rate_out
    assert rate_out.rstrip().endswith("2027-01-15T08:00:00.000Z http://cluster: healthy")
    bad = altered(healthy(), function=FUNCTION, response=status(running=False, error="\x1b[31mroto"))
    assert run_once(FakeSource(bad), 60, as_json=False) == 1
    rate_out, errors = capsys.readouterr()
    assert errors == f"unhealthy: function {FUNCTION} runs 0 of 1 instances: \\x1b[31mroto\n"
    assert "\x1b" not in rate_out
    assert f"not running  {FUNCTION} " in rate_out
    assert rate_out.rstrip().endswith(": unhealthy")


def test_json_is_one_document_with_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    bad = altered(healthy(), DEAD_LETTERS, subscription="cuarentena", consumers=[], msgBacklog=1)
    assert run_once(FakeSource(bad), 60, as_json=True) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["reachable"], document["healthy"]) == (True, False)
    assert document["unhealthy"] == [f"1 dead letter in {DEAD_LETTERS}: see dlq.py list"]
    assert {topic["topic"] for topic in document["topics"] + document["dead_letters"]} == set(EXPECTED.subscriptions)
    assert {function["function"] for function in document["functions"]} == set(EXPECTED.instances)
    own_subscriptions = next(topic["subscriptions"] for topic in document["topics"] if topic["topic"] == CREAR)
    assert [(item["subscription"], item["function"]) for item in own_subscriptions] == [
        ("crear-orden", FUNCTION),
        ("registrar-saga", "saga/registrar-saga"),
    ]
    assert own_subscriptions[0]["last_acked"] == "2027-01-15T07:59:56.000Z"


def test_a_cluster_that_is_away_is_3_and_said_in_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_once(FakeSource("nobody answers"), 60, as_json=True) == 3
    rate_out, errors = capsys.readouterr()
    assert errors == "error: nobody answers\n"
    assert json.loads(rate_out) == {
        "cluster": "http://cluster",
        "reachable": False,
        "healthy": False,
        "unhealthy": ["nobody answers"],
    }


@pytest.mark.parametrize(
    ("arguments", "url", "expected"),
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
    in_foreground: None,
    arguments: list[str],
    url: str,
    expected: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["monitor.py", *arguments])
    monkeypatch.setenv("PULSAR_ADMIN_URL", url)
    try:
        code: object = main()
    except SystemExit as end:
        code = end.code
    assert (code, expected in capsys.readouterr().err) == (2, True)


def test_sizes_and_ages_are_readable() -> None:
    assert [bytes_(n) for n in (0, 999, 1000, 1_234_567, 2e9, 3e15)] == [
        *("0 B", "999 B", "1.0 kB", "1.2 MB", "2.0 GB", "3000.0 TB"),
    ]
    assert [age(s) for s in (None, 0.4, 119, 120, 7199, 7200, 3600 * 47, 86400 * 3)] == [
        *("–", "0 s", "119 s", "2 min", "120 min", "2 h", "47 h", "3 d"),
    ]
