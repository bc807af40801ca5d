"""The read model of orders."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        create table ordenes (
            id_orden uuid primary key,
            id_producto uuid not null,
            user_id text not null,
            time_stamp timestamptz not null,
            cantidad int not null,
            direccion_entrega text not null,
            estado text not null,
            id_driver uuid,
            motivo text,
            transaction_id uuid not null,
            version int not null
        )""")
    op.execute("create index on ordenes (time_stamp desc, id_orden)")
