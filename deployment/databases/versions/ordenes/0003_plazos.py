"""When orders were created, by this database's clock; whether operators have suspended giving orders up."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # orders that are there already count from now; an earlier version of a function leaves it out
    op.execute("alter table ordenes add creada_en timestamptz not null default now()")
    op.execute("""
        create table plazos (
            numero bigint generated always as identity primary key,
            suspendidos boolean not null,
            operador text not null,
            motivo text not null,
            fecha timestamptz not null default now()
        )""")
