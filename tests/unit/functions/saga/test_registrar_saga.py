"""The saga log: what a message becomes."""

import json
from dataclasses import asdict
from datetime import datetime

from functions.messages.envelope import Message
from functions.messages.ids import new
from functions.saga.tables import rows
from tests.support.data import listo, make_orden, revertir


def test_the_saga_log_says_what_is_a_compensation() -> None:
    orden = make_orden()
    messages = [Message(new(), 1, 1_000 + i, data) for i, data in enumerate((orden, listo(orden), revertir(orden)))]
    columns = rows(messages)
    assert columns["evento"] == [
        "comando-crear-orden",
        "comando-marcar-listo-despacho",
        "comando-revertir-orden-creada",
    ]
    assert columns["is_compensation"] == [False, False, True]
    assert columns["id_mensaje"] == [message.id for message in messages]
    assert columns["ms"] == [1_000, 1_001, 1_002]
    assert set(columns["id_orden"]) == {orden.id_orden}
    content = json.loads(columns["contents"])[0]
    assert content | {"time_stamp": datetime.fromisoformat(content["time_stamp"])} == asdict(orden)
