"""What a function's configuration may say, and what an update of a Python function can't change.

From FunctionConfig, ConsumerConfig and FunctionConfigUtils of Pulsar 4.0. pulsar-admin ignores a field that it does not
know, so that a misspelt one would be deployed as its default.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Clase = type | tuple[str, ...]
"""Of a value: a Python type, or all that it may be."""

CAMPOS: Final[Mapping[str, Clase]] = {
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
ENTRADA: Final[Mapping[str, Clase]] = {
    **dict.fromkeys(("schemaType", "serdeClassName"), str),
    **dict.fromkeys(("schemaProperties", "consumerProperties", "cryptoConfig"), dict),
    **dict.fromkeys(("regexPattern", "isRegexPattern", "poolMessages"), bool),
    "receiverQueueSize": int,
}
"""Of one topic of `inputSpecs`."""
NECESARIOS: Final = ("tenant", "namespace", "name", "className", "inputSpecs", "subName")
INALTERABLES: Final = (
    "processingGuarantees",
    "retainOrdering",
    "retainKeyOrdering",
    "runtime",
    "autoAck",
    "subName",
)


def defectos(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with a configuration: each field, its value, and what it may be."""
    return [
        *(f"{campo} is missing" for campo in NECESARIOS if campo not in config),
        *_campos(config, CAMPOS, ""),
        *(
            falta
            for topic, entrada in config.get("inputSpecs", {}).items()
            for falta in _campos(entrada, ENTRADA, f"inputSpecs of {topic}: ")
        ),
    ]


def _campos(dichos: Mapping[str, Any], clases: Mapping[str, Clase], donde: str) -> Iterator[str]:
    for campo, valor in dichos.items():
        if (clase := clases.get(campo)) is None:
            yield f"{donde}{campo}: Pulsar knows no such field, and would ignore it"
        elif isinstance(clase, tuple):
            if valor not in clase:
                yield f"{donde}{campo} is {valor!r}: must be one of {', '.join(clase)}"
        elif type(valor) is not clase:  # a bool is an int
            yield f"{donde}{campo} is {valor!r}: must be of type {clase.__name__}"


def rehusados(actual: Mapping[str, Any], deseada: Mapping[str, Any]) -> list[str]:
    """What `functions update` would refuse: fields that can't be altered, with both values."""
    cambios = [(campo, actual.get(campo), deseada[campo]) for campo in INALTERABLES if campo in deseada]
    cambios.append(("inputs", sorted(actual["inputSpecs"]), sorted(deseada["inputSpecs"])))
    return [f"{campo} is {era!r}, wanted {sera!r}" for campo, era, sera in cambios if era != sera]
