"""ordenes/evento-orden: what reaches the read model. That older states change nothing is up to PostgreSQL."""

from functions.messages.envelope import Message, now
from functions.messages.ids import new
from functions.ordenes import decisions
from functions.ordenes.proyectar_orden import ProyectarOrden
from tests.support.data import listo, make_orden, stored_orden
from tests.support.fake_transaction import FakeTransaction


def test_only_the_newest_state_of_each_order_is_written_whatever_the_order_of_its_events() -> None:
    comando = make_orden()
    creada = stored_orden(comando)
    iniciada, _ = decisions.marcar_listo(creada, listo(comando), now())
    other = stored_orden()
    tx = FakeTransaction()
    ProyectarOrden().handle(tx, [Message(new(), 0, 0, evento) for evento in (iniciada, other, creada)])
    (written,) = tx.executed
    rows = set(zip(written["id_orden"], written["estado"], written["version"], strict=True))
    assert rows == {(iniciada.id_orden, "iniciada", 2), (other.id_orden, "creada", 1)}
