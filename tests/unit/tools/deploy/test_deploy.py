"""What looks at functions say of a deployment, and which version a rollback goes to."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tools.deploy.logs import Logs
from tools.deploy.model import ABSENT, KEPT, Version, View, kept
from tools.deploy.rollback import chosen, require_running, targets
from tools.deploy.watched import WatchedFunction
from tools.errors import ToolError

NO_PORT = "OSError: [Errno 98] Address already in use"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
CONFIG: dict[str, Any] = {"name": "crear-orden", "namespace": "ordenes", "userConfig": {}}


def healthy(consumer: str, restarts: int = 0, **figures: Any) -> View:
    return View("", {consumer: NOW}, {0: restarts}, **figures)


def starting(*restarts: int) -> View:
    """Instances that don't run, with those counts of restarts."""
    return View("starting", {}, dict(enumerate(restarts)))


def observed(is_new: bool, before: View, *views: View) -> WatchedFunction:
    """After one look each second."""
    watched = WatchedFunction(is_new, before)
    for timestamp, view in enumerate(views):
        watched.update(view, timestamp)
    return watched


def test_a_new_version_runs_when_two_looks_see_the_same_new_consumer() -> None:
    old, new, away = healthy("viejo"), healthy("nuevo"), starting()
    assert observed(True, old, old, old).stable_for < 0
    assert observed(True, old, away, new).stable_for == 0
    assert observed(True, old, old, away, new, new, new).stable_for == 2
    assert observed(True, old, new, healthy("otro")).stable_for == 0
    assert observed(True, old, new, away).stable_for < 0


def test_an_unchanged_function_runs_at_the_first_look_however_often_it_died_before() -> None:
    watched = observed(False, View(), healthy("viejo", restarts=9))
    assert watched.stable_for == 0
    assert watched.broken("") == ""


@pytest.mark.parametrize("looks", [[View("no answer"), healthy("viejo", 5)], [starting(), healthy("viejo", 5)]])
def test_what_was_not_known_at_first_is_no_death(looks: list[View]) -> None:
    """A worker that can't ask the one that has an instance knows of no restart."""
    watched = observed(False, View(), *looks)
    assert watched.deaths == 0
    assert watched.runs(0)


def test_deaths_from_before_that_nobody_could_tell_are_not_the_new_versions() -> None:
    watched = observed(True, View("no answer"), healthy("nuevo", 5), healthy("nuevo", 5))
    assert watched.deaths == 0
    assert observed(True, View("no answer"), starting(5), starting(6), starting(7)).deaths == 2


@pytest.mark.parametrize(
    ("before", "looks", "deaths"),
    [
        (0, [0, 1], 1),
        (5, [5, 5, 0, 1], 1),  # the version before's count, then the new one's
        (5, [5, 2], 2),
        (7, [9, 0, 1], 1),  # the version before died twice more until it was replaced
        (1, [1, 2, 3], 2),
    ],
)
def test_deaths_are_counted_since_the_deployment(before: int, looks: list[int], deaths: int) -> None:
    watched = observed(True, healthy("viejo", restarts=before), *(starting(restarts) for restarts in looks))
    assert watched.deaths == deaths
    assert bool(watched.broken("Traceback")) == (deaths >= 2)


def test_instances_that_are_replaced_one_after_the_other_have_not_died() -> None:
    """The sum of their counts falls from 10 to 5."""
    before = View("", {"viejo": NOW}, {0: 5, 1: 5})
    assert observed(True, before, starting(5, 5), starting(0, 5), starting(0, 0)).deaths == 0


def test_what_runs_is_said_to_run_however_often_it_died_before() -> None:
    watched = observed(True, healthy("viejo"), starting(5), *[healthy("nuevo", 5)] * 5)
    assert watched.deaths == 5
    assert watched.broken("Traceback") == ""
    assert watched.runs(0)


def test_a_function_that_was_not_there_before_may_die_more_often_on_a_cold_cluster() -> None:
    watched = observed(True, ABSENT, starting(0), starting(7))
    assert watched.broken("") == ""
    assert watched.broken("Traceback\n_pulsar.ConnectError: Pulsar error: ConnectError") == ""
    assert "died 7 times" in watched.broken("Traceback\nSyntaxError: x")


@pytest.mark.parametrize("line", ["_pulsar.Timeout: x", "RuntimeError: Failed to bind to address [::]:1; x", NO_PORT])
def test_an_instance_without_a_broker_or_a_port_says_nothing_of_its_code(line: str) -> None:
    watched = observed(True, healthy("viejo"), starting(2))
    assert watched.broken(f"Traceback\n{line}") == ""
    assert watched.broken("Traceback\nZeroDivisionError") != ""
    assert watched.broken("Traceback\nRuntimeError: x") != ""


