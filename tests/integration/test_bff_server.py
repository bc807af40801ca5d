"""`python -m bff` as a process, with its broker and its databases away.

Longer than 200 lines: its tests share the process that they start and what they send to it.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.platform import ROOT, wait_for

ORDEN = {
    "id_producto": "6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f",
    "user_id": "ana",
    "cantidad": 2,
    "direccion_entrega": "X",
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


class Bff:
    """A running BFF."""

    def __init__(self, **env: str) -> None:
        self.port = free_port()
        closed = str(free_port())
        own_env = {"BFF_PORT": str(self.port), "BROKER_PORT": closed, "DB_PORT": closed, "PYTHONUNBUFFERED": "1"}
        self.process = launch(**own_env | env)

    def request(self, method: str, path: str, body: object = None) -> tuple[int, Any, float]:
        """Status, decoded JSON, seconds."""
        started = time.monotonic()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, json.dumps(body), {"Content-Type": "application/json", "Connection": "close"})
        response = connection.getresponse()
        return response.status, json.loads(response.read()), time.monotonic() - started

    def raw(self, request: bytes) -> bytes:
        """The whole answer to bytes that need not be HTTP."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as sock:
            sock.sendall(request)
            return b"".join(iter(lambda: sock.recv(65536), b""))

    def is_alive(self) -> bool:
        try:
            return self.request("GET", "/health")[0] == 200
        except OSError:
            assert self.process.poll() is None
            return False

    def terminate(self, signum: int) -> tuple[int, str]:
        """Exit code and output."""
        self.process.send_signal(signum)
        output, _ = self.process.communicate(timeout=20)
        return self.process.returncode, output


def launch(*arguments: str, **env: str) -> "subprocess.Popen[str]":
    clean_env = {key: value for key, value in os.environ.items() if not key.startswith(("BFF_", "DB_", "PULSAR_"))}
    command = [sys.executable, "-m", "bff", *arguments]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=clean_env | env, **output)  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def bff() -> Iterator[Bff]:
    server = Bff()
    wait_for("the BFF", server.is_alive)
    yield server
    server.terminate(signal.SIGTERM)


def test_sixteen_clients_at_once_are_told_within_two_seconds_that_the_broker_is_away(bff: Bff) -> None:
    with ThreadPoolExecutor(16) as executor:
        for _ in range(3):
            responses = list(executor.map(lambda _: bff.request("POST", "/orders", ORDEN), range(16)))
            assert {status for status, _, _ in responses} == {503}
            assert max(seconds for _, _, seconds in responses) < 2
            assert bff.request("GET", "/health")[2] < 1


def test_a_database_that_is_away_is_told_within_two_seconds(bff: Bff) -> None:
    for path in ("/orders", "/productos", f"/orders/{ORDEN['id_producto']}/saga", "/ready"):
        status, problem, seconds = bff.request("GET", path)
        assert (status, problem["status"]) == (503, 503)
        assert seconds < 2


@pytest.mark.parametrize(
    "sent",
    [
        b"BASURA\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
    ],
    ids=["no HTTP", "negative length", "unknown coding", "no host", "two hosts"],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(bff: Bff, sent: bytes) -> None:
    assert bff.raw(sent).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 99999999\r\n\r\n",
        b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n",
        b"Content-Length: 70000\r\n\r\n" + b" " * 70_000,
        b"Transfer-Encoding: chunked\r\n\r\n" + b"2710\r\n%s\r\n" % (b" " * 10_000) * 7 + b"0\r\n\r\n",
    ],
    ids=["announced", "to be continued", "sent", "in chunks"],
)
def test_a_body_that_is_too_large_is_a_problem(bff: Bff, body: bytes) -> None:
    head = b"POST /orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    head, _, problem = bff.raw(head + body).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"content-type: application/problem+json" in head.lower()
    assert json.loads(problem)["status"] == 413


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_requests_in_hand_end(bff: Bff, signum: int) -> None:
    """An order needs a second here, to find out that the broker is away."""
    with ThreadPoolExecutor(2) as executor:
        idle = HTTPConnection("127.0.0.1", bff.port)
        idle.connect()
        in_flight = executor.submit(bff.request, "POST", "/orders", ORDEN)
        time.sleep(0.3)
        code, output = bff.terminate(signum)
        assert in_flight.result()[0] == 503
        assert code == (130 if signum == signal.SIGINT else 0)
        for text in ("POST /orders 503", "worker stopped", "stopped"):
            assert f'"message": "{text}"' in output
        assert "Traceback" not in output
        with pytest.raises(ConnectionRefusedError):
            bff.request("GET", "/health")


def test_many_signals_at_once_are_as_one(bff: Bff) -> None:
    """As when a service manager sends them to the whole group, and the supervisor to each worker."""
    processes = [psutil.Process(bff.process.pid), *psutil.Process(bff.process.pid).children()]
    for _ in range(20):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGINT)
                process.terminate()
    code, output = bff.terminate(signal.SIGTERM)
    assert code in (0, 130)  # whichever signal came first
    assert "Traceback" not in output
    assert output.count('"message": "worker stopped"') == len(processes) - 1


