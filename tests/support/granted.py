"""What roles may do, by what grants.py gives them."""

from typing import Any

from tools.grants.model import Right, function_role, required

from tests.support import engines
from tests.support.fake_pulsar import FakeClient, FakeProducer


class Connection(FakeClient):
    """A function's connection to the broker, which lets it read and publish only what its role has the right to."""

    def __init__(self, broker: FakeClient, function: str) -> None:
        super().__init__()
        self._broker, self._role = broker, function_role(function)
        for topic in engines.configuration(function)["inputSpecs"]:
            self._require("consume", topic)

    def create_producer(self, topic: str, **options: Any) -> FakeProducer:
        self._require("produce", topic)
        return self._broker.create_producer(topic, **options)

    def acknowledge(self, function: str, id_mensaje: object) -> None:
        self._broker.acknowledge(function, id_mensaje)

    def _require(self, action: str, topic: str) -> None:
        right = Right(("topic", topic), self._role, action)
        assert right in required(), f"grants.py does not give that: {right}"
