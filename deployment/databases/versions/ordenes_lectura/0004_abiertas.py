"""Orders that have not ended, for those who watch how old the oldest is."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("create index on ordenes (time_stamp desc, id_orden) where estado = 'creada'")
