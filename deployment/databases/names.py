"""The databases by name, and which of them the BFF reads. A role has the name of its database."""

from typing import Final

DATABASES: Final = (
    "ordenes",
    "ordenes_lectura",
    "productos",
    "productos_lectura",
    "conductores",
    "conductores_lectura",
    "saga",
)
BFF_DATABASES: Final = ("ordenes_lectura", "productos_lectura", "conductores_lectura", "saga")
