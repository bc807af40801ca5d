"""Classes of values."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

C = TypeVar("C")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def inmutable(clase: type[C]) -> type[C]:
    """A dataclass that nobody may change: mypy sees to that. One that Python sees to takes twice as long to make, and
    there are dozens for each order.
    """
    return dataclass(slots=True, unsafe_hash=True)(clase)
