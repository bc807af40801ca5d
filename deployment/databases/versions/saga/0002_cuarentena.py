"""The log takes what became of messages whose saga is not known, too."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("alter table sagalog alter transaction_id drop not null, alter id_orden drop not null")
