"""AsyncAPI's own parser and a real browser on the message catalogue."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml
from playwright.sync_api import Page
from tools.catalogue.cli import ASYNCAPI, DRAWING, PAGE, PANEL, generated
from tools.catalogue.npm import run

from tests.support.browser import open_browser

TEXT: Final = ASYNCAPI.read_text("utf-8")
ADDRESSES: Final = sorted(channel["address"] for channel in yaml.safe_load(TEXT)["channels"].values())
SEVERE_LEVELS: Final = (0, 1)
"""Errors and warnings; what is graver than a hint."""


@pytest.fixture
def tab(npm: Path, tmp_path: Path) -> Iterator[Page]:
    with open_browser(npm, tmp_path / "profile") as context:
        yield context.new_page()


@pytest.fixture(scope="module")
def texts(npm: Path) -> dict[Path, str]:
    return generated()


def validate(npm: Path, document: str) -> tuple[list[str], list[str]]:
    """The channels that the parser sees, and what it holds against the document."""
    parsed = json.loads(run("validate.mjs", document))
    return sorted(parsed["channels"]), [d["message"] for d in parsed["diagnostics"] if d["severity"] in SEVERE_LEVELS]


def test_asyncapis_parser_has_neither_errors_nor_warnings(npm: Path) -> None:
    assert validate(npm, TEXT) == (ADDRESSES, [])


@pytest.mark.parametrize(
    ("before", "after"),
    [("type: {type: string, logicalType: uuid}", "type: text"), ("action: send", "action: shout"), ("info:", "about:")],
)
def test_the_parser_does_look(npm: Path, before: str, after: str) -> None:
    assert before in TEXT
    assert validate(npm, TEXT.replace(before, after))[1] != []


def test_the_files_in_git_are_written_the_same_every_time(texts: dict[Path, str]) -> None:
    assert [path for path in (ASYNCAPI, DRAWING, PANEL) if path.read_text("utf-8") != texts[path]] == []


def test_the_page_shows_every_topic_without_errors_and_without_network(
    texts: dict[Path, str], tab: Page, tmp_path: Path
) -> None:
    page = tmp_path / "index.html"
    page.write_text(texts[PAGE], "utf-8")
    problems: list[str] = []
    requests: list[str] = []
    tab.on("console", lambda message: problems.append(message.text))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("requestfailed", lambda request: problems.append(request.url))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(page.as_uri())
    tab.wait_for_selector("#operations")
    text = tab.inner_text("#asyncapi")
    assert [address for address in ADDRESSES if address not in text] == []
    assert tab.locator("#topology svg").is_visible()
    assert (problems, requests) == ([], [page.as_uri()])
