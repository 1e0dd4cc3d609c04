"""What a report changes in the store: the places of its leads, and the record of an export with author keys."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete
from sqlmodel import Session, col

from models.actions import audit
from models.bulk import upsert
from models.report import LeadPlace


def replace_lead_places(connection: Connection, scope_id: str, rows: Sequence[dict[str, Any]]) -> None:
    """Put the places of a scope's leads in the place of the ones it had."""
    connection.execute(delete(LeadPlace).where(col(LeadPlace.scope) == scope_id))
    upsert(connection, LeadPlace, rows)


def record_key_export(session: Session, *, run_id: str, purpose: str, voices: int, by: str) -> None:
    """Say in the audit log that author keys left the store: in which report, for which campaign, how many, and who asked."""
    audit(session, by=by, action="export_author_keys", subject=run_id, counts={"purpose": purpose, "voices": voices})
