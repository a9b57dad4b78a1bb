"""Alembic's entry point: migrations run on the connection that `database.migrate` hands over."""

from alembic import context

from governance.record import (  # noqa: F401
    document_tables,
    evaluation_tables,
    feedback_tables,
    intake_tables,
    model_tables,
    people_tables,
    trail_tables,
    use_tables,
)
from governance.record.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # DBOS keeps its own tables in the same database; they are not ours to compare.
    include_name=lambda name, kind, _parents: kind != "table" or name in metadata.tables,
)
with context.begin_transaction():
    context.run_migrations()
