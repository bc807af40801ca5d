"""At-most-once function with SerDe classes of its own; keeps the order of its input."""

from typing import Any

from pulsar import Function, SerDe


class Reversed(SerDe):  # type: ignore[misc]  # pulsar-client has no types
    """Bytes the other way round."""

    def serialize(self, input: str) -> bytes:
        return input[::-1].encode()

    def deserialize(self, input_bytes: bytes) -> str:
        return bytes(input_bytes).decode()[::-1]


class Wheeled(Function):  # type: ignore[misc]
    def process(self, input: str, context: Any) -> str:
        if input == "fail":
            raise ValueError("lost: at most once")
        return f"{input} wheeled"
