"""Adjustments of the stock, and what each product began with: what accounts for every unit."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        create table ajustes (
            id_ajuste uuid primary key,
            id_producto uuid not null,
            cantidad int not null check (cantidad <> 0),
            motivo text not null,
            rechazado boolean not null,
            fecha timestamptz not null
        )""")
    # null for products that are older
    op.execute("alter table productos add stock_inicial int")
