"""When orders came into their states; who took them; those that are under way to their customers, by age."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        alter table ordenes
            add creada_en timestamptz,
            add iniciada_en timestamptz,
            add despachada_en timestamptz,
            add finalizada_en timestamptz,
            add recibido_por text""")
    op.execute("create index on ordenes (despachada_en) where estado = 'despachada'")
