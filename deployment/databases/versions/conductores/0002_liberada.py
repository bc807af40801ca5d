"""Assignments can be freed; why an order has no driver."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("alter table asignaciones add motivo text")
    op.execute("update asignaciones set motivo = 'sin conductor libre' where estado = 'rechazada'")
    op.execute("""
        alter table asignaciones
            drop constraint asignaciones_estado_check,
            add check (estado in ('asignada', 'rechazada', 'liberada')),
            add check ((estado = 'asignada') = (motivo is null))""")
