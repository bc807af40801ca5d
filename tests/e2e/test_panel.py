"""The panel in a real browser, on the whole platform.

Longer than 200 lines: its tests share the browser and what reads the page.
"""

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
from playwright.sync_api import Page, Route, expect
from tools.errors import ToolError

from tests.e2e.test_bff_api import SECRET, bff_with, orden_fields
from tests.e2e.test_saga import crear_producto, final, registrar_conductores, request_orden
from tests.load.broker import start, stop
from tests.support.browser import open_browser
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e

ATTACK: Final = "<img src=x onerror=\"document.title='stolen'\">"
PHONE: Final = {"width": 360, "height": 740}
OpenPanel = Callable[..., Page]
expect.set_options(timeout=15_000)


class Problems(list[str]):
    """What the browser complains about: scripts, the policy, what could not be loaded."""

    def watch(self, page: Page) -> None:
        page.on("console", lambda message: self.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.append(str(error)))


@pytest.fixture
def problems() -> Problems:
    return Problems()


@pytest.fixture
def open_panel(request: pytest.FixtureRequest, tmp_path: Path, problems: Problems) -> Iterator[OpenPanel]:
    """Opens the panel in a browser of its own; options as Playwright names them."""
    try:
        npm = request.getfixturevalue("npm")
    except ToolError as error:
        pytest.skip(f"there is no browser, and none can be installed: {error}")
    with ExitStack() as stack:

        def open_page(platform: Platform, orden: str = "", **options: Any) -> Page:
            profile = tmp_path / uuid4().hex
            context = stack.enter_context(open_browser(npm, profile, **{"locale": "en-US"} | options))
            page = context.new_page()
            problems.watch(page)
            page.goto(f"{platform.bff_url}/panel#{orden}")
            return page

        yield open_page


def figure(page: Page, topic: str, function: str, column: str) -> Any:
    row = page.locator("#figures tr").filter(has_text=topic).filter(has=page.get_by_text(function, exact=True))
    return row.locator(f".{column} :nth-child(2)")


def mark_page(page: Page) -> None:
    """Marks the page: it must not be loaded again."""
    page.evaluate("window.marked = true")


def test_an_order_is_followed_step_by_step_through_a_restart_of_the_bff(
    platform: Platform, open_panel: OpenPanel, problems: Problems
) -> None:
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    page = open_panel(platform)
    mark_page(page)
    stop(platform, "conductores/asignar-conductor")
    try:
        id_orden = request_orden(platform, id_producto)
        page.locator("#recent").get_by_role("link", name=id_orden).click()
        expect(page.locator("#steps > li strong")).to_have_text(
            ["Create the order", "Reserve stock", "Assign a driver"]
        )
        expect(page.locator("#orden-estado")).to_have_text("The order is under way …")
        expect(figure(page, "conductores/comando-asignar-conductor", "asignar-conductor", "waiting")).to_have_text("1")
        expect(page.locator("#recent li").first.locator(".estado")).to_have_text("created")
        assert problems == []
        platform.local("restart", "bff")
        problems.clear()  # nobody answered for a while
    finally:
        start(platform, "conductores/asignar-conductor")
    expect(page.locator("#orden-estado")).to_have_text("Started: it has a driver.")
    assert page.locator("#steps > li strong").all_inner_texts()[3:] == ["Ready for dispatch"]
    assert page.locator("dd[data-field=conductor]").inner_text() == final(platform, id_orden)[0]["id_driver"]
    expect(page.locator("#recent li").first.locator(".estado")).to_have_text("started")
    expect(figure(page, "conductores/comando-asignar-conductor", "asignar-conductor", "waiting")).to_have_text("0")
    assert page.evaluate("window.marked")
    assert [problem for problem in problems if "net::ERR_" not in problem] == []


