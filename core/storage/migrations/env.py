"""Runs Alembic inside the transaction that core.storage.schema.migrate opened."""

from alembic import context

from core.storage import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
)
context.run_migrations()
