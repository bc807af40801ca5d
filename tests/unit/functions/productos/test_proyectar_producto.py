"""productos/evento-producto: what reaches the read model. That older states change nothing is up to PostgreSQL."""

from functions.messages.envelope import Message, now
from functions.messages.ids import new
from functions.messages.payloads import ComandoEliminarProducto
from functions.productos import decisions
from functions.productos.proyectar_producto import ProyectarProducto
from tests.support.data import ajustar, make_producto, stored_producto
from tests.support.fake_transaction import FakeTransaction


def test_only_the_newest_state_of_each_product_is_written_whatever_the_order_of_its_events() -> None:
    cafe, tea = stored_producto(10), stored_producto(5)
    deleted, _ = decisions.eliminar(cafe, ComandoEliminarProducto(cafe.id_producto), now())
    tx = FakeTransaction()
    ProyectarProducto().handle(tx, [Message(new(), 0, 0, evento) for evento in (deleted, tea, cafe)])
    (written,) = tx.executed
    rows = set(zip(written["id_producto"], written["eliminado"], written["version"], strict=True))
    assert rows == {(cafe.id_producto, True, 2), (tea.id_producto, False, 1)}


def test_the_movements_of_all_events_are_added() -> None:
    first, moment = decisions.crear(None, make_producto(), now())[0], now()
    second, _, _ = decisions.ajustar(first, None, ajustar(first.id_producto), moment)
    third = decisions.eliminar(second, ComandoEliminarProducto(first.id_producto), moment)[0]
    tx = FakeTransaction()
    ProyectarProducto().handle(tx, [Message(new(), 0, 0, evento) for evento in (third, second, first)])
    _, added = tx.executed
    assert (added["id_producto"], added["version"]) == ([first.id_producto] * 2, [2, 1])
    assert (added["causa"], added["stock"]) == (["ajuste", "creacion"], [second.stock, first.stock])
