"""Grafana's dashboards: up to date, well-formed, and every query is one that Prometheus understands."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from dashboards import CARPETA, caducos
from package import configuraciones
from provision_cli import suscripciones
from topics import PREFIJO

from tests.prometheus import consultas, promtool

TABLEROS: Final = {ruta.stem: json.loads(ruta.read_text("utf-8")) for ruta in sorted(CARPETA.glob("*.json"))}


def opciones(tablero: str, variable: str) -> list[str]:
    (encontrada,) = (v for v in TABLEROS[tablero]["templating"]["list"] if v["name"] == variable)
    return str(encontrada["query"]).split(",")


def casillas(panel: Any) -> set[tuple[int, int]]:
    sitio = panel["gridPos"]
    return {
        (x, y) for x in range(sitio["x"], sitio["x"] + sitio["w"]) for y in range(sitio["y"], sitio["y"] + sitio["h"])
    }


def test_the_dashboards_are_up_to_date() -> None:
    assert caducos() == []


def test_a_dashboard_of_another_topology_is_stale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for ruta in CARPETA.glob("*.json"):
        (tmp_path / ruta.name).write_text(ruta.read_text("utf-8").replace("crear-orden", "hacer-orden"), "utf-8")
    monkeypatch.setattr("dashboards.CARPETA", tmp_path)
    assert [ruta.stem for ruta in caducos()] == ["functions", "sagas", "topic"]


def test_every_topic_and_every_function_can_be_chosen() -> None:
    assert sorted(opciones("topic", "topic")) == sorted(topic.removeprefix(PREFIJO) for topic in suscripciones())
    assert sorted(opciones("functions", "function")) == sorted(configuraciones())


@pytest.mark.parametrize("nombre", TABLEROS)
def test_panels_have_an_id_each_and_do_not_overlap(nombre: str) -> None:
    paneles = TABLEROS[nombre]["panels"]
    assert len({panel["id"] for panel in paneles}) == len(paneles)
    ocupadas: set[tuple[int, int]] = set()
    for panel in paneles:
        propias = casillas(panel)
        assert not propias & ocupadas, panel["title"]
        assert max(x for x, _ in propias) < 24, panel["title"]
        ocupadas |= propias


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    reglas = [{"record": f"consulta:{n}", "expr": expr} for n, expr in enumerate(consultas())]
    assert len(reglas) > 50
    archivo = tmp_path / "consultas.yml"
    archivo.write_text(yaml.dump({"groups": [{"name": "consultas", "rules": reglas}]}), "utf-8")
    promtool("check", "rules", str(archivo))
