"""Grafana's dashboards: up to date, well-formed, and every query is one that Prometheus understands."""

import json
import time
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from tools.cluster.repository import function_configs
from tools.cluster.topics import subscriptions
from tools.dashboards import draw
from tools.dashboards.cli import FOLDER, stale
from tools.errors import ToolError

from functions.messages.topics import PREFIX
from tests.support.prometheus import promtool, queries
from tests.support.server import RequestHandler, serving

DASHBOARDS: Final = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def options(dashboard: str, variable: str) -> list[str]:
    (found,) = (v for v in DASHBOARDS[dashboard]["templating"]["list"] if v["name"] == variable)
    return str(found["query"]).split(",")


def grid_cells(panel: Any) -> set[tuple[int, int]]:
    position = panel["gridPos"]
    return {
        (x, y)
        for x in range(position["x"], position["x"] + position["w"])
        for y in range(position["y"], position["y"] + position["h"])
    }


def test_the_dashboards_are_up_to_date() -> None:
    assert stale() == []


def test_a_dashboard_of_another_topology_is_stale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for path in FOLDER.glob("*.json"):
        (tmp_path / path.name).write_text(path.read_text("utf-8").replace("crear-orden", "hacer-orden"), "utf-8")
    monkeypatch.setattr("tools.dashboards.cli.FOLDER", tmp_path)
    assert [path.stem for path in stale()] == ["functions", "sagas", "topic"]


def test_every_topic_and_every_function_can_be_chosen() -> None:
    assert sorted(options("topic", "topic")) == sorted(topic.removeprefix(PREFIX) for topic in subscriptions())
    assert sorted(options("functions", "function")) == sorted(function_configs())


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_an_id_each_and_do_not_overlap(name: str) -> None:
    panels = DASHBOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    occupied: set[tuple[int, int]] = set()
    for panel in panels:
        own_cells = grid_cells(panel)
        assert not own_cells & occupied, panel["title"]
        assert max(x for x, _ in own_cells) < 24, panel["title"]
        occupied |= own_cells


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"query:{n}", "expr": expr} for n, expr in enumerate(queries())]
    assert len(rules) > 50
    file = tmp_path / "queries.yml"
    file.write_text(yaml.dump({"groups": [{"name": "queries", "rules": rules}]}), "utf-8")
    promtool("check", "rules", str(file))


class FakePrometheus(RequestHandler):
    """Three points of one series for each query; remembers the queries."""

    queries: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        (expr,) = parse_qs(urlsplit(self.path).query)["query"]
        self.queries.append(expr)
        labels = {"topic": f"{PREFIX}ordenes/evento-orden", "name": "crear-orden", "alertname": "SagaLate"}
        points = [[time.time() - seconds_ago, str(seconds_ago)] for seconds_ago in (60, 30, 0)]
        body = json.dumps({"data": {"result": [{"metric": labels, "values": points}]}}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)


def test_every_panel_can_be_drawn_from_what_prometheus_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    FakePrometheus.queries.clear()
    with serving(FakePrometheus) as port:
        argv = ["dashboards_draw.py", "--prometheus", f"http://127.0.0.1:{port}", "--output", str(tmp_path)]
        monkeypatch.setattr("sys.argv", argv)
        assert draw.main() == 0
    expressions = {target["expr"] for t in DASHBOARDS.values() for p in t["panels"] for target in p.get("targets", ())}
    assert set(FakePrometheus.queries) == {draw._substituted(expr) for expr in expressions}
    assert not any("$" in expr for expr in FakePrometheus.queries)
    drawings = sorted(tmp_path.glob("*.png"))
    assert [drawing.stem for drawing in drawings] == list(DASHBOARDS)
    assert capsys.readouterr().out.split() == [str(drawing) for drawing in drawings]


def test_drawing_without_prometheus_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["dashboards_draw.py", "--prometheus", "http://127.0.0.1:9", "--output", str(tmp_path)]
    )
    with pytest.raises(ToolError, match=r"^Prometheus at http://127\.0\.0\.1:9 does not answer.*make prometheus"):
        draw.main()
