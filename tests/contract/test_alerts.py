"""The alerts: each fires when it should and only then, says what is wrong, and has its section in the runbook."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from tools.cluster.repository import function_configs
from tools.cluster.topics import HISTORY_SUBSCRIPTION, subscriptions

from deployment.monitoring.render import SOURCES
from tests.support.prometheus import Rule, alerts, promtool, rules

RULE_TESTS: Final = sorted((SOURCES / "tests").glob("*_test.yml"))
SECTION_TITLE: Final = re.compile(r"^### (\w+)$", re.MULTILINE)


def name(rule: Any) -> str:
    return str(rule["alert"])


def evaluations(alert: str) -> list[tuple[str, bool]]:
    """Every look of the unit tests at an alert that fires: when, in order, and whether it does."""
    selector = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
    cases = [case for path in RULE_TESTS for case in yaml.safe_load(path.read_text("utf-8"))["tests"]]
    observations = [observation for case in cases for observation in case.get("promql_expr_test", ())]
    return [(m["eval_time"], bool(m.get("exp_samples"))) for m in observations if selector in m["expr"]]


def test_the_configuration_is_valid() -> None:
    promtool("check", "config", "prometheus.yml")


def test_the_rules_are_valid() -> None:
    promtool("check", "rules", *(str(path) for path in sorted((SOURCES / "rules").glob("*.yml"))))


@pytest.mark.parametrize("rule_test", RULE_TESTS, ids=lambda path: path.stem)
def test_the_alerts_fire_when_they_should_and_only_then(rule_test: Path) -> None:
    promtool("test", "rules", str(rule_test))


@pytest.mark.parametrize("alert", alerts(), ids=name)
def test_each_alert_is_tested_before_while_and_after_it_fires(alert: Rule) -> None:
    observations = [is_firing for _, is_firing in evaluations(name(alert))]
    assert True in observations
    assert observations[0] is observations[-1] is False


@pytest.mark.parametrize("alert", alerts(), ids=name)
def test_each_alert_says_how_bad_it_is_what_is_wrong_with_which_value_and_what_to_do(alert: Rule) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    texts = alert["annotations"]
    assert set(texts) == {"summary", "description", "runbook_url"}
    assert "{{" in texts["description"]
    assert texts["runbook_url"] == f"deployment/monitoring/RUNBOOK.md#{name(alert).lower()}"


def test_each_alert_has_its_section_in_the_runbook_and_each_section_its_alert() -> None:
    assert sorted(SECTION_TITLE.findall((SOURCES / "RUNBOOK.md").read_text("utf-8"))) == sorted(map(name, alerts()))


def test_sagas_are_late_and_stuck_after_their_deadlines() -> None:
    """The deadlines are in the functions' configuration, the same in both functions."""
    config = function_configs()["verificar-orden"]["userConfig"]
    ((first, second, third, *_),) = config["DEMORAS"].values()
    limits = {name(a): int(a["expr"].rpartition(">")[2]) for a in alerts() if "oldest_open_order" in a["expr"]}
    assert first < limits["SagaLate"] < second
    assert first + second + third < limits["SagaStuck"] < 2 * third
    assert config["PLAZO"] / 2 < limits["OrdersGivenUpSoon"] < config["PLAZO"]
    created_with = function_configs()["crear-orden"]["userConfig"]
    assert [created_with[key] for key in ("DEMORAS", "PLAZO")] == [config[key] for key in ("DEMORAS", "PLAZO")]


def test_only_subscriptions_that_no_function_reads_are_left_out() -> None:
    excluded = {pattern for rule in rules() for pattern in re.findall(r'subscription!~"([^"]+)"', str(rule["expr"]))}
    (pattern,) = excluded
    all_items = {name for names in subscriptions().values() for name in names} | {HISTORY_SUBSCRIPTION}
    function_subscriptions = {config["subName"] for config in function_configs().values()}
    assert {name for name in all_items if not re.fullmatch(pattern, name)} == function_subscriptions