def test_what_becomes_of_an_order_after_its_saga_is_shown_as_it_happens(
    platform: Platform, open_panel: OpenPanel, problems: Problems
) -> None:
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    id_orden = request_orden(platform, id_producto)
    final(platform, id_orden)
    page = open_panel(platform, id_orden)
    mark_page(page)
    estado = page.locator("#orden-estado")
    expect(estado).to_have_text("Started: it has a driver.")
    expect(page.locator("dd[data-field=despachada_en]")).to_have_count(0)
    platform.request("POST", f"/orders/{id_orden}/despacho")
    expect(estado).to_have_text("Dispatched: it is on its way.")
    expect(page.locator("dd[data-field=despachada_en] time")).to_be_visible()
    platform.request("POST", f"/orders/{id_orden}/entrega", {"recibido_por": "Eva"})
    expect(estado).to_have_text("Delivered.")
    expect(page.locator("dd[data-field=recibido_por]")).to_have_text("Eva")
    expect(page.locator("#steps > li strong")).to_have_text(
        [
            *("Create the order", "Reserve stock", "Assign a driver", "Ready for dispatch"),
            *("Dispatch the order", "Deliver the order", "Driver free again"),
        ]
    )
    assert page.evaluate("window.marked")
    assert problems == []


def test_drivers_with_an_order_are_shown_while_they_have_it(platform: Platform, open_panel: OpenPanel) -> None:
    platform.sql("conductores_lectura", "truncate conductores")  # the list has ten places
    page = open_panel(platform)
    expect(page.locator("#conductores-notice")).to_have_text("There are none yet.")
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 0)
    platform.request("POST", "/conductores", {"nombre": ATTACK})
    id_orden = wait_for("an order with a driver", lambda: order_with_driver(platform, id_producto))
    driver = page.locator("#conductores > li").filter(has_text=ATTACK)
    driver.get_by_role("link", name=id_orden).click()
    expect(page.locator("#orden-estado")).to_have_text("Started: it has a driver.")
    platform.request("POST", f"/orders/{id_orden}/cancelacion")
    expect(page.locator("#conductores > li")).to_have_count(0)
    assert page.title() == "Order panel"


def order_with_driver(platform: Platform, id_producto: str) -> str | None:
    """A new order's id, if there was a driver for it."""
    id_orden = request_orden(platform, id_producto)
    return id_orden if final(platform, id_orden)[0]["estado"] == "iniciada" else None


def test_a_failure_appears_by_itself_with_its_reason_and_keeps_the_focus_where_it_was(
    platform: Platform, open_panel: OpenPanel, problems: Problems
) -> None:
    id_producto = crear_producto(platform, 1)
    page = open_panel(platform)
    before = request_orden(platform, id_producto, 2)
    old = page.locator("#fallidas").get_by_role("link", name=before)
    old.focus()
    new = request_orden(platform, id_producto, 3)
    first = page.locator("#fallidas > li").first
    expect(first.get_by_role("link")).to_have_text(new)
    expect(first.locator(".motivo")).to_have_text("not enough stock")
    expect(old).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#orden-estado")).to_have_text("Failed: not enough stock.")
    expect(page.locator("#steps > li.compensacion")).to_contain_text(["Undo the order"])
    assert page.url.endswith(f"#{before}")
    assert problems == []


def test_rates_are_those_of_the_broker(platform: Platform, open_panel: OpenPanel) -> None:
    page = open_panel(platform)
    expect(figure(page, "ordenes/comando-crear-orden", "crear-orden", "incoming")).to_have_text("0")
    for _ in range(20):
        platform.request("POST", "/orders", orden_fields(str(uuid4())))
    expect(figure(page, "ordenes/comando-crear-orden", "crear-orden", "incoming")).to_have_text(re.compile("[1-9]"))
    expect(figure(page, "ordenes/comando-crear-orden", "registrar-saga", "outgoing")).to_have_text(re.compile("[0-9]"))
    expect(page.locator("#drawing .topic .badge").filter(has_text=re.compile("[1-9]")).first).to_be_visible()


