"""conductores/evento-conductor: what reaches the read model. That older states change nothing is up to PostgreSQL."""

from dataclasses import replace

from functions.conductores.proyectar_conductor import ProyectarConductor
from functions.messages.envelope import Message, now
from functions.messages.ids import new
from functions.messages.payloads import Conductor, EventoConductor
from tests.support.fake_transaction import FakeTransaction


def test_only_the_newest_state_of_each_driver_is_written_whatever_the_order_of_the_events() -> None:
    ana, eva = (Conductor(new(), nombre, "libre", None, now(), 1) for nombre in ("Ana", "Eva"))
    taken = replace(ana, estado="asignado", id_orden=new(), version=2)
    told = [EventoConductor(part[0].id_conductor, part) for part in ([taken, eva], [ana])]
    tx = FakeTransaction()
    ProyectarConductor().handle(tx, [Message(new(), 0, 0, evento) for evento in told])
    (written,) = tx.executed
    rows = set(zip(written["id_conductor"], written["estado"], written["id_orden"], written["version"], strict=True))
    assert rows == {(ana.id_conductor, "asignado", taken.id_orden, 2), (eva.id_conductor, "libre", None, 1)}
