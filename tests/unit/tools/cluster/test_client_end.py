"""The Pulsar client is closed on every way out: a thread of it that outlives the program would abort that (SIGABRT)."""

import subprocess
import sys

import pytest
from tools.cluster.repository import ROOT

PROGRAM = """
import os, signal, socket, sys, threading
sys.path[:0] = sys.argv[1:3]
from tools.cluster.client import connected
from tools.errors import ToolError

server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
os.environ["PULSAR_SERVICE_URL"] = f"pulsar://127.0.0.1:{server.getsockname()[1]}"  # it never answers
signal.signal(signal.SIGINT, signal.default_int_handler)


def ask(client):
    try:
        client.get_topic_partitions("persistent://a/b/c")
    except Exception as error:
        failures.append(type(error).__name__)


failures = []


def leave(how):
    if how == "ToolError":
        raise ToolError(how)
    if how == "Ctrl-C":
        os.kill(os.getpid(), signal.SIGINT)


code = 0
try:
    with connected() as client:
        thread = threading.Thread(target=ask, args=(client,))
        thread.start()
        server.accept()
        leave(sys.argv[3])
except (ToolError, KeyboardInterrupt):
    code = 3
thread.join()
print(*failures)
sys.exit(code)
"""


@pytest.mark.parametrize(("how", "code"), [("return", 0), ("ToolError", 3), ("Ctrl-C", 3)])
def test_the_client_is_closed(how: str, code: int) -> None:
    command = [sys.executable, "-c", PROGRAM, str(ROOT / "pulsar-admin-scripts"), str(ROOT), how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (code, "", "\n")  # else the question ended by its time limit
