"""Headless Chromium: the machine's own, or the one that npm brought. Playwright drives it and downloads none."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import BrowserContext, sync_playwright

OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def open_browser(npm: Path, profile: Path, **options: Any) -> Iterator[BrowserContext]:
    """A browser with an empty profile. `npm`: the folder with node_modules; `options`: of Playwright's context."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, headless=True, args=OPTIONS, **_executable(npm), **options
        )
        yield context
        context.close()


def _executable(npm: Path) -> dict[str, Any]:
    """A browser of the machine's, else the one from npm with the libraries and fonts that come with it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return {"executable_path": path}
    folder = npm / "chromium"
    launch_env = {"LD_LIBRARY_PATH": str(folder / "al2023" / "lib"), "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    return {"executable_path": folder / "chromium", "env": os.environ | launch_env}
