"""What the tests of the operators' tools share."""

import signal
from collections.abc import Iterator

import dlq_process
import pytest


@pytest.fixture
def en_primer_plano() -> Iterator[None]:
    """Ctrl-C works, as on a terminal: what runs in the background inherits that it is ignored."""
    antes = {senal: signal.getsignal(senal) for senal in dlq_process.SENALES}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for senal, accion in antes.items():
        signal.signal(senal, accion)
