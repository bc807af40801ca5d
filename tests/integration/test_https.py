"""The real HTTP server with a certificate: HTTPS, and a new certificate without a restart."""

import shutil
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPSConnection
from pathlib import Path
from uuid import UUID

import pytest

from bff.client import Accepted, Client, NoResponse
from tests.integration.test_bff_server import free_port, launch
from tests.support.certificates import Authority
from tests.support.platform import wait_for
from tests.support.server_with_fakes import Server

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(Authority(tmp_path, "authority"))
    yield server
    server.process.terminate()
    server.process.wait(60)


def test_orders_are_accepted_from_who_trusts_the_authority(server: Server, tmp_path: Path) -> None:
    url = f"https://127.0.0.1:{server.port}"
    client = Client(url, tls=server.tls)
    accepted = client.crear_orden(UUID(int=1), "ana", 2, "Calle 45 # 13-40")
    assert isinstance(accepted, Accepted)
    stranger = ssl.create_default_context(cafile=Authority(tmp_path, "stranger").root)
    for context in (stranger, None):
        with pytest.raises(NoResponse, match="certificate verify failed"):
            Client(url, tls=context, timeout=0).crear_orden(UUID(int=1), "ana", 2, "Calle 45 # 13-40")


def test_what_is_not_https_gets_no_answer_of_http(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 60) as sock:
        sock.sendall(HEALTH)
        assert b"HTTP" not in b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_has_version_1_2_or_1_3_and_http_version_1_1(server: Server, version: ssl.TLSVersion) -> None:
    assert server.tls is not None
    server.tls.minimum_version = server.tls.maximum_version = version
    server.tls.set_alpn_protocols(["h2", "http/1.1"])
    with server.send(HEALTH) as sock:
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.selected_alpn_protocol() == "http/1.1"
        assert b"".join(iter(lambda: sock.recv(65536), b"")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_older_versions_are_refused(server: Server) -> None:
    assert server.tls is not None
    server.tls.minimum_version = ssl.TLSVersion.TLSv1
    server.tls.maximum_version = ssl.TLSVersion.TLSv1_1
    server.tls.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="ALERT"):
        server.send(HEALTH)


def test_who_does_not_say_hello_stops_nobody(server: Server) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(300)]
    assert server.request("GET", "/health") == (200, {"status": "ok"})
    for sock in silent:
        sock.close()


class Bff:
    """`python -m bff` with a certificate that may change; its log is a file."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.certificate, self.key, self.log = folder / "tls.pem", folder / "tls.key", folder / "log"
        self.give(authority)
        self.port, closed = free_port(), str(free_port())
        files = {"BFF_TLS_CERTIFICATE": str(self.certificate), "BFF_TLS_KEY": str(self.key)}
        self.process: subprocess.Popen[str] = launch(
            BFF_PORT=str(self.port), BROKER_PORT=closed, DB_PORT=closed, PYTHONUNBUFFERED="1", **files
        )
        self.output: list[str] = []
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self.output.extend, args=(self.process.stdout,))
        self._reader.start()
        wait_for("the BFF", lambda: self.is_trusted(authority))

    def give(self, authority: Authority) -> None:
        """Puts other files in the place of those that there are."""
        for file, place in zip(authority.issue("127.0.0.1"), (self.certificate, self.key), strict=True):
            shutil.copy(file, place)

    def is_trusted(self, *authorities: Authority) -> bool:
        """False if its certificate is of none of these authorities, or nobody listens yet."""
        assert self.process.poll() is None, self.output
        context = ssl.create_default_context(cadata="".join(authority.root.read_text() for authority in authorities))
        connection = HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        with suppress(ssl.SSLCertVerificationError, ConnectionRefusedError):
            connection.request("GET", "/health", headers={"Connection": "close"})
            return connection.getresponse().status == 200
        return False

    def said(self, text: str) -> bool:
        return any(text in line for line in self.output)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self._reader.join(60)
        return self.process.wait(60)


def test_a_renewed_certificate_is_taken_at_sighup_and_a_broken_one_is_not(tmp_path: Path) -> None:
    before, after = Authority(tmp_path, "before"), Authority(tmp_path, "after")
    bff = Bff(tmp_path, before)
    try:
        assert bff.said(f"listening on https://127.0.0.1:{bff.port}")
        key = bff.key.read_text()
        bff.give(after)
        bff.key.write_text(key)  # the old one, until it is replaced too
        bff.process.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: bff.said("the certificate of before stays in use: BFF_TLS_KEY is"))
        assert bff.is_trusted(before)
        bff.give(after)
        bff.process.send_signal(signal.SIGHUP)
        while not bff.is_trusted(after):
            # somebody listens all the time; while both workers do, either may get a connection
            assert bff.is_trusted(before, after)
        wait_for("the end of the old worker", lambda: bff.said("worker stopped"))
        assert all(bff.is_trusted(after) for _ in range(20))
    finally:
        code = bff.end()
    assert code == 0
    assert not bff.said("Traceback")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"BFF_TLS_KEY": "/nowhere/tls.key"}, "error: set BFF_TLS_CERTIFICATE and BFF_TLS_KEY, for https, or neither"),
        (
            {"BFF_TLS_CERTIFICATE": "/nowhere/tls.pem", "BFF_TLS_KEY": "/nowhere/tls.key"},
            "error: BFF_TLS_CERTIFICATE is '/nowhere/tls.pem': No such file",
        ),
    ],
)
def test_files_that_can_not_be_used_are_an_error_at_the_start(variables: dict[str, str], said: str) -> None:
    process = launch(BFF_PORT=str(free_port()), **variables)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.startswith(said)
    assert len(output.splitlines()) == 1
