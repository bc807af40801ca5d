"""Alembic's entry point: runs migrations on the connection that `__main__` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
