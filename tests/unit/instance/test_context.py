"""What `process` can do with its context, and how the function's configuration reads its inputs."""

from typing import Any

import pulsar
import pytest

from tests.unit.instance.modules import Client, Consumer, Message, config, module


def context(result: Any = pulsar.Result.Ok, **fields: Any) -> Any:
    secrets = module("secretsprovider").ClearTextSecretsProvider()
    stats = module("instance_stats").Stats()
    return module("instance_context").Context(config(**fields), Client(result), secrets, stats)


def test_acknowledges_by_the_topic_of_the_configuration_or_one_of_its_partitions() -> None:
    ours, consumer = context(), Consumer()
    ours.consumers["persistent://t/ns/in"] = consumer
    ours.ack("one", "persistent://t/ns/in")
    ours.ack("two", "persistent://t/ns/in-partition-3")
    assert consumer.acknowledged == ["one", "two"]
    with pytest.raises(ValueError, match="Invalid topicname in"):
        ours.ack("three", "in")


def test_user_config_and_secrets_come_from_the_details() -> None:
    ours = context(userConfig='{"limit": 3.0}', secretsMap='{"password": "s3cr3t"}')
    assert (ours.get_user_config_value("limit"), ours.get_user_config_value("other")) == (3.0, None)
    assert (ours.get_secret("password"), ours.get_secret("other")) == ("s3cr3t", None)


def test_without_user_config_there_is_a_list_as_under_upstream() -> None:
    ours = context()
    assert ours.get_user_config_map() == []
    assert ours.get_user_config_value("limit") is None


def test_environment_secrets_are_found_by_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("password", "from outside")
    provider = module("secretsprovider").EnvironmentBasedSecretsProvider()
    assert provider.provide_secret("password", "anything") == "from outside"


def test_publish_serializes_and_leaves_the_callers_options_alone() -> None:
    ours, options, results = context(), {"partition_key": "k"}, []
    ours.set_current_message_context(Message(b""))
    ours.publish("out", 5, properties={"a": "b"}, message_conf=options, callback=lambda *got: results.append(got))
    sent = ours.pulsar_client.producers["out"].sent
    assert sent == [(b"5", {"partition_key": "k", "properties": {"a": "b"}})]
    assert options == {"partition_key": "k"}
    assert results == [(pulsar.Result.Ok, None)]


def test_publishing_before_the_first_message_fails_as_under_upstream() -> None:
    ours = context()
    with pytest.raises(AttributeError):
        ours.publish("out", "text")
    assert ours.pulsar_client.producers == {}


def test_a_failed_publish_counts_and_still_calls_back() -> None:
    ours, results = context(pulsar.Result.Timeout), []
    ours.set_current_message_context(Message(b""))
    ours.publish("out", "text", callback=lambda *got: results.append(got[0]))
    assert results == [pulsar.Result.Timeout]
    assert ours.stats.total.system_exceptions == 1


def test_user_metrics_are_sums_and_counts_until_reset() -> None:
    ours = context()
    ours.record_metric("size", 2)
    ours.record_metric("size", 0.5)
    assert ours.get_and_reset_metrics() == {"user_metric_size_sum": 2.5, "user_metric_size_count": 2}
    assert ours.get_metrics() == {"user_metric_size_sum": 0, "user_metric_size_count": 0}


def test_state_does_nothing() -> None:
    ours = context()
    ours.put_state("key", b"value")
    ours.incr_counter("key", 1)
    assert (ours.get_state("key"), ours.get_counter("key")) == (None, None)


def test_has_everything_that_pulsars_context_promises() -> None:
    promised = {name for name in vars(pulsar.Context) if not name.startswith("_")}
    nothing = {name for name in promised if name.endswith(("_counter", "_state", "_ordering_key"))}
    assert promised - nothing <= set(vars(module("instance_context").Context))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, pulsar.ConsumerType.Shared),
        ({"source": {"subscriptionType": "FAILOVER"}}, pulsar.ConsumerType.Failover),
        ({"source": {"subscriptionType": "KEY_SHARED"}}, pulsar.ConsumerType.Shared),
        ({"retainKeyOrdering": True, "source": {"subscriptionType": "KEY_SHARED"}}, pulsar.ConsumerType.KeyShared),
        ({"retainOrdering": True, "retainKeyOrdering": True}, pulsar.ConsumerType.Failover),
    ],
)
def test_the_consumer_type_follows_from_the_order_to_keep(fields: dict[str, Any], expected: Any) -> None:
    assert module("instance_consumers").consumer_type(config(**fields).function_details) == expected
