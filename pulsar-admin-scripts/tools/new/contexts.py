"""The contexts that can get a new command, each with the aggregate that its commands are about."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Context:
    """One context and the aggregate that its commands are about.

    `aggregate`: its name in the code, whose class is the same with a capital; `key`: the payload field with its id;
    `store`: its table in `tables.py`; `noun`: what it is called in texts; `sample`: an expression for tests that makes
    one; `imports`: what that expression needs of `tests.support.data`; `store_imports`: lines that `store` needs.
    """

    name: str
    aggregate: str
    key: str
    store: str
    noun: str
    sample: str
    imports: str
    store_imports: str = ""


CONTEXTS: Final = {
    context.name: context
    for context in (
        Context("ordenes", "orden", "id_orden", "ORDENES", "order", "stored_orden(), None", "stored_orden"),
        Context(
            "productos",
            "producto",
            "id_producto",
            "PRODUCTOS",
            "product",
            "decisions.crear(None, make_producto(), now())",
            "make_producto",
        ),
        Context(
            "conductores",
            "asignacion",
            "id_orden",
            "asignaciones(Changes(now(tx)))",
            "assignment",
            "decisions.liberar(None, liberar(make_orden()))",
            "liberar, make_orden",
            "from functions.conductores.states import Changes\nfrom functions.postgres.clock import now\n",
        ),
    )
}
"""The contexts that decide about something. The context saga only records what the others do."""