@pytest.mark.parametrize(
    ("deaths", "traceback", "broken"), [(2, "", False), (4, "", False), (5, "", True), (2, "x", True)]
)
def test_a_death_without_a_traceback_may_be_due_to_a_busy_machine(deaths: int, traceback: str, broken: bool) -> None:
    watched = observed(True, healthy("viejo"), starting(0), starting(deaths))
    assert bool(watched.broken(traceback)) == broken


def test_a_worker_that_does_not_answer_is_no_death() -> None:
    watched = observed(True, healthy("viejo", restarts=5), View("503"), starting(5), View("503"))
    assert watched.deaths == 0


def test_an_exception_counts_only_when_it_must_be_the_new_versions() -> None:
    is_new = healthy("nuevo", exceptions=("Traceback: ZeroDivisionError",))
    assert observed(True, healthy("viejo"), healthy("viejo", exceptions=("Traceback",))).broken("") == ""
    assert observed(True, healthy("viejo"), is_new).broken("") == ""
    assert "ZeroDivisionError" in observed(True, healthy("viejo"), is_new, is_new).broken("")
    assert observed(False, View(), is_new, is_new).broken("") == ""


def version(number: int, function: str, package: str, failure: str = "") -> Version:
    config = {"name": function, "userConfig": {"PACKAGE": package}}
    return Version(number, function, "deploy", "2026-11-25T00:00:00+00:00", "ana@pc", "abc", config, failure, b"")


VERSIONS = [
    version(1, "a", "1"),
    version(1, "b", "1"),
    version(2, "a", "2"),
    version(3, "b", "2", "it died"),
    version(4, "a", "3"),
    version(4, "c", "1"),
]


def goes_back(present: dict[str, str], until: int | None = None, named: bool = True) -> dict[str, int]:
    running = {name: {"userConfig": {"PACKAGE": package}, "name": name} for name, package in present.items()}
    return {n: v.number for n, v in targets(VERSIONS, running, until, named).items()}


def test_a_rollback_goes_to_the_last_version_that_is_not_what_runs() -> None:
    assert goes_back({"a": "3"}) == {"a": 2}
    assert goes_back({"a": "2"}) == {"a": 4}
    assert goes_back({"a": "by hand", "b": "by hand"}) == {"a": 4, "b": 1}


def test_a_rollback_to_a_version_takes_what_ran_then_and_nothing_that_failed() -> None:
    assert goes_back({"a": "3", "b": "1"}, 3) == {"a": 2, "b": 1}
    assert goes_back({"a": "3", "b": "1", "c": "1"}, 2, named=False) == {"a": 2, "b": 1}


@pytest.mark.parametrize(("present", "until"), [({"b": "1"}, None), ({"c": "1"}, 3)])
def test_a_rollback_to_what_is_not_on_record_is_refused(present: dict[str, str], until: int | None) -> None:
    with pytest.raises(ToolError, match="nothing was changed"):
        goes_back(present, until)


def test_without_names_the_last_deployment_is_undone_and_to_a_version_all_functions_go_back() -> None:
    assert chosen(VERSIONS, [], None) == ["a", "c"]
    assert chosen(VERSIONS, [], 1) == ["a", "b", "c"]
    assert chosen(VERSIONS, ["b"], None) == ["b"]


def test_a_deployment_that_was_put_back_at_once_is_not_undone_once_more() -> None:
    fallida = [*VERSIONS, version(5, "a", "4", "it died")]
    assert chosen(fallida, [], None) == ["a"]
    with pytest.raises(ToolError, match="it is undone already"):
        require_running(fallida, {"a": {"name": "a", "userConfig": {"PACKAGE": "3"}}})
    require_running(fallida, {"a": {"name": "a", "userConfig": {"PACKAGE": "4"}}})


def test_the_last_versions_of_each_function_are_kept() -> None:
    all_versions = [version(1, "b", "1"), *(version(number, "a", str(number)) for number in range(1, 15))]
    remaining = kept(all_versions)
    assert [v.number for v in remaining if v.function == "a"] == list(range(15 - KEPT, 15))
    assert [v.number for v in remaining if v.function == "b"] == [1]


def test_the_last_traceback_since_the_deployment_is_found_in_the_logs(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "monoliticas/ordenes/crear-orden/crear-orden-0.log"
    log.parent.mkdir(parents=True)
    traceback = "[2026-11-25 00:00:00 +0000] [CRITICAL] main.py: could not start\nTraceback (most recent call last):\n"
    log.write_text(f"{traceback}OldError: x\n")
    monkeypatch.setenv("FUNCTIONS_LOGS", str(tmp_path))
    logs = Logs([CONFIG])
    assert logs.traceback("crear-orden") == ""
    with log.open("a") as opened:
        opened.write(f"{traceback}  File x\nNewError: y\n[2026-11-25 00:00:01 +0000] [INFO] main.py: Starting\n")
    assert logs.traceback("crear-orden") == f"{traceback}  File x\nNewError: y"
    assert logs.traceback("otra") == ""
