"""Assignments of orders that were delivered; since when drivers are free, the longest of whom comes first."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        alter table asignaciones
            drop constraint asignaciones_estado_check,
            drop constraint asignaciones_check,
            drop constraint asignaciones_check1,
            add constraint asignaciones_estado_check
                check (estado in ('asignada', 'rechazada', 'liberada', 'completada')) not valid,
            add constraint asignaciones_conductor_check
                check ((estado in ('asignada', 'completada')) = (id_conductor is not null)) not valid,
            add constraint asignaciones_motivo_check
                check ((estado in ('asignada', 'completada')) = (motivo is null)) not valid""")
    for name in ("estado", "conductor", "motivo"):
        op.execute(f"alter table asignaciones validate constraint asignaciones_{name}_check")
    op.execute("alter table conductores add libre_desde timestamptz not null default now()")
    op.execute("create index on conductores (libre_desde, id_conductor) where libre")
    op.execute("drop index conductores_id_conductor_idx")
