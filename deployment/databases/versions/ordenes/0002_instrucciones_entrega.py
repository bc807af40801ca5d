"""What the courier should know about an order."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("alter table ordenes add instrucciones_entrega text")
