"""Headless Chromium: the machine's own, or the one that npm brought. Playwright drives it and downloads none."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import BrowserContext, sync_playwright

OPCIONES: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def navegando(npm: Path, perfil: Path, **opciones: Any) -> Iterator[BrowserContext]:
    """A browser with an empty profile. `npm`: the folder with node_modules; `opciones`: of Playwright's context."""
    with sync_playwright() as playwright:
        contexto = playwright.chromium.launch_persistent_context(
            perfil, headless=True, args=OPCIONES, **_programa(npm), **opciones
        )
        yield contexto
        contexto.close()


def _programa(npm: Path) -> dict[str, Any]:
    """A browser of the machine's, else the one from npm with the libraries and fonts that come with it."""
    for nombre in ("chromium", "chromium-browser", "google-chrome"):
        if ruta := shutil.which(nombre):
            return {"executable_path": ruta}
    carpeta = npm / "chromium"
    propias = {"LD_LIBRARY_PATH": str(carpeta / "al2023" / "lib"), "FONTCONFIG_FILE": str(carpeta / "fonts.conf")}
    return {"executable_path": carpeta / "chromium", "env": os.environ | propias}
