"""The services of deployment/compose.yaml, built and started by podman-compose from a copy of the repository."""

import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import yaml

from tests.containers import pip_settings
from tests.containers.engine import Engine
from tests.containers.errors import ContainersError
from tests.support.manifests import COMPOSE
from tests.support.platform import ROOT

SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
PROJECT: Final[str] = COMPOSE["name"]
READY_WITHIN: Final = 300
"""Seconds that a service may take until it is ready, or a job until it ends; a slow machine is no failure."""
KILLED: Final = 128 + signal.SIGKILL
STAND_INS: Final = "compose.stand-ins.yaml"


def copy_repository(target: Path) -> None:
    """Every file that git has or would take, as it is now: where people build from there is nothing else."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


class Stack:
    """The services, from the `checkout`. `images`: what stands in for the images that can't be pulled."""

    def __init__(self, engine: Engine, checkout: Path, images: dict[str, str], port: int) -> None:
        self.engine = engine
        self.checkout = checkout
        engine.env["BFF_PORT"] = str(port)
        bases = {"PULSAR_BASE": images["pulsar"], "BFF_BASE": images["python"]}
        services: dict[str, Any] = {n: {"build": {"args": bases}} for n, s in SERVICES.items() if "build" in s}
        services["postgres"] = {"image": images["postgres"]}
        (checkout / "deployment" / STAND_INS).write_text(yaml.safe_dump({"services": services}), "utf-8")
        self._build = ["--isolation=chroot", *pip_settings.mounts(pip_settings.listed(), checkout.parent)]

    def compose(self, *arguments: str) -> str:
        """What podman-compose printed; ContainersError if it failed."""
        options = ["--file=deployment/compose.yaml", f"--file=deployment/{STAND_INS}", "--in-pod=false", "--parallel=1"]
        options += [f"--podman-build-args={shlex.join(self._build)}"]
        return self.engine.run([sys.executable, "-m", "podman_compose", *options, *arguments], self.checkout)

    def build(self) -> None:
        """All images, as `docker compose up --build` does."""
        self.compose("build")

    def up(self, names: Sequence[str] = tuple(SERVICES), *, wait_for_jobs: bool = True) -> None:
        """Creates and starts services in their order, each as soon as what it depends on is as compose.yaml says.

        podman below 4.6 can't wait for health, and where there is no systemd, nobody looks after it.
        """
        for name in in_order(names):
            for other, dependency in SERVICES[name].get("depends_on", {}).items():
                if dependency["condition"] == "service_healthy":
                    self.await_health(other)
                elif other in names:
                    self.await_end(other)  # a job that was started just now; else it has ended before
            self.compose("up", "--detach", "--no-deps", "--no-build", name)
        for name in names:
            if "healthcheck" in SERVICES[name]:
                self.await_health(name)

    def await_health(self, service: str) -> None:
        """Returns when the service's own check succeeds."""
        name = container(service)
        self._await(f"{service} is ready", service, lambda: self.engine.succeeds("healthcheck", "run", name))

    def await_end(self, service: str) -> None:
        """Returns when the job has ended well."""
        name = container(service)
        self._await(f"{service} has ended", service, lambda: self._state(name)["Status"] == "exited")
        if code := self._state(name)["ExitCode"]:
            raise ContainersError(f"{service} ended with {code}:\n{self.logs(service)}")

    def _state(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.engine.inspect(name)["State"]
        return found

    def _await(self, what: str, service: str, condition: Callable[[], bool]) -> None:
        started = time.monotonic()
        while not condition():
            if time.monotonic() - started > READY_WITHIN:
                raise ContainersError(f"not within {READY_WITHIN} s: {what}\n{self.logs(service)}")
            time.sleep(0.5)
        print(f"    {what}", flush=True)

    def logs(self, service: str) -> str:
        """The end of what the service printed."""
        return f"--- the log of {service} ends with:\n{self._printed(service, '--tail=60')}"

    def keep_logs(self, folder: Path) -> None:
        """Writes what each service printed into a file of the folder, and the ends of the functions' logs."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in SERVICES:
            (folder / f"{name}.log").write_text(self._printed(name), "utf-8")
        with suppress(ContainersError):  # without functions
            (folder / "functions.log").write_text(self.function_logs(), "utf-8")

    def function_logs(self) -> str:
        """The ends of all functions' logs, by the command of deployment/README.md."""
        return self.execute("pulsar", "sh", "-c", "tail -n 50 logs/functions/monoliticas/*/*/*.log")

    def _printed(self, service: str, *options: str) -> str:
        command = ["podman", "logs", *options, container(service)]
        result = subprocess.run(command, env=self.engine.env, capture_output=True, text=True, check=False)
        return result.stdout + result.stderr

    def execute(self, service: str, *command: str) -> str:
        """What a command printed in a service's container."""
        return self.engine.podman("exec", container(service), *command)

    def run_once(self, service: str, *command: str) -> str:
        """What a command printed in a container of its own, made like the service's."""
        return self.compose("run", "--rm", "--no-deps", "-T", service, *command)

    def stop(self, names: Sequence[str]) -> None:
        """Stops services as at the end of a day; ContainersError if one did not end by itself in its time."""
        self.compose("stop", *names)
        for name in names:
            if self._state(container(name))["ExitCode"] == KILLED:
                raise ContainersError(f"{name} had to be killed\n{self.logs(name)}")

    def down(self, *options: str) -> None:
        """Stops and removes all containers and networks."""
        self.compose("down", *options)


def container(service: str) -> str:
    """The name of a service's container."""
    return f"{PROJECT}_{service}_1"


def in_order(names: Sequence[str]) -> list[str]:
    """The services, each after those that it depends on."""
    ordered: list[str] = []
    while rest := [name for name in names if name not in ordered]:
        ordered += [n for n in rest if not set(SERVICES[n].get("depends_on", ())) & set(rest)]
    return ordered
