"""The real HTTP server: whoever sends or reads slowly, waits or watches stops nobody; and how each of them ends."""

import json
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bff.server.server import MAX_HEADERS
from tests.integration.test_bff_server import ORDEN
from tests.support.bff_with_fakes import BODY_TIMEOUT, ID_ORDEN, LONG_TEXT, MAX_UNSENT, PER_ADDRESS, PLACES, THREADS
from tests.support.certificates import Authority
from tests.support.platform import wait_for
from tests.support.server_with_fakes import Server, connections

OWED_BODY = b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{"
OWED_TO_LIVENESS = b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n"
HALF_A_HEADER = b"GET /orders HTTP/1.1\r\nHost:"
EVENTS = f"GET /orders/{ID_ORDEN}/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode()
LONG_ANSWER = b"GET /orders HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = json.dumps(ORDEN).encode()
AWAITED_ORDER = (
    b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nPrefer: wait=10\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
MANY = 10 * THREADS


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    server = Server(Authority(tmp_path, "authority") if request.param == "https" else None)
    yield server
    server.process.terminate()
    server.process.wait(60)


def received_until(sock: socket.socket, *ends: bytes) -> bytes:
    """What comes until one of these has come."""
    received = b""
    while not any(end in received for end in ends):
        part = sock.recv(65536)
        assert part, received
        received += part
    return received


@pytest.mark.parametrize("raw", [OWED_BODY, OWED_TO_LIVENESS, HALF_A_HEADER, EVENTS, LONG_ANSWER])
def test_whoever_is_slow_stops_nobody(server: Server, raw: bytes) -> None:
    with connections(server, raw, MANY) as slow:
        for _ in range(3):
            assert server.request("GET", "/health") == (200, {"status": "ok"})
            assert server.request("POST", "/orders", ORDEN)[0] == 202
            assert server.request("GET", "/nothing")[0] == 404
        assert len(slow) == MANY
    wait_for("nothing to be in hand", lambda: server.metric("bff_requests_in_progress") == 1)


def test_a_body_that_does_not_come_is_a_408_and_the_connection_ends(server: Server) -> None:
    with server.send(OWED_BODY) as sock:
        started = time.monotonic()
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
        assert time.monotonic() - started > BODY_TIMEOUT / 2
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"content-type: application/problem+json" in head.lower()
    assert "the body did not come within 3 s" in json.loads(body)["detail"]


@pytest.mark.parametrize("chunks", [b"zz\r\nabc", b"3\r\nabc\r\n-1\r\n", b"3\r\nabc\r\nffff"])
def test_a_body_that_breaks_off_is_a_400_and_the_connection_ends(server: Server, chunks: bytes) -> None:
    head = b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with server.send(head + chunks) as sock:
        socket.socket.shutdown(sock, socket.SHUT_WR)  # that of ssl stops reading, too
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert "breaks off" in json.loads(body)["detail"]


def test_liveness_does_not_wait_for_a_body_and_its_connection_ends(server: Server) -> None:
    with server.send(OWED_TO_LIVENESS) as sock:
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close\r\n" in answer.lower()


def test_headers_that_are_too_long_are_refused(server: Server) -> None:
    for size, status in ((MAX_HEADERS - 500, b"200"), (MAX_HEADERS, b"431")):
        padding = b"a" * size
        with server.send(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: %s\r\n\r\n" % padding) as sock:
            assert sock.recv(100).startswith(b"HTTP/1.1 %s " % status)


def test_who_does_not_read_is_cut_off_and_keeps_little_memory(server: Server) -> None:
    before = server.memory
    with connections(server, LONG_ANSWER, 50) as slow:
        fitting = sum(sock.recv(12) == b"HTTP/1.1 200" for sock in slow)
        assert 1 <= fitting <= 50
        assert server.memory - before < 5 * MAX_UNSENT
        wait_for("them to be cut off", lambda: server.metric("bff_requests_in_progress") == 1)
    status, body = server.request("GET", "/orders")
    assert status == 200
    assert body[0]["direccion_entrega"] == LONG_TEXT


def test_all_who_wait_are_answered_at_once_when_their_orders_end(server: Server) -> None:
    with connections(server, AWAITED_ORDER, PLACES) as waiting:
        wait_for("all to wait", lambda: server.metric("bff_requests_waiting") == PLACES)
        assert server.request("POST", "/orders", ORDEN, Prefer="wait=10")[0] == 202  # one too many
        server.request("GET", "/orders?user_id=end")
        for sock in waiting:
            answer = received_until(sock, b'"iniciada"')
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"preference-applied: wait=10\r\n" in answer.lower()
    assert server.metric("bff_requests_waiting") == 0


def test_streams_are_passed_on_at_once_and_one_too_many_is_told_to_come_again(server: Server) -> None:
    with connections(server, EVENTS, PLACES) as streams:
        for sock in streams:
            answer = received_until(sock, b"event: paso")
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"x-accel-buffering: no\r\n" in answer.lower()
            assert b"\r\nretry: 1000\n" in answer
        with server.send(EVENTS) as sock:
            assert b"\nretry: 3000\n" in received_until(sock, b"\n\n")
        assert server.request("GET", "/health")[0] == 200
    wait_for("their places", lambda: server.metric("bff_requests_waiting") == 0)  # long before they would end


def test_who_waits_and_leaves_gives_the_place_back(server: Server) -> None:
    with connections(server, AWAITED_ORDER, 3):
        wait_for("all to wait", lambda: server.metric("bff_requests_waiting") == 3)
    started = time.monotonic()
    wait_for("their places", lambda: server.metric("bff_requests_waiting") == 0)
    assert time.monotonic() - started < 9


def test_one_address_can_not_have_all(server: Server) -> None:
    with connections(server, OWED_BODY, PER_ADDRESS + MANY) as slow:
        refused = [sock for sock in select.select(slow, [], [], 60)[0] if sock.recv(12) == b"HTTP/1.1 503"]
        assert 1 <= len(refused) <= MANY + 1
        problem = json.loads(b"".join(iter(lambda: refused[0].recv(65536), b"")).partition(b"\r\n\r\n")[2])
        assert f"{PER_ADDRESS} requests of this address" in problem["detail"]
        assert server.request("GET", "/health")[0] == 200
    wait_for("room", lambda: server.request("GET", "/nothing")[0] == 404)


def test_at_the_end_who_waits_is_answered_and_streams_end(server: Server) -> None:
    with server.send(EVENTS) as stream, server.send(AWAITED_ORDER) as waiting:
        received_until(stream, b"event: paso")
        wait_for("both to wait", lambda: server.metric("bff_requests_waiting") == 2)
        started = time.monotonic()
        server.process.terminate()
        assert received_until(waiting, b'"transaction_id"').startswith(b"HTTP/1.1 202 ")
        received_until(stream, b"0\r\n\r\n")
        assert server.process.wait(60) == 0
        assert time.monotonic() - started < 9  # neither would have ended by itself
