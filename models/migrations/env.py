"""Alembic's entry: `models.session.migrate` hands over an open connection."""

from alembic import context

from models import (  # noqa: F401  (fill the metadata)
    account,
    classifier,
    contact,
    cursor,
    decision,
    interaction,
    key_state,
    label,
    lead,
    notice,
    post,
    provenance,
    report,
    request,
    run,
    wiping,
    written,
)
from models.base import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
