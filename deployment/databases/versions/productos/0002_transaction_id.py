"""The saga of each reservation: messages of another one are not about it."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("alter table reservas add transaction_id uuid")
