"""Builds the images of deployment/docker/Dockerfile, starts the services of deployment/compose.yaml with podman, and
uses them: orders of each kind, a restart, an update of functions. At the end everything is taken down.

Needs Linux on x86_64, root, and Debian's packages of podman and what it starts; what is missing, it says. The official
images are not pulled: stand-ins for them are made here and kept for the next run.
Exit codes: 0; 1 something is not as it should be; 2 wrong usage.
"""

from functions.program.run import run

if __name__ == "__main__":
    run("tests.containers.run")  # loads it under its own name, and never returns

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bff.client import Client, NoResponse, Problem
from tests.containers import bases, confinement, machine, story
from tests.containers.engine import Engine, engine
from tests.containers.errors import ContainersError, Unsuitable
from tests.containers.stack import SERVICES, Stack, copy_repository
from tests.support.platform import ROOT, free_ports

CHANGED: Final = Path("functions", "productos", "decisions.py")
BEFORE: Final = 'NO_STOCK: Final = "stock insuficiente"'
AFTER: Final = 'NO_STOCK: Final = "no queda stock"'
LOGS: Final = ROOT / "build" / "containers"
"""Where the logs go when something is wrong."""
LASTING: Final = tuple(name for name, service in SERVICES.items() if "restart" in service)
"""The services that are no jobs."""


def main() -> None:
    arguments = _parse_args()
    try:
        machine.prepare(install=arguments.ci)
    except Unsuitable as reason:
        if not arguments.ci:
            sys.exit(f"error: {reason}")
        print(f"SKIPPED: no container was started: {reason}")
        return
    except ContainersError as error:
        sys.exit(f"error: {error}")
    try:
        with engine() as podman, tempfile.TemporaryDirectory(prefix="containers-") as work:
            run_all(podman, Path(work))
    except ContainersError as error:
        sys.exit(f"error: {error}")


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.containers.run", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--ci",
        action="store_true",
        help="install what is missing with apt-get; where that can't be, say SKIPPED, end with 0",
    )
    return parser.parse_args()


def run_all(podman: Engine, work: Path) -> None:
    """Everything, in a folder of its own."""
    started = time.monotonic()
    with step("stand-ins for the images that can't be pulled"):
        images = bases.make(podman)
    checkout = work / "checkout"
    copy_repository(checkout)
    (port,) = free_ports(1)
    stack = Stack(podman, checkout, images, port)
    with step("secrets"):
        subprocess.run(["sh", "deployment/make-secrets", "deployment/secrets"], cwd=checkout, check=True)
    with step("images"):
        stack.build()
    try:
        try:
            use(stack, f"http://127.0.0.1:{port}")
        except (ContainersError, Problem, NoResponse) as error:
            stack.keep_logs(LOGS)
            raise ContainersError(f"{error}\nAll logs are in {LOGS.relative_to(ROOT)}.") from error
        with step("taking everything down, with its data"):
            stack.down("--volumes")
        if left := podman.leftovers():
            raise ContainersError(f"left behind: {', '.join(left)}")
    finally:
        podman.clean()
    print(f"\ncontainers: all as it should be, in {time.monotonic() - started:.0f} s")


def use(stack: Stack, url: str) -> None:
    """Starts the services and uses them; ContainersError says what is not as it should be."""
    with step("starting the services"):
        stack.up()
    with step("what containers may do and know"):
        confinement.check(stack)
    with step("orders"):
        story.refuses_strangers(url)
        api = Client(url, token=token(stack), timeout=story.WITHIN)
        told = story.tell(api)
    with step("the scripts"):
        stack.run_once("databases", "python3", "-m", "deployment.databases.prune")
        stack.run_once("deploy", "python3", "pulsar-admin-scripts/dlq.py", "list")
        stack.function_logs()
    with step("a restart of everything: new containers, the same volumes, no deployment"):
        stack.stop(LASTING)
        stack.down()
        stack.up(LASTING)
        story.is_still_there(api, told)
        story.order(api, "an order, from functions that came back by themselves", told.id_producto, 99, "fallida")
    with step("a change of the code: build, deploy"):
        change(stack.checkout)
        stack.build()
        stack.up(["deploy"])
        stack.await_end("deploy")
        new = AFTER.split('"')[1]
        story.order(api, "an order, from the new code", told.id_producto, 99, "fallida", new)


def token(stack: Stack) -> str:
    """A token for everything, made as deployment/README.md says."""
    readme = (ROOT / "deployment" / "README.md").read_text("utf-8")
    (code,) = re.findall(r"run --rm --no-deps -T bff python3 -c '\n(.*?)'\)", readme, re.DOTALL)
    return stack.run_once("bff", "python3", "-c", code).strip()


def change(checkout: Path) -> None:
    """What the functions of products tell of an order without stock, in other words."""
    file = checkout / CHANGED
    text = file.read_text("utf-8")
    if BEFORE not in text:
        raise ContainersError(f"{CHANGED} has no {BEFORE!r} any more: choose another change here")
    file.write_text(text.replace(BEFORE, AFTER), "utf-8")


@contextmanager
def step(what: str) -> Iterator[None]:
    """Prints what is done, and how long it took."""
    print(f"{what} …", flush=True)
    started = time.monotonic()
    yield
    print(f"  {time.monotonic() - started:.0f} s", flush=True)
