"""What a configuration may not say, as messages would be lost, doubled, or come too early."""

from typing import Any

import pytest
from tools.cluster.repository import function_configs
from tools.deploy.promises import broken, delayed_topics, require_promises
from tools.errors import ToolError

CONFIGS = function_configs()
VERIFICAR = "verificar-orden"
INPUT = "persistent://monoliticas/ordenes/comando-verificar-orden"


def reasons(change: dict[str, Any], name: str = VERIFICAR) -> list[str]:
    return list(broken(function_configs()[name] | change, delayed_topics(CONFIGS)))


@pytest.mark.parametrize("name", CONFIGS)
def test_every_configuration_keeps_the_promises(name: str) -> None:
    assert reasons({}, name) == []


def test_the_topic_of_deadlines_has_delayed_messages() -> None:
    assert "ordenes/comando-verificar-orden" in delayed_topics(CONFIGS)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"retainOrdering": True}, "delivers the delayed messages of ordenes/comando-verificar-orden at once"),
        ({"processingGuarantees": "ATLEAST_ONCE"}, "processingGuarantees is 'ATLEAST_ONCE', must be 'MANUAL'"),
        ({"processingGuarantees": "EFFECTIVELY_ONCE"}, "must be 'MANUAL'"),
        ({"cleanupSubscription": True}, "would delete what waits for it"),
        ({"subscriptionPosition": "Latest"}, "would skip what waits"),
        ({"skipToLatest": True}, "skipToLatest is True, must not be set"),
        ({"autoAck": True}, "autoAck is True, must not be set"),
        ({"autoAck": False}, "autoAck is False, must not be set"),
        ({"timeoutMs": 5000}, "timeoutMs is 5000, must not be set"),
        ({"maxMessageRetries": 3}, "maxMessageRetries is 3, must not be set"),
        ({"deadLetterTopic": "x"}, "deadLetterTopic is 'x', must not be set"),
        ({"windowConfig": {"windowLengthCount": 3}}, "a window acknowledges before"),
        ({"output": "x"}, "output is 'x', must not be set"),
        ({"inputs": [INPUT]}, "name topics in inputSpecs"),
        ({"topicsPattern": "x.*"}, "name topics in inputSpecs"),
        ({"parallelism": 0}, "parallelism is 0"),
        ({"userConfig": {"FUNCION": "crear-orden"}}, "two functions would share receipts"),
        ({"userConfig": {"DEMORAS": {"a": 120}, "PLAZO": 1}}, "DEMORAS of a is 120: must be a list of waits"),
        ({"userConfig": {"DEMORAS": {"a": []}, "PLAZO": 1}}, "DEMORAS of a is []: must be a list of waits"),
        ({"userConfig": {"DEMORAS": {"a": [1, 0]}, "PLAZO": 1}}, "DEMORAS of a is [1, 0]: must be a list of waits"),
        ({"userConfig": {"DEMORAS": {"a": [1]}}}, "userConfig.PLAZO is 'not set': must be the seconds"),
        ({"userConfig": {"DEMORAS": {"a": [1]}, "PLAZO": True}}, "userConfig.PLAZO is True: must be the seconds"),
        ({"inputSpecs": {INPUT: {}}}, "what another one can't read would come again for ever"),
    ],
)
def test_what_breaks_a_promise_is_named_with_its_reason(change: dict[str, Any], expected: str) -> None:
    (reason,) = reasons(change)
    assert expected in reason


@pytest.mark.parametrize("field", ["processingGuarantees", "cleanupSubscription", "subscriptionPosition"])
def test_pulsars_own_defaults_break_promises(field: str) -> None:
    config = function_configs()[VERIFICAR]
    del config[field]
    (reason,) = broken(config, frozenset())
    assert reason.startswith(f"{field} is 'not set', must be ")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"schemaType": "STRING"}, "are 'STRING' and 'ordenes/comando-verificar-orden', must be"),
        ({"schemaProperties": {"topic": "ordenes/evento-orden"}}, "and 'ordenes/evento-orden', must be"),
        ({"serdeClassName": "x"}, "serdeClassName is 'x', must not be set"),
        ({"isRegexPattern": True}, "isRegexPattern is True, must not be set"),
        ({"receiverQueueSize": 0}, "receiverQueueSize is 0"),
    ],
)
def test_what_an_input_may_not_say_is_named(change: dict[str, Any], expected: str) -> None:
    (reason,) = reasons({"inputSpecs": {INPUT: CONFIGS[VERIFICAR]["inputSpecs"][INPUT] | change}})
    assert expected in reason


def test_the_order_of_messages_may_be_kept_where_none_is_delayed() -> None:
    assert reasons({"retainOrdering": True}, "crear-orden") == []
    assert reasons({"retainKeyOrdering": True}) == []


def test_all_of_it_is_said_at_once_with_the_functions_name() -> None:
    configs = {VERIFICAR: CONFIGS[VERIFICAR] | {"retainOrdering": True, "timeoutMs": 1}}
    with pytest.raises(ToolError, match="nothing was changed") as error:
        require_promises(configs, CONFIGS)
    assert str(error.value).count(f"\n  {VERIFICAR}: ") == 2
    require_promises(CONFIGS, CONFIGS)
