"""What is asked about gathering: how far it came, what it gave before, where a post came from."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, func, select
from sqlmodel import col

from models.cursor import SourceCursor
from models.provenance import Poll


def cursor_state(connection: Connection, *, platform: str, community_id: str, query: str) -> dict[str, Any]:
    """How far a target was collected; {} where it never was."""
    statement = select(col(SourceCursor.state)).where(
        col(SourceCursor.platform) == platform, col(SourceCursor.community_id) == community_id, col(SourceCursor.query) == query
    )
    return connection.scalar(statement) or {}


def polls_of_target(connection: Connection, *, community_id: str, query: str, limit: int) -> list[Any]:
    """The newest polls of a target, oldest of them first."""
    statement = (
        select(Poll.__table__)  # type: ignore[attr-defined]
        .where(col(Poll.community_id) == community_id, col(Poll.query) == query)
        .order_by(col(Poll.started_at).desc(), col(Poll.poll_id))
        .limit(limit)
    )
    return list(connection.execute(statement))[::-1]


def polls_of_run(connection: Connection, run_id: str) -> list[Any]:
    statement = select(Poll.__table__).where(col(Poll.run_id) == run_id)  # type: ignore[attr-defined]
    return list(connection.execute(statement.order_by(col(Poll.started_at), col(Poll.poll_id))))


def newest_polls(connection: Connection, communities: Collection[str]) -> list[Any]:
    """The newest poll of each community that was ever polled."""
    newest = (
        select(col(Poll.community_id), func.max(col(Poll.started_at)).label("started_at"))
        .where(col(Poll.community_id).in_(sorted(communities)))
        .group_by(col(Poll.community_id))
        .cte("newest")
    )
    joined = (col(Poll.community_id) == newest.c.community_id) & (col(Poll.started_at) == newest.c.started_at)
    return list(connection.execute(select(Poll.__table__).join(newest, joined).order_by(col(Poll.community_id), col(Poll.poll_id))))  # type: ignore[attr-defined]
