"""The states after the saga: dispatched, delivered, brought back, cancelled; when orders came into theirs."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        alter table ordenes
            add iniciada_en timestamptz,
            add despachada_en timestamptz,
            add finalizada_en timestamptz,
            add recibido_por text,
            drop constraint ordenes_estado_check,
            drop constraint ordenes_check,
            drop constraint ordenes_check1,
            add constraint ordenes_estado_check check (estado in
                ('creada', 'iniciada', 'despachada', 'entregada', 'devuelta', 'cancelada', 'fallida')) not valid,
            add constraint ordenes_driver_check check (estado = 'cancelada'
                or (estado in ('iniciada', 'despachada', 'entregada', 'devuelta')) = (id_driver is not null)) not valid,
            add constraint ordenes_motivo_check check (estado = 'cancelada'
                or (estado in ('devuelta', 'fallida')) = (motivo is not null)) not valid""")
    for name in ("estado", "driver", "motivo"):
        op.execute(f"alter table ordenes validate constraint ordenes_{name}_check")