def test_what_customers_write_is_text_and_nothing_else(
    platform: Platform, open_panel: OpenPanel, problems: Problems
) -> None:
    request = orden_fields(str(uuid4()), user_id=ATTACK, direccion_entrega=ATTACK, instrucciones_entrega=ATTACK)
    id_orden = platform.request("POST", "/orders", request)[1]["id_orden"]
    final(platform, id_orden)
    page = open_panel(platform, id_orden)
    expect(page.locator("#orden-estado")).to_have_text("Failed: unknown product.")
    for field in ("cliente", "entrega", "instrucciones"):
        assert page.locator(f"dd[data-field={field}]").inner_text() == ATTACK
    page.locator("#steps details").first.click()
    expect(page.locator("#steps pre").first).to_contain_text("<img src=x")
    expect(page.locator("#recent li").filter(has_text=id_orden)).to_contain_text(ATTACK)
    assert page.locator("img").count() == 0
    assert (page.title(), problems) == ("Order panel", [])


def test_the_policy_lets_no_foreign_script_run(platform: Platform, open_panel: OpenPanel, problems: Problems) -> None:
    page = open_panel(platform)
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "document.title = 'stolen'";
        document.body.append(script);
        document.body.setAttribute("style", "display: none");
    }""")
    assert (page.title(), len(problems)) == ("Order panel", 2)
    assert all("Content Security Policy" in problem for problem in problems)


def test_it_speaks_the_browser_s_language_or_the_chosen_one(platform: Platform, open_panel: OpenPanel) -> None:
    id_orden = request_orden(platform, str(uuid4()))
    final(platform, id_orden)
    page = open_panel(platform, id_orden, locale="es-CO")
    expect(page.locator("#orden-estado")).to_have_text("Fallida: producto desconocido.")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.get_by_label("Idioma").select_option("English")
    expect(page.get_by_role("heading", level=1)).to_have_text("Order panel")
    expect(page.locator("#orden-estado")).to_have_text("Failed: unknown product.")
    expect(page.locator("#fallidas > li").first.locator(".motivo")).to_have_text("unknown product")
    assert [text for text in page.locator("[data-t]").all_inner_texts() if "Órdenes" in text] == []
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_whoever_speaks_another_language_gets_english(platform: Platform, open_panel: OpenPanel) -> None:
    page = open_panel(platform, locale="fr-FR")
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desktop"])
def test_it_is_accessible_and_never_wider_than_the_screen(
    platform: Platform, open_panel: OpenPanel, theme: str, size: dict[str, int]
) -> None:
    id_orden = request_orden(platform, crear_producto(platform, 1), 2)
    final(platform, id_orden)
    page = open_panel(platform, id_orden, viewport=size, color_scheme=theme, reduced_motion="reduce")
    expect(page.locator("#orden-estado.fallida")).to_be_visible()
    expect(figure(page, "ordenes/evento-orden", "proyectar-orden", "waiting")).to_have_text("0")
    for details in page.locator("#steps summary").all():
        details.click()
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert page.evaluate("getComputedStyle(document.querySelector('#steps li')).animationName") == "none"
    violations = Axe().run(page).response["violations"]
    assert [(violation["id"], [node["html"] for node in violation["nodes"]]) for violation in violations] == []


def test_the_keyboard_reaches_the_content_first_and_a_wrong_id_is_said_so(
    platform: Platform, open_panel: OpenPanel
) -> None:
    page = open_panel(platform)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    field = page.get_by_label("Order id")
    field.fill("7")
    field.press("Enter")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("This is no id"))
    field.fill(f" {uuid4()} ")
    field.press("Enter")
    expect(page.locator("#orden-estado")).to_have_text("There is no such order, or not yet.")
    expect(field).to_have_attribute("aria-invalid", "false")


@pytest.mark.parametrize(
    ("status", "body", "notice"),
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
    platform: Platform, open_panel: OpenPanel, status: int, body: str, notice: str
) -> None:
    page = open_panel(platform)
    cell = figure(page, "ordenes/evento-orden", "proyectar-orden", "waiting")
    expect(cell).to_have_text("0")
    page.route("**/panel/topics", lambda path: path.fulfill(status=status, body=body) if status else path.abort())
    expect(page.locator("#topology-notice")).to_contain_text(notice)
    expect(cell).to_have_text("–")
    page.unroute("**/panel/topics")
    expect(cell).to_have_text("0")
    expect(page.locator("#topology-notice")).to_be_empty()


def test_with_tokens_it_asks_for_one_and_shows_what_that_may_see(platform: Platform, open_panel: OpenPanel) -> None:
    orden_of_ana, orden_of_eva = (request_failing_orden(platform, who) for who in ("ana", "eva"))
    with bff_with(platform, BFF_JWT_SECRET=SECRET):
        page = open_panel(platform, orden_of_ana)
        expect(page.locator("#access-notice")).to_have_text("A valid token is needed.")
        expect(page.get_by_role("link", name=orden_of_ana)).to_have_count(0)
        page.get_by_label("Token").fill(token("ana", "ordenes:leer"))
        page.get_by_role("button", name="Enter").click()
        expect(page.locator("#orden-estado")).to_have_text("Failed: unknown product.")
        expect(page.locator("#recent").get_by_role("link", name=orden_of_ana)).to_be_visible()
        expect(page.get_by_role("link", name=orden_of_eva)).to_have_count(0)
        expect(page.locator("#topology-notice")).to_have_text("The token does not have the scope metricas:leer.")
        page.get_by_role("button", name="Forget the token").click()
        expect(page.locator("#access")).to_be_visible()
        page.get_by_label("Token").fill(token("root", "ordenes:leer", "ordenes:administrar", "metricas:leer"))
        page.get_by_label("Token").press("Enter")
        expect(page.locator("#recent").get_by_role("link", name=orden_of_eva)).to_be_visible()
        expect(figure(page, "ordenes/evento-orden", "proyectar-orden", "waiting")).to_have_text("0")
        page.reload()
        expect(page.locator("#recent").get_by_role("link", name=orden_of_eva)).to_be_visible()


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("path", ["**/panel/topics", "**/orders?limit=10"])
def test_what_is_refused_to_no_token_says_nothing_of_the_token_that_came_meanwhile(
    platform: Platform, open_panel: OpenPanel, path: str, status: int
) -> None:
    with bff_with(platform, BFF_JWT_SECRET=SECRET):
        page = open_panel(platform)
        expect(page.locator("#access")).to_be_visible()
        held: list[Route] = []
        page.route(path, lambda route: route.continue_() if held else held.append(route))
        with page.expect_request(path):
            page.reload()
        expect(page.locator("#access")).to_be_visible()
        page.get_by_label("Token").fill(token("root", "ordenes:leer", "ordenes:administrar", "metricas:leer"))
        page.get_by_label("Token").press("Enter")
        expect(page.locator("#access")).to_be_hidden()
        with page.expect_request(path):
            held[0].fulfill(status=status, body="{}")
        expect(figure(page, "ordenes/evento-orden", "proyectar-orden", "waiting")).to_have_text("0")
        expect(page.locator("#access")).to_be_hidden()


def token(sub: str, *scopes: str) -> str:
    return jwt.encode({"sub": sub, "exp": time.time() + 600, "scope": " ".join(scopes)}, SECRET, "HS256")


def request_failing_orden(platform: Platform, who: str) -> str:
    """One that fails."""
    id_orden = str(platform.request("POST", "/orders", orden_fields(str(uuid4()), user_id=who))[1]["id_orden"])
    final(platform, id_orden)
    return id_orden
