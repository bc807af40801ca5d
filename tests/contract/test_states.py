"""What may become of an order: clients read the same table in the schema as the functions go by."""

from functions.messages.codec import next_values, values
from functions.ordenes.states import TRANSITIONS


def test_the_schema_of_the_orders_event_shows_every_state_and_what_may_follow_it() -> None:
    published = next_values("ordenes/evento-orden", "estado")
    assert published == TRANSITIONS
    assert set(published) == set(values("ordenes/evento-orden", "estado"))
