"""Whatever a function reads can be quarantined: a message that can't would come again for ever."""

from io import BytesIO

import fastavro
import pytest
from tools.messages.samples import sample

from functions.engine.quarantine import Quarantine
from functions.messages.codec import codec
from functions.messages.payloads import PAYLOADS
from functions.pulsar_io.schema import AvroSchema, Received
from functions.telemetry.metrics import Metrics
from tests.support.fake_pulsar import FakeMessage


def quarantined(topic: str) -> list[str]:
    """The topics of what is published in place of a sample message."""
    output = BytesIO()
    fastavro.schemaless_writer(output, codec(topic).schema, sample(topic))
    received = Received(FakeMessage(topic, output.getvalue()), AvroSchema(None, {"topic": topic}), False)
    quarantine = Quarantine("ordenes/archivar-orden", "ordenes", Metrics(lambda *_: None))
    return [outgoing.topic for outgoing in quarantine.outputs(received, received.message(), ValueError("no"), 3)]


@pytest.mark.parametrize("topic", PAYLOADS)
def test_a_message_of_any_topic_is_quarantined_and_the_saga_log_told_if_it_is_about_an_order(topic: str) -> None:
    is_about_orden = "id_orden" in codec(topic).fields and topic != "saga/evento-cuarentena"
    assert quarantined(topic) == ["ordenes/archivar-orden-dlq"] + is_about_orden * ["saga/evento-cuarentena"]
