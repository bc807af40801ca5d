"""The saga of each assignment: messages of another one are not about it."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("alter table asignaciones add transaction_id uuid")
