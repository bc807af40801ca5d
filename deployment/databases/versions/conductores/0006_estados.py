"""Drivers that retire; which change of a driver is the newest, and since when it is in its state."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        alter table conductores
            add version int not null default 1,
            add retirado boolean not null default false,
            add desde timestamptz not null default date_trunc('milliseconds', now()),
            add constraint conductores_retirado_check check (not (libre and retirado)) not valid""")
    op.execute("alter table conductores validate constraint conductores_retirado_check")
    op.execute("update conductores set desde = date_trunc('milliseconds', libre_desde) where libre")
    op.execute("""
        update conductores set desde = date_trunc('milliseconds', fecha) from asignaciones a
        where a.id_conductor = conductores.id_conductor and a.estado = 'asignada'""")
