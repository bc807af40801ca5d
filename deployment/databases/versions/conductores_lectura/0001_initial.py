"""The read model of drivers."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        create table conductores (
            id_conductor uuid primary key,
            nombre text,
            estado text not null,
            id_orden uuid,
            desde timestamptz not null,
            version int not null
        )""")
    # lists, and how many drivers are in each state
    op.execute("create index on conductores (desde, id_conductor)")
    op.execute("create index on conductores (estado, desde, id_conductor)")
