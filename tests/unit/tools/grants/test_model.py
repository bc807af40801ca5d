"""Each role has what its program needs, and no more."""

from collections import Counter
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import fastavro
import pytest
from tools.cluster.repository import function_configs
from tools.deploy.canary import canary_config
from tools.grants.model import READ_BY_BFF, Right, function_role, required, roles
from tools.messages.samples import sample

from bff.backends.broker import Broker
from bff.following import announcements
from functions.engine.quarantine import Quarantine
from functions.messages.codec import codec
from functions.messages.topics import short_name
from functions.pulsar_io.schema import AvroSchema, Received
from functions.telemetry.metrics import Metrics
from tests.support import role_matrix
from tests.support.fake_pulsar import FakeMessage

CONFIGS = function_configs()


def test_every_role_may_publish_and_read_what_it_needs_and_nothing_else() -> None:
    matrix = [row for row in role_matrix.access() if row.role not in role_matrix.ADMINISTRATORS]
    allowed = {Right(("topic", row.topic), row.role, row.action) for row in matrix if row.allowed}
    assert {right for right in required() if right.place[0] == "topic"} == allowed
    assert len(allowed) > 5 * len(CONFIGS)


def test_every_subscription_is_for_whom_it_was_made() -> None:
    needed = {(right.place[1], right.role) for right in required() if right.place[0] == "subscription"}
    for row in role_matrix.subscribing():
        if row.role not in role_matrix.ADMINISTRATORS:
            namespace = "/".join(row.topic.removeprefix("persistent://").split("/")[:2])
            assert ((f"{namespace}/{row.subscription}", row.role) in needed) == row.allowed


def test_there_is_no_right_on_a_whole_namespace_and_one_to_administer() -> None:
    others = [right for right in required() if right.place[0] not in ("topic", "subscription")]
    assert others == [Right(("tenant", "monoliticas"), "deployer", "administer")]


def test_every_role_is_named_once() -> None:
    assert sorted(roles()) == sorted(role_matrix.roles())
    assert max(Counter(roles()).values()) == 1


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("is_canary", [False, True])
def test_functions_may_publish_what_becomes_of_messages_that_they_cannot_process(name: str, is_canary: bool) -> None:
    """By the real quarantine, of a message of each topic that the function reads."""
    config: Any = canary_config(CONFIGS[name]) if is_canary else CONFIGS[name]
    worked_for = f"{config['namespace']}/{config['userConfig'].get('FUNCION', config['name'])}"
    quarantine = Quarantine(worked_for, config["namespace"], Metrics(lambda *_: None))
    for topic in map(short_name, config["inputSpecs"]):
        raw = FakeMessage(topic, _encoded(topic))
        received = Received(raw, AvroSchema(None, {"topic": topic}), False)
        for outgoing in quarantine.outputs(received, received.message(), ValueError("no"), 3):
            right = Right(
                ("topic", f"persistent://monoliticas/{outgoing.topic}"), function_role(config["name"]), "produce"
            )
            assert right in required()


def _encoded(topic: str) -> bytes:
    """A sample message, as it is on the topic."""
    output = BytesIO()
    fastavro.schemaless_writer(output, codec(topic).schema, sample(topic))
    return output.getvalue()


def test_a_canary_has_the_role_of_its_function() -> None:
    for name in CONFIGS:
        assert function_role(canary_config(CONFIGS[name])["name"]) == function_role(name)


def test_the_bff_may_read_what_it_follows_and_ask_whether_the_broker_answers() -> None:
    assert announcements.TOPIC == READ_BY_BFF
    asked: list[str] = []
    client = SimpleNamespace(get_topic_partitions=asked.append)
    Broker(client).check()
    assert [right.action for right in required() if right.role == "bff" and right.place[1] in asked] == ["produce"]
