"""What is remembered of gathering: polls, how far they came, and which post came from where. Each in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, literal, select, update
from sqlmodel import col

from coprod_nlp.vocabulary import PollOutcome
from models.base import UtcDateTime, utc_now
from models.bulk import INSERTS, among, upsert
from models.cursor import SourceCursor
from models.post import Post
from models.provenance import Poll, Provenance


def begin_poll(
    connection: Connection,
    poll_id: str,
    *,
    run_id: str,
    source: str,
    platform: str,
    community_id: str = "",
    query: str = "",
    campaign: str = "",
    terms_version: str = "",
) -> None:
    row = {
        "poll_id": poll_id, "run_id": run_id, "source": source, "platform": platform, "community_id": community_id, "query": query,
        "campaign": campaign, "terms_version": terms_version, "started_at": utc_now(), "finished_at": None,
        "outcome": PollOutcome.RUNNING.value, "reason": "", "seen": 0, "new_posts": 0, "requests": 0, "waited_s": 0.0, "gaps": [],
    }  # fmt: skip
    upsert(connection, Poll, [row])


def update_poll(connection: Connection, poll_id: str, **values: Any) -> None:
    """Counts and gaps so far."""
    connection.execute(update(Poll).where(col(Poll.poll_id) == poll_id).values(**values))


def finish_poll(connection: Connection, poll_id: str, *, outcome: PollOutcome, reason: str, **values: Any) -> None:
    update_poll(connection, poll_id, outcome=outcome.value, reason=reason, finished_at=utc_now(), **values)


def store_cursor(connection: Connection, *, platform: str, community_id: str, query: str, state: dict[str, Any], poll_id: str) -> None:
    row = {
        "platform": platform, "community_id": community_id, "query": query, "state": state, "updated_at": utc_now(), "poll_id": poll_id,
    }  # fmt: skip
    upsert(connection, SourceCursor, [row])


def store_provenance(connection: Connection, post_ids: Sequence[str], *, poll_id: str, at: datetime) -> None:
    """Note that a poll gave these posts, of those that were kept; where another gave them first, that stays."""
    poll, time = literal(poll_id), literal(at, UtcDateTime)
    insert = INSERTS[connection.dialect.name](Provenance)
    columns = ["post_id", "first_poll_id", "first_fetched_at", "last_poll_id", "last_fetched_at"]
    seen_again = {name: insert.excluded[name] for name in ("last_poll_id", "last_fetched_at")}
    kept = select(col(Post.post_id), poll, time, poll, time).where(among(connection, col(Post.post_id), post_ids))
    connection.execute(insert.from_select(columns, kept).on_conflict_do_update(index_elements=["post_id"], set_=seen_again))


def mark_seen(connection: Connection, post_ids: Sequence[str], *, at: datetime) -> None:
    """Note that the source was asked about these posts."""
    seen = among(connection, col(Provenance.post_id), post_ids)
    connection.execute(update(Provenance).where(seen).values(last_fetched_at=at))
