"""Lists of a customer's orders, and of a product's."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("create index on ordenes (user_id, time_stamp desc, id_orden)")
    op.execute("create index on ordenes (id_producto, time_stamp desc, id_orden)")
