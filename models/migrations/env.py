"""Alembic's entry: `models.session.migrate` hands over an open connection."""

from alembic import context

from models import account, classifier, contact, decision, interaction, label, lead, post, run  # noqa: F401  (fill the metadata)
from models.base import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