def test_it_ends_with_141_once_nobody_reads_its_log() -> None:
    server = Bff()
    wait_for("the BFF", server.is_alive)
    assert server.process.stdout is not None
    server.process.stdout.close()
    assert server.process.wait(20) == 141


def test_a_port_that_is_taken_is_an_error_that_says_so(bff: Bff) -> None:
    process = launch(BFF_PORT=str(bff.port))
    output, _ = process.communicate(timeout=20)
    expected = f"error: can't listen on 127.0.0.1:{bff.port}: Address already in use. Free the port, or set"
    assert process.returncode == 1
    assert output.startswith(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BFF_PORT", "x"),
        ("BFF_PORT", "70000"),
        ("BFF_THREADS", "0"),
        ("DB_PORT", ""),
        ("DB_READ_HOSTNAME", "a,,b"),
        ("PULSAR_SERVICE_URL", "x"),
        ("BFF_RATE", "x"),
        ("BFF_PROXIES", "-1"),
        ("BFF_WORKERS", "0"),
        ("BFF_PANEL", "yes"),
        ("PULSAR_ADMIN_URL", "127.0.0.1:8080"),
    ],
)
def test_a_wrong_setting_is_an_error_that_names_it(name: str, value: str) -> None:
    process = launch(**{"BFF_PORT": str(free_port())} | {name: value})
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert output.startswith(f"error: {name} is {value!r}")
    assert len(output.splitlines()) == 1


def test_listening_elsewhere_than_on_loopback_without_asking_for_tokens_is_refused() -> None:
    output, _ = (process := launch(BFF_HOST="0.0.0.0", BFF_PORT=str(free_port()))).communicate(timeout=20)
    assert process.returncode == 1
    assert output.startswith("error: 0.0.0.0 is no loopback address")
    server = Bff(BFF_HOST="0.0.0.0", BFF_JWT_SECRET="s" * 32)
    wait_for("the BFF", server.is_alive)
    assert server.request("GET", "/orders")[0] == 401
    assert server.terminate(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_worker_that_dies_is_replaced_and_orphans_end(workers: str, tmp_path: Path) -> None:
    server = Bff(BFF_WORKERS=workers, TMPDIR=str(tmp_path))
    wait_for("the BFF", server.is_alive)
    parent = psutil.Process(server.process.pid)
    wait_for("all workers", lambda: len(parent.children()) == int(workers))
    victim, *_ = children = parent.children()
    victim.kill()
    wait_for("another worker", lambda: len(added := parent.children()) == len(children) and victim not in added)
    wait_for("the BFF", server.is_alive)
    _, output = server.terminate(signal.SIGKILL)  # and waits until none of them has its output any more
    assert "Unexpected exit from worker" in output


@pytest.mark.parametrize("removed", ["bff-metrics-*", "bff-metrics-*/*.db"])
def test_metrics_outlive_a_cleaner_of_tmp(removed: str, tmp_path: Path) -> None:
    server = Bff(TMPDIR=str(tmp_path))
    wait_for("the BFF", server.is_alive)
    for path in tmp_path.glob(removed):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    server.request("GET", "/health")
    metrics = server.raw(b"GET /metrics HTTP/1.0\r\n\r\n").decode()
    assert metrics.startswith("HTTP/1.0 200 ")
    assert 'bff_request_seconds_count{method="GET",route="/health",status="200"} 1.0\n' in metrics
    assert "\nbff_requests_in_progress 1.0\n" in metrics
    parent = psutil.Process(server.process.pid)
    (victim,) = parent.children()
    shutil.rmtree(next(tmp_path.glob("bff-metrics-*")))
    victim.kill()  # once: a server ends whose workers die within seconds
    wait_for("another worker", lambda: parent.children() not in ([], [victim]))
    wait_for("the BFF", server.is_alive)
    assert server.raw(b"GET /metrics HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200 ")
    code, output = server.terminate(signal.SIGTERM)
    assert code == 0
    assert "Traceback" not in output
    assert list(tmp_path.iterdir()) == []


def test_the_panel_is_there_unless_it_is_switched_off(bff: Bff) -> None:
    assert b" 200 OK\r\n" in bff.raw(b"GET /panel HTTP/1.0\r\n\r\n")
    assert bff.request("GET", "/panel/topics")[1] == {"estado": "sin_direccion"}
    other = Bff(BFF_PANEL="off")
    wait_for("the BFF", other.is_alive)
    assert other.request("GET", "/panel/topics")[0] == 404
    assert other.terminate(signal.SIGTERM)[0] == 0


def test_help_names_every_setting() -> None:
    output, _ = launch("--help").communicate(timeout=20)
    for name in ("BFF_HOST", "BFF_PORT", "PULSAR_SERVICE_URL", "BROKER_HOST", "DB_NAME", "DB_READ_HOSTNAME"):
        assert name in output
