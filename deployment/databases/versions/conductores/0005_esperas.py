"""Orders that wait for a driver."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        alter table asignaciones
            drop constraint asignaciones_estado_check,
            drop constraint asignaciones_motivo_check,
            add constraint asignaciones_estado_check
                check (estado in ('asignada', 'rechazada', 'liberada', 'completada', 'esperando')) not valid,
            add constraint asignaciones_motivo_check
                check ((estado in ('asignada', 'completada', 'esperando')) = (motivo is null)) not valid""")
    for name in ("estado", "motivo"):
        op.execute(f"alter table asignaciones validate constraint asignaciones_{name}_check")
    op.execute("""
        create table esperas (
            id_orden uuid primary key references asignaciones,
            turno bigint not null generated always as identity unique,
            id_producto uuid not null,
            cantidad int not null check (cantidad > 0),
            direccion_entrega text not null,
            transaction_id uuid not null,
            instrucciones_entrega text,
            desde timestamptz not null,
            hasta timestamptz not null
        )""")
