"""The read model of products."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        create table productos (
            id uuid primary key,
            nombre text not null,
            stock int not null,
            fecha_creacion timestamptz not null,
            fecha_actualizacion timestamptz not null,
            eliminado boolean not null,
            version int not null
        )""")
