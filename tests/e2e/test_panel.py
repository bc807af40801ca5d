"""The panel in a real browser, on the whole platform."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import jwt
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.test_bff_api import SECRETO, bff_con, orden_de
from tests.e2e.test_saga import crear_producto, final, pedir_orden, registrar_conductores
from tests.load.broker import iniciar, parar
from tests.navegador import navegando
from tests.plataforma import Plataforma

pytestmark = pytest.mark.e2e

ATAQUE: Final = "<img src=x onerror=\"document.title='stolen'\">"
TELEFONO: Final = {"width": 360, "height": 740}
Abrir = Callable[..., Page]
expect.set_options(timeout=15_000)


class Problemas(list[str]):
    """What the browser complains about: scripts, the policy, what could not be loaded."""

    def vigilar(self, pagina: Page) -> None:
        pagina.on(
            "console", lambda mensaje: self.append(mensaje.text) if mensaje.type in ("error", "warning") else None
        )
        pagina.on("pageerror", lambda error: self.append(str(error)))


@pytest.fixture
def problemas() -> Problemas:
    return Problemas()


@pytest.fixture
def abrir(request: pytest.FixtureRequest, tmp_path: Path, problemas: Problemas) -> Iterator[Abrir]:
    """Opens the panel in a browser of its own; options as Playwright names them."""
    try:
        npm = request.getfixturevalue("npm")
    except RuntimeError as error:
        pytest.skip(f"there is no browser, and none can be installed: {error}")
    with ExitStack() as abiertos:

        def abierta(platform: Plataforma, orden: str = "", **opciones: Any) -> Page:
            perfil = tmp_path / uuid4().hex
            contexto = abiertos.enter_context(navegando(npm, perfil, **{"locale": "en-US"} | opciones))
            pagina = contexto.new_page()
            problemas.vigilar(pagina)
            pagina.goto(f"{platform.bff_url}/panel#{orden}")
            return pagina

        yield abierta


def cifra(pagina: Page, topic: str, funcion: str, columna: str) -> Any:
    fila = pagina.locator("#cifras tr").filter(has_text=topic).filter(has=pagina.get_by_text(funcion, exact=True))
    return fila.locator(f".{columna} :nth-child(2)")


def marcar(pagina: Page) -> None:
    """Marks the page: it must not be loaded again."""
    pagina.evaluate("window.marcada = true")


def test_an_order_is_followed_step_by_step_through_a_restart_of_the_bff(
    platform: Plataforma, abrir: Abrir, problemas: Problemas
) -> None:
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    pagina = abrir(platform)
    marcar(pagina)
    parar(platform, "conductores/asignar-conductor")
    try:
        id_orden = pedir_orden(platform, id_producto)
        pagina.locator("#recientes").get_by_role("link", name=id_orden).click()
        expect(pagina.locator("#pasos > li strong")).to_have_text(
            ["Create the order", "Reserve stock", "Assign a driver"]
        )
        expect(pagina.locator("#orden-estado")).to_have_text("The order is under way …")
        expect(cifra(pagina, "conductores/comando-asignar-conductor", "asignar-conductor", "esperan")).to_have_text("1")
        expect(pagina.locator("#recientes li").first.locator(".estado")).to_have_text("created")
        assert problemas == []
        platform.local("restart", "bff")
        problemas.clear()  # nobody answered for a while
    finally:
        iniciar(platform, "conductores/asignar-conductor")
    expect(pagina.locator("#orden-estado")).to_have_text("Started: it has a driver.")
    assert pagina.locator("#pasos > li strong").all_inner_texts()[3:] == ["Ready for dispatch"]
    assert pagina.locator("dd[data-campo=conductor]").inner_text() == final(platform, id_orden)[0]["id_driver"]
    expect(pagina.locator("#recientes li").first.locator(".estado")).to_have_text("started")
    expect(cifra(pagina, "conductores/comando-asignar-conductor", "asignar-conductor", "esperan")).to_have_text("0")
    assert pagina.evaluate("window.marcada")
    assert [problema for problema in problemas if "net::ERR_" not in problema] == []


def test_a_failure_appears_by_itself_with_its_reason_and_keeps_the_focus_where_it_was(
    platform: Plataforma, abrir: Abrir, problemas: Problemas
) -> None:
    id_producto = crear_producto(platform, 1)
    pagina = abrir(platform)
    antes = pedir_orden(platform, id_producto, 2)
    vieja = pagina.locator("#fallidas").get_by_role("link", name=antes)
    vieja.focus()
    nueva = pedir_orden(platform, id_producto, 3)
    primera = pagina.locator("#fallidas > li").first
    expect(primera.get_by_role("link")).to_have_text(nueva)
    expect(primera.locator(".motivo")).to_have_text("not enough stock")
    expect(vieja).to_be_focused()
    pagina.keyboard.press("Enter")
    expect(pagina.locator("#orden-estado")).to_have_text("Failed: not enough stock.")
    expect(pagina.locator("#pasos > li.compensacion")).to_contain_text(["Undo the order"])
    assert pagina.url.endswith(f"#{antes}")
    assert problemas == []


def test_rates_are_those_of_the_broker(platform: Plataforma, abrir: Abrir) -> None:
    pagina = abrir(platform)
    expect(cifra(pagina, "ordenes/comando-crear-orden", "crear-orden", "entran")).to_have_text("0")
    for _ in range(20):
        platform.pedir("POST", "/orders", orden_de(str(uuid4())))
    expect(cifra(pagina, "ordenes/comando-crear-orden", "crear-orden", "entran")).to_have_text(re.compile("[1-9]"))
    expect(cifra(pagina, "ordenes/comando-crear-orden", "registrar-saga", "salen")).to_have_text(re.compile("[0-9]"))
    expect(pagina.locator("#dibujo .topic .insignia").filter(has_text=re.compile("[1-9]")).first).to_be_visible()


def test_what_customers_write_is_text_and_nothing_else(
    platform: Plataforma, abrir: Abrir, problemas: Problemas
) -> None:
    pedido = orden_de(str(uuid4()), user_id=ATAQUE, direccion_entrega=ATAQUE, instrucciones_entrega=ATAQUE)
    id_orden = platform.pedir("POST", "/orders", pedido)[1]["id_orden"]
    final(platform, id_orden)
    pagina = abrir(platform, id_orden)
    expect(pagina.locator("#orden-estado")).to_have_text("Failed: unknown product.")
    for campo in ("cliente", "entrega", "instrucciones"):
        assert pagina.locator(f"dd[data-campo={campo}]").inner_text() == ATAQUE
    pagina.locator("#pasos details").first.click()
    expect(pagina.locator("#pasos pre").first).to_contain_text("<img src=x")
    expect(pagina.locator("#recientes li").filter(has_text=id_orden)).to_contain_text(ATAQUE)
    assert pagina.locator("img").count() == 0
    assert (pagina.title(), problemas) == ("Order panel", [])


def test_the_policy_lets_no_foreign_script_run(platform: Plataforma, abrir: Abrir, problemas: Problemas) -> None:
    pagina = abrir(platform)
    pagina.evaluate("""() => {
        const guion = document.createElement("script");
        guion.textContent = "document.title = 'stolen'";
        document.body.append(guion);
        document.body.setAttribute("style", "display: none");
    }""")
    assert (pagina.title(), len(problemas)) == ("Order panel", 2)
    assert all("Content Security Policy" in problema for problema in problemas)


def test_it_speaks_the_browser_s_language_or_the_chosen_one(platform: Plataforma, abrir: Abrir) -> None:
    id_orden = pedir_orden(platform, str(uuid4()))
    final(platform, id_orden)
    pagina = abrir(platform, id_orden, locale="es-CO")
    expect(pagina.locator("#orden-estado")).to_have_text("Fallida: producto desconocido.")
    expect(pagina.locator("html")).to_have_attribute("lang", "es")
    pagina.get_by_label("Idioma").select_option("English")
    expect(pagina.get_by_role("heading", level=1)).to_have_text("Order panel")
    expect(pagina.locator("#orden-estado")).to_have_text("Failed: unknown product.")
    expect(pagina.locator("#fallidas > li").first.locator(".motivo")).to_have_text("unknown product")
    assert [texto for texto in pagina.locator("[data-t]").all_inner_texts() if "Órdenes" in texto] == []
    pagina.reload()
    expect(pagina.locator("html")).to_have_attribute("lang", "en")


def test_whoever_speaks_another_language_gets_english(platform: Plataforma, abrir: Abrir) -> None:
    pagina = abrir(platform, locale="fr-FR")
    expect(pagina.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("tema", ["light", "dark"])
@pytest.mark.parametrize("tamano", [TELEFONO, {"width": 1280, "height": 900}], ids=["phone", "desktop"])
def test_it_is_accessible_and_never_wider_than_the_screen(
    platform: Plataforma, abrir: Abrir, tema: str, tamano: dict[str, int]
) -> None:
    id_orden = pedir_orden(platform, crear_producto(platform, 1), 2)
    final(platform, id_orden)
    pagina = abrir(platform, id_orden, viewport=tamano, color_scheme=tema, reduced_motion="reduce")
    expect(pagina.locator("#orden-estado.fallida")).to_be_visible()
    expect(cifra(pagina, "ordenes/evento-orden", "proyectar-orden", "esperan")).to_have_text("0")
    for detalles in pagina.locator("#pasos summary").all():
        detalles.click()
    assert pagina.evaluate("document.documentElement.scrollWidth") == tamano["width"]
    assert pagina.evaluate("getComputedStyle(document.querySelector('#pasos li')).animationName") == "none"
    faltas = Axe().run(pagina).response["violations"]
    assert [(falta["id"], [nodo["html"] for nodo in falta["nodes"]]) for falta in faltas] == []


def test_the_keyboard_reaches_the_content_first_and_a_wrong_id_is_said_so(platform: Plataforma, abrir: Abrir) -> None:
    pagina = abrir(platform)
    pagina.keyboard.press("Tab")
    expect(pagina.get_by_role("link", name="Skip to content")).to_be_focused()
    campo = pagina.get_by_label("Order id")
    campo.fill("7")
    campo.press("Enter")
    expect(campo).to_be_focused()
    expect(campo).to_have_attribute("aria-invalid", "true")
    expect(campo).to_have_accessible_description(re.compile("This is no id"))
    campo.fill(f" {uuid4()} ")
    campo.press("Enter")
    expect(pagina.locator("#orden-estado")).to_have_text("There is no such order, or not yet.")
    expect(campo).to_have_attribute("aria-invalid", "false")


@pytest.mark.parametrize(
    ("estado", "cuerpo", "dicho"),
    [
        (200, '{"estado": "sin_broker"}', "The broker does not answer: no figures for now."),
        (200, '{"estado": "sin_permiso"}', "the broker's admin API asks for credentials"),
        (200, '{"estado": "sin_direccion"}', "PULSAR_ADMIN_URL"),
        (429, "{}", "Too many requests; trying again."),
        (500, "{}", "The server failed; trying again."),
        (0, "", "The server does not answer; trying again."),
    ],
)
def test_without_figures_it_is_said_why_and_none_are_left_standing(
    platform: Plataforma, abrir: Abrir, estado: int, cuerpo: str, dicho: str
) -> None:
    pagina = abrir(platform)
    celda = cifra(pagina, "ordenes/evento-orden", "proyectar-orden", "esperan")
    expect(celda).to_have_text("0")
    pagina.route("**/panel/topics", lambda ruta: ruta.fulfill(status=estado, body=cuerpo) if estado else ruta.abort())
    expect(pagina.locator("#topologia-aviso")).to_contain_text(dicho)
    expect(celda).to_have_text("–")
    pagina.unroute("**/panel/topics")
    expect(celda).to_have_text("0")
    expect(pagina.locator("#topologia-aviso")).to_be_empty()


def test_with_tokens_it_asks_for_one_and_shows_what_that_may_see(platform: Plataforma, abrir: Abrir) -> None:
    def token(sub: str, *alcances: str) -> str:
        return jwt.encode({"sub": sub, "exp": time.time() + 600, "scope": " ".join(alcances)}, SECRETO, "HS256")

    de_ana, de_eva = (pedir_orden_de(platform, quien) for quien in ("ana", "eva"))
    with bff_con(platform, BFF_JWT_SECRET=SECRETO):
        pagina = abrir(platform, de_ana)
        expect(pagina.locator("#acceso-motivo")).to_have_text("A valid token is needed.")
        expect(pagina.get_by_role("link", name=de_ana)).to_have_count(0)
        pagina.get_by_label("Token").fill(token("ana", "ordenes:leer"))
        pagina.get_by_role("button", name="Enter").click()
        expect(pagina.locator("#orden-estado")).to_have_text("Failed: unknown product.")
        expect(pagina.locator("#recientes").get_by_role("link", name=de_ana)).to_be_visible()
        expect(pagina.get_by_role("link", name=de_eva)).to_have_count(0)
        expect(pagina.locator("#topologia-aviso")).to_have_text("The token does not have the scope metricas:leer.")
        pagina.get_by_role("button", name="Forget the token").click()
        expect(pagina.locator("#acceso")).to_be_visible()
        pagina.get_by_label("Token").fill(token("root", "ordenes:leer", "ordenes:administrar", "metricas:leer"))
        pagina.get_by_label("Token").press("Enter")
        expect(pagina.locator("#recientes").get_by_role("link", name=de_eva)).to_be_visible()
        expect(cifra(pagina, "ordenes/evento-orden", "proyectar-orden", "esperan")).to_have_text("0")
        pagina.reload()
        expect(pagina.locator("#recientes").get_by_role("link", name=de_eva)).to_be_visible()


def pedir_orden_de(platform: Plataforma, quien: str) -> str:
    """One that fails."""
    id_orden = str(platform.pedir("POST", "/orders", orden_de(str(uuid4()), user_id=quien))[1]["id_orden"])
    final(platform, id_orden)
    return id_orden
