"""Starts services again with the platform's own `up`, when it is time."""

import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from deployment.local import services
from tests.chaos.log import Fault, Log
from tests.support.cluster import ClusterPlatform
from tests.support.platform import ROOT, Platform

TIMEOUT: Final = 300.0
"""A service that is not ready so long after it could have been started counts as lost, in s."""
_READY: Final = re.compile(r"^ *(\S+) +(?:ready|already running)", re.MULTILINE)


class Repairer:
    """Knows which services are down. One that ended by itself is an incident, and is started again too.

    The platform lets one command change it at a time, and `up` waits until all is ready, which for the functions
    worker takes half a minute. If another service's time comes meanwhile, this `up` is ended, and the next one names
    them all.
    """

    def __init__(self, platform: Platform, log: Log) -> None:
        self.lost_services: list[str] = []
        """Services that could not be started any more."""
        self.down_services: dict[str, tuple[float, Fault | None]] = {}
        """Services that are down: from when on they may be started, and the fault. Only while holding `lock`."""
        self.lock = threading.Condition()
        self._platform = platform
        self._log = log
        self._stopping = False
        self._job = ThreadPoolExecutor(1, "repairer").submit(self._repair)

    def is_finished(self) -> bool:
        """True if nothing is started again any more: a service is lost, or this has failed."""
        return self._job.done()

    def stop(self) -> None:
        """Returns when every service runs, or is lost."""
        with self.lock:
            self._stopping = True
            self.lock.notify()
        self._job.result()

    def _repair(self) -> None:
        while not self.lost_services:
            with self.lock:
                self._find_dead()
                due = self._due()
                if not due:
                    if self._stopping and not self.down_services:
                        return
                    self.lock.wait(0.1)
            if due:
                self._start_services(due)

    def _find_dead(self) -> None:
        for name in self._platform.services:
            if name not in self.down_services and services.pid(self._platform.data, name) is None:
                self.down_services[name] = (time.monotonic(), None)
                self._log.incident(f"{name} ended by itself; it is started again")

    def _due(self) -> list[str]:
        """The services whose time has come; the worker only together with its broker, or after it."""
        due = [name for name, (when, _) in self.down_services.items() if when <= time.monotonic()]
        if "pulsar" in self.down_services and "pulsar" not in due:
            return [name for name in due if name != "functions-worker"]
        return due

    def _start_services(self, names: list[str]) -> None:
        if isinstance(self._platform, ClusterPlatform) and set(self._platform.of_kind("postgres")) & set(names):
            self._promote()
        command = [sys.executable, "-u", "-m", "deployment.local", "up", *names]
        output = self._platform.data / "logs" / "chaos-up.log"
        with output.open("w") as file:
            process = subprocess.Popen(command, cwd=ROOT, env=self._platform.env, stdout=file, stderr=subprocess.STDOUT)
        seen: set[str] = set()
        while (code := self._poll(process)) is None:
            self._note_ready(output.read_text(), seen)
            with self.lock:
                others = set(self._due()) - (set(names) - seen)
            if others and self._can_interrupt(set(names) - seen):
                process.terminate()
                process.wait(10)
                break
        self._note_ready(output.read_text(), seen)
        if code:
            error = output.read_text().partition("error: ")[2].partition(" The end of")[0]
            self._log.incident(f"up {' '.join(names)}: {error or code}")
        with self.lock:
            self.lost_services = [
                name for name, (since, _) in self.down_services.items() if time.monotonic() > since + TIMEOUT
            ]

    def _promote(self) -> None:
        """Makes the replica of a PostgreSQL that is gone the primary, as whoever is on call does."""
        command = [sys.executable, "-m", "deployment.local", "promote"]
        done = subprocess.run(command, cwd=ROOT, env=self._platform.env, capture_output=True, text=True, check=False)
        if done.returncode:
            self._log.incident(f"promote: {done.stderr.strip()}")
        else:
            self._log.print_line(f"    {done.stdout.rstrip()}")

    @staticmethod
    def _poll(process: subprocess.Popen[bytes]) -> int | None:
        try:
            return process.wait(0.1)
        except subprocess.TimeoutExpired:
            return None

    def _note_ready(self, output: str, seen: set[str]) -> None:
        """Those that `up` calls ready are down no longer. It says so once: later they may be down again."""
        with self.lock:
            for name in set(_READY.findall(output)) - seen:
                seen.add(name)
                _, fault = self.down_services.pop(name, (0.0, None))
                if fault:
                    fault.recovered_at = time.monotonic()
                    self._log.print_line(f"      {name} is back after {fault.recovered_at - fault.when:.1f} s")

    def _can_interrupt(self, expected: set[str]) -> bool:
        """Only while `up` waits: not between the start of a process and its pid file."""
        with self.lock:
            broker_is_down = "pulsar" in self.down_services
        missing = {name for name in expected if services.pid(self._platform.data, name) is None}
        return not missing or (missing == {"functions-worker"} and broker_is_down)
