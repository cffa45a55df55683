"""Alembic's entry: runs the revisions on the connection `migrations.upgrade` hands over, inside its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    transaction_per_migration=False,
)
context.run_migrations()
