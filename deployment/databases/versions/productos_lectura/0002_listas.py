"""Lists of products."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("create index on productos (fecha_creacion, id) where not eliminado")
