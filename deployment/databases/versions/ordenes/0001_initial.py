"""Orders, and the receipts of their functions."""

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
            cantidad int not null check (cantidad > 0),
            direccion_entrega text not null,
            estado text not null check (estado in ('creada', 'iniciada', 'fallida')),
            id_driver uuid,
            motivo text,
            transaction_id uuid not null,
            version int not null,
            check ((estado = 'iniciada') = (id_driver is not null)),
            check ((estado = 'fallida') = (motivo is not null))
        )""")
    op.execute("""
        create table recibos (
            funcion text,
            id_mensaje uuid,
            salidas bytea,
            fecha timestamptz not null default now(),
            primary key (funcion, id_mensaje)
        )""")
