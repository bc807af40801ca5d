"""What a function's configuration may say, and what an update of a Python function can't change.

From FunctionConfig, ConsumerConfig and FunctionConfigUtils of Pulsar 4.0. pulsar-admin ignores a field that it does not
know, so that a misspelt one would be deployed as its default.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

FieldType = type | tuple[str, ...]
"""What the value of a field may be: of a Python type, or one of these texts."""

FIELDS: Final[Mapping[str, FieldType]] = {
    **dict.fromkeys(("tenant", "namespace", "name", "className", "fqfn", "subName", "functionType"), str),
    **dict.fromkeys(("topicsPattern", "inputTypeClassName", "deadLetterTopic", "logTopic", "batchBuilder"), str),
    **dict.fromkeys(("output", "outputSchemaType", "outputTypeClassName", "outputSerdeClassName"), str),
    **dict.fromkeys(("jar", "py", "go", "runtimeFlags", "customRuntimeOptions"), str),
    **dict.fromkeys(("inputSpecs", "customSerdeInputs", "customSchemaInputs", "customSchemaOutputs"), dict),
    **dict.fromkeys(("userConfig", "secrets", "producerConfig", "resources", "windowConfig"), dict),
    **dict.fromkeys(("parallelism", "maxMessageRetries", "timeoutMs", "maxPendingAsyncRequests"), int),
    **dict.fromkeys(("autoAck", "cleanupSubscription", "skipToLatest", "retainOrdering", "retainKeyOrdering"), bool),
    **dict.fromkeys(("forwardSourceMessageProperty", "exposePulsarAdminClientEnabled"), bool),
    "inputs": list,
    "processingGuarantees": ("ATLEAST_ONCE", "ATMOST_ONCE", "EFFECTIVELY_ONCE", "MANUAL"),
    "runtime": ("JAVA", "PYTHON", "GO"),
    "subscriptionPosition": ("Latest", "Earliest"),
}
INPUT_FIELDS: Final[Mapping[str, FieldType]] = {
    **dict.fromkeys(("schemaType", "serdeClassName"), str),
    **dict.fromkeys(("schemaProperties", "consumerProperties", "cryptoConfig"), dict),
    **dict.fromkeys(("regexPattern", "isRegexPattern", "poolMessages"), bool),
    "receiverQueueSize": int,
}
"""The fields of one topic in `inputSpecs`."""
REQUIRED: Final = ("tenant", "namespace", "name", "className", "inputSpecs", "subName")
IMMUTABLE: Final = ("processingGuarantees", "retainOrdering", "retainKeyOrdering", "runtime", "autoAck", "subName")


def defects(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with a configuration, a text for each field: its value, and what it may be."""
    return [
        *(f"{field} is missing" for field in REQUIRED if field not in config),
        *_field_problems(config, FIELDS, ""),
        *(
            defect
            for topic, input_spec in config.get("inputSpecs", {}).items()
            for defect in _field_problems(input_spec, INPUT_FIELDS, f"inputSpecs of {topic}: ")
        ),
    ]


def _field_problems(config: Mapping[str, Any], field_types: Mapping[str, FieldType], location: str) -> Iterator[str]:
    for field, value in config.items():
        expected_type = field_types.get(field)
        if expected_type is None:
            yield f"{location}{field}: Pulsar knows no such field, and would ignore it"
        elif isinstance(expected_type, tuple):
            if value not in expected_type:
                yield f"{location}{field} is {value!r}: must be one of {', '.join(expected_type)}"
        elif type(value) is not expected_type:  # not isinstance: a bool is an int
            yield f"{location}{field} is {value!r}: must be of type {expected_type.__name__}"


def refused_changes(current: Mapping[str, Any], desired: Mapping[str, Any]) -> list[str]:
    """What `functions update` would refuse: each field that can't be altered but differs, with both values."""
    changes = [(field, current.get(field), desired[field]) for field in IMMUTABLE if field in desired]
    changes.append(("inputs", sorted(current["inputSpecs"]), sorted(desired["inputSpecs"])))
    return [f"{field} is {old!r}, wanted {new!r}" for field, old, new in changes if old != new]
