"""What Pulsar calls."""

from typing import Any

from functions.engine.engine import Engine
from functions.engine.handler import Handler
from functions.pulsar_io.schema import Received


class Function(Handler):
    """Base of every function, and what Pulsar calls: a subclass overrides `handle`.

    Deployed with the processing guarantee MANUAL, so that the engine acknowledges, after the effects are committed and
    the outputs published. The Python instance calls `process` with one message at a time, on one thread; the engine,
    made at the first message, gathers them into batches. Making an instance does nothing: an exception in `__init__`
    would be swallowed by the Python instance.
    """

    _engine: Engine | None = None

    def process(self, input: Received, context: Any) -> None:
        """Pulsar's entry point: hands one message to the engine, and waits while the engine's buffer is full."""
        if self._engine is None:
            self._engine = Engine(self, context)
        self._engine.receive(input)
