"""Products, the stock that orders reserve, and the receipts of their functions."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        create table productos (
            id uuid primary key,
            nombre text not null,
            stock int not null check (stock >= 0),
            fecha_creacion timestamptz not null,
            fecha_actualizacion timestamptz not null,
            eliminado boolean not null,
            version int not null
        )""")
    op.execute("""
        create table reservas (
            id_orden uuid primary key,
            id_producto uuid not null,
            cantidad int not null check (cantidad > 0),
            estado text not null check (estado in ('reservada', 'rechazada', 'revertida')),
            motivo text,
            check ((estado = 'reservada') = (motivo is null))
        )""")
    op.execute("""
        create table recibos (
            funcion text,
            id_mensaje uuid,
            salidas bytea,
            fecha timestamptz not null default now(),
            primary key (funcion, id_mensaje)
        )""")
