"""conductores/comando-retirar-conductor: the decision."""

from dataclasses import replace
from datetime import timedelta

from functions.conductores import states
from functions.messages.envelope import now
from functions.messages.ids import new
from functions.messages.payloads import ComandoRetirarConductor, Conductor


def test_a_driver_retires_once_and_keeps_the_order_at_hand() -> None:
    moment = now()
    ana = Conductor(new(), "Ana", states.ASIGNADO, new(), moment - timedelta(hours=1), 2)
    comando = ComandoRetirarConductor(ana.id_conductor)
    retired, outputs = states.retirar(ana, comando, moment)
    assert (retired, outputs) == (replace(ana, estado=states.RETIRADO, desde=moment, version=3), [])
    assert states.retirar(retired, comando, moment + timedelta(hours=1))[0] is retired


def test_a_driver_who_is_not_there_is_remembered_as_retired() -> None:
    comando, moment = ComandoRetirarConductor(new()), now()
    assert states.retirar(None, comando, moment)[0] == Conductor(
        comando.id_conductor, None, states.RETIRADO, None, moment, 1
    )
