"""What a source's answer about stored posts changes, in the caller's one transaction and with one audit row where it changes anything."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from coprod_nlp.vocabulary import PostState
from models import removal
from models.actions import audit, store_posts
from models.provenance_actions import mark_seen
from models.removal import Removal


def apply_answers(
    session: Session,
    *,
    platform: str,
    gone: Mapping[str, PostState],
    changed: Sequence[dict[str, Any]],
    asked: Collection[str],
    at: datetime,
    by: str,
) -> Removal:
    """Empty what is gone, store what was edited or came back, and note that all that was asked about was looked at.

    Parameters
    ----------
    gone
        Posts by the state they are in now; each loses its words, author, reading, evidence, labels and place in leads.
    changed
        Rows for `store_posts`.
    asked
        Every post the source was asked about, those too that are as they were.
    """
    connection = session.connection()
    found = removal.empty_posts(connection, gone)
    store_posts(connection, changed, is_live=True)
    mark_seen(connection, sorted(asked), at=at)
    if gone or changed:
        counts = Counter(state.value for state in gone.values()) | Counter({"changed": len(changed)})
        audit(session, by=by, action="reconcile", subject=platform, counts=dict(+counts))
    return found
