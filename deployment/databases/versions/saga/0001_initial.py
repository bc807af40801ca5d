"""The saga log."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        create table sagalog (
            id_mensaje uuid primary key,
            transaction_id uuid not null,
            id_orden uuid not null,
            time_stamp timestamptz not null,
            is_compensation boolean not null,
            evento text not null,
            contenido jsonb not null
        )""")
    op.execute("create index on sagalog (id_orden, time_stamp)")
