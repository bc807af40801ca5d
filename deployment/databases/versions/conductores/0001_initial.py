"""Drivers, their assignments to orders, and the receipts of their functions."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        create table conductores (
            id_conductor uuid primary key,
            nombre text,
            libre boolean not null default true
        )""")
    op.execute("create index on conductores (id_conductor) where libre")
    op.execute("""
        create table asignaciones (
            id_orden uuid primary key,
            id_conductor uuid references conductores,
            direccion_entrega text not null,
            estado text not null check (estado in ('asignada', 'rechazada')),
            fecha timestamptz not null default now(),
            check ((estado = 'asignada') = (id_conductor is not null))
        )""")
    # a driver has one order at a time
    op.execute("create unique index on asignaciones (id_conductor) where estado = 'asignada'")
    op.execute("""
        create table recibos (
            funcion text,
            id_mensaje uuid,
            salidas bytea,
            fecha timestamptz not null default now(),
            primary key (funcion, id_mensaje)
        )""")
