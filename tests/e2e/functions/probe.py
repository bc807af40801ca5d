"""At-least-once function that does what its input says, and answers with what it saw of its context."""

import json
from typing import Any

from pulsar import Function


class Probe(Function):  # type: ignore[misc]  # pulsar-client has no types
    def process(self, input: Any, context: Any) -> Any:
        command, _, argument = str(input).partition(" ")
        if command == "fail" and context.message.redelivery_count() == 0:
            raise ValueError(f"asked to fail: {argument}")
        if command == "log":
            print("printed", argument)
            context.get_logger().info("logged %s", argument)
        if command == "metric":
            context.record_metric("asked", float(argument))
        if command == "publish":
            context.publish(argument, "published", properties={"by": "probe"})
        if command == "context":
            return json.dumps(seen(context))
        return f"{input} redelivered={context.message.redelivery_count()}"


def seen(context: Any) -> dict[str, Any]:
    return {
        "tenant": context.get_function_tenant(),
        "namespace": context.get_function_namespace(),
        "name": context.get_function_name(),
        "instance": context.get_instance_id(),
        "inputs": context.get_input_topics(),
        "output": context.get_output_topic(),
        "topic": context.get_current_message_topic_name(),
        "key": context.get_message_key(),
        "properties": context.get_message_properties(),
        "eventtime": context.get_message_eventtime(),
        "config": context.get_user_config_map(),
        "missing": context.get_user_config_value("missing"),
        "secret": context.get_secret("DB_PASSWORD_SAGA"),
        "state": context.get_state("anything"),
    }
