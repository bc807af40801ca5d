"""The movements of each product's stock, with their causes."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        create table movimientos (
            id_producto uuid,
            version int,
            fecha timestamptz not null,
            causa text not null,
            id_orden uuid,
            id_ajuste uuid,
            cantidad int not null,
            stock int not null,
            motivo text,
            rechazado boolean not null,
            primary key (id_producto, version)
        )""")
    op.execute("create index on movimientos (id_ajuste) where id_ajuste is not null")
