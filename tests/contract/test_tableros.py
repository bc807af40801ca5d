"""Grafana's dashboards: up to date, well-formed, and every query is one that Prometheus understands."""

import json
import time
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

import dashboards_draw
import pytest
import yaml
from dashboards import CARPETA, caducos
from package import configuraciones
from provision_cli import suscripciones
from topics import PREFIJO

from tests.prometheus import consultas, promtool
from tests.servidor import Peticion, sirviendo

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


class PrometheusFalso(Peticion):
    """Three points of one series for each query; remembers the queries."""

    preguntas: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        (expr,) = parse_qs(urlsplit(self.path).query)["query"]
        self.preguntas.append(expr)
        etiquetas = {"topic": f"{PREFIJO}ordenes/evento-orden", "name": "crear-orden", "alertname": "SagaLate"}
        puntos = [[time.time() - atras, str(atras)] for atras in (60, 30, 0)]
        cuerpo = json.dumps({"data": {"result": [{"metric": etiquetas, "values": puntos}]}}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(cuerpo)


def test_every_panel_can_be_drawn_from_what_prometheus_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    PrometheusFalso.preguntas.clear()
    with sirviendo(PrometheusFalso) as puerto:
        orden = ["dashboards_draw.py", "--prometheus", f"http://127.0.0.1:{puerto}", "--output", str(tmp_path)]
        monkeypatch.setattr("sys.argv", orden)
        assert dashboards_draw.main() == 0
    todas = {serie["expr"] for t in TABLEROS.values() for p in t["panels"] for serie in p.get("targets", ())}
    assert set(PrometheusFalso.preguntas) == {dashboards_draw._elegida(expr) for expr in todas}
    assert not any("$" in expr for expr in PrometheusFalso.preguntas)
    dibujos = sorted(tmp_path.glob("*.png"))
    assert [dibujo.stem for dibujo in dibujos] == list(TABLEROS)
    assert capsys.readouterr().out.split() == [str(dibujo) for dibujo in dibujos]


def test_drawing_without_prometheus_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["dashboards_draw.py", "--prometheus", "http://127.0.0.1:9", "--output", str(tmp_path)]
    )
    with pytest.raises(
        SystemExit, match=r"error: Prometheus at http://127\.0\.0\.1:9 does not answer.*make prometheus"
    ):
        dashboards_draw.main()
