"""The alerts: each fires when it should and only then, says what is wrong, and has its section in the runbook."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from package import configuraciones
from provision_cli import suscripciones
from topics import RETIENE

from deployment.monitoring.render import SOURCES
from functions.ordenes.dominio import INTENTOS
from tests.prometheus import Regla, alertas, promtool, reglas

PRUEBAS: Final = sorted((SOURCES / "tests").glob("*_test.yml"))
TITULO: Final = re.compile(r"^### (\w+)$", re.MULTILINE)


def nombre(regla: Any) -> str:
    return str(regla["alert"])


def vistas(alerta: str) -> list[tuple[str, bool]]:
    """Every look of the unit tests at an alert that fires: when, in order, and whether it does."""
    selector = f'ALERTS{{alertname="{alerta}",alertstate="firing"}}'
    casos = [caso for ruta in PRUEBAS for caso in yaml.safe_load(ruta.read_text("utf-8"))["tests"]]
    miradas = [mirada for caso in casos for mirada in caso.get("promql_expr_test", ())]
    return [(m["eval_time"], bool(m.get("exp_samples"))) for m in miradas if selector in m["expr"]]


def test_the_configuration_is_valid() -> None:
    promtool("check", "config", "prometheus.yml")


def test_the_rules_are_valid() -> None:
    promtool("check", "rules", *(str(ruta) for ruta in sorted((SOURCES / "rules").glob("*.yml"))))


@pytest.mark.parametrize("prueba", PRUEBAS, ids=lambda ruta: ruta.stem)
def test_the_alerts_fire_when_they_should_and_only_then(prueba: Path) -> None:
    promtool("test", "rules", str(prueba))


@pytest.mark.parametrize("alerta", alertas(), ids=nombre)
def test_each_alert_is_tested_before_while_and_after_it_fires(alerta: Regla) -> None:
    miradas = [activa for _, activa in vistas(nombre(alerta))]
    assert True in miradas
    assert miradas[0] is miradas[-1] is False


@pytest.mark.parametrize("alerta", alertas(), ids=nombre)
def test_each_alert_says_how_bad_it_is_what_is_wrong_with_which_value_and_what_to_do(alerta: Regla) -> None:
    assert alerta["labels"]["severity"] in ("critical", "warning")
    textos = alerta["annotations"]
    assert set(textos) == {"summary", "description", "runbook_url"}
    assert "{{" in textos["description"]
    assert textos["runbook_url"] == f"deployment/monitoring/RUNBOOK.md#{nombre(alerta).lower()}"


def test_each_alert_has_its_section_in_the_runbook_and_each_section_its_alert() -> None:
    assert sorted(TITULO.findall((SOURCES / "RUNBOOK.md").read_text("utf-8"))) == sorted(map(nombre, alertas()))


def test_sagas_are_late_and_stuck_after_their_deadlines() -> None:
    """The deadlines are in the functions' configuration."""
    (demora,) = configuraciones()["verificar-orden"]["userConfig"]["DEMORAS"].values()
    limites = {nombre(a): int(a["expr"].rpartition(">")[2]) for a in alertas() if "oldest_open_order" in a["expr"]}
    assert demora < limites["SagaLate"] < 2 * demora
    assert INTENTOS * demora < limites["SagaStuck"] < (INTENTOS + 2) * demora


def test_only_subscriptions_that_no_function_reads_are_left_out() -> None:
    fuera = {patron for regla in reglas() for patron in re.findall(r'subscription!~"([^"]+)"', str(regla["expr"]))}
    (patron,) = fuera
    todas = {nombre for nombres in suscripciones().values() for nombre in nombres} | {RETIENE}
    de_funciones = {config["subName"] for config in configuraciones().values()}
    assert {nombre for nombre in todas if not re.fullmatch(patron, nombre)} == de_funciones
