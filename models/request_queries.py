"""What is asked about requests under the UK GDPR, about the audit log, and about what is kept for how long."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlmodel import col

from models.account import Account
from models.post import Post
from models.request import RequestKey, RightsRequest
from models.run import AuditEntry, SuppressedPost, Suppression

AUDIT_PAGE = 50


@dataclass(frozen=True)
class AuditFilter:
    """Which rows of the audit log are asked for; blank fields ask for all."""

    by: str = ""
    action: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None


def requests_of(connection: Connection, council: str, *, is_open: bool) -> list[Any]:
    """A council's requests: the open ones by the day they are due, the closed ones newest first."""
    closed = col(RightsRequest.closed_at)
    statement = select(RightsRequest.__table__).where(col(RightsRequest.council) == council)  # type: ignore[attr-defined]
    if is_open:
        return list(
            connection.execute(statement.where(closed.is_(None)).order_by(col(RightsRequest.due_on), col(RightsRequest.request_id)))
        )
    return list(connection.execute(statement.where(closed.is_not(None)).order_by(closed.desc(), col(RightsRequest.request_id)).limit(200)))


def keys_of_request(connection: Connection, request_id: str) -> set[str]:
    return set(connection.scalars(select(col(RequestKey.author_key)).where(col(RequestKey.request_id) == request_id)))


def request_counts(connection: Connection, council: str) -> list[Any]:
    """(kind, outcome, requests) of a council's requests; no outcome where they are open."""
    counted = select(col(RightsRequest.kind), col(RightsRequest.outcome), func.count().label("requests"))
    grouped = counted.where(col(RightsRequest.council) == council).group_by(col(RightsRequest.kind), col(RightsRequest.outcome))
    return list(connection.execute(grouped.order_by(col(RightsRequest.kind), col(RightsRequest.outcome))))


def posts_by_community(connection: Connection, keys: Collection[str]) -> list[Any]:
    """(community_id, posts) of some author keys: how much a request is about, and none of the words."""
    counted = select(col(Post.community_id), func.count().label("posts")).where(col(Post.author_key).in_(sorted(keys)))
    return list(connection.execute(counted.group_by(col(Post.community_id)).order_by(col(Post.community_id))))


def kept_by_platform(connection: Connection, communities: Collection[str]) -> list[Any]:
    """(platform, posts, with_author, oldest) of what is stored of some communities; `oldest` is the earliest present fetch."""
    statement = (
        select(
            col(Post.platform), func.count().label("posts"), func.count(col(Post.author_key)).label("with_author"),
            func.min(col(Post.fetched_at)).label("oldest"),
        )
        .where(col(Post.community_id).in_(sorted(communities)))
        .group_by(col(Post.platform))
        .order_by(col(Post.platform))
    )  # fmt: skip
    return list(connection.execute(statement))


def kept_out(connection: Connection) -> tuple[int, int]:
    """How many author keys and how many single messages are never collected again, in the whole installation."""
    keys = connection.scalar(select(func.count()).select_from(Suppression)) or 0
    return keys, connection.scalar(select(func.count()).select_from(SuppressedPost)) or 0


def audit_page(
    connection: Connection, council: str, asked: AuditFilter, *, before: int | None = None, limit: int = AUDIT_PAGE + 1
) -> list[Any]:
    """Rows of the audit log, the newest first, one more than a page; what another council's staff did is theirs."""
    statement = _audited(select(AuditEntry.__table__), council, asked)  # type: ignore[attr-defined]
    if before is not None:
        statement = statement.where(col(AuditEntry.entry_id) < before)
    return list(connection.execute(statement.order_by(col(AuditEntry.entry_id).desc()).limit(limit)))


def audit_lists(connection: Connection, council: str) -> tuple[list[str], list[str]]:
    """Who and what can be filtered by."""
    everything = AuditFilter()
    people = connection.scalars(_audited(select(col(AuditEntry.by)).distinct(), council, everything).order_by(col(AuditEntry.by)))
    actions = connection.scalars(_audited(select(col(AuditEntry.action)).distinct(), council, everything).order_by(col(AuditEntry.action)))
    return list(people), list(actions)


def _audited(statement: Select[Any], council: str, asked: AuditFilter) -> Select[Any]:
    elsewhere = select(col(Account.username)).where(col(Account.council) != council)
    statement = statement.where(col(AuditEntry.by).not_in(elsewhere))
    for column, wanted in ((AuditEntry.by, asked.by), (AuditEntry.action, asked.action), (AuditEntry.subject, asked.subject)):
        if wanted:
            statement = statement.where(col(column) == wanted)
    if asked.since:
        statement = statement.where(col(AuditEntry.happened_at) >= _start(asked.since))
    if asked.until:
        statement = statement.where(col(AuditEntry.happened_at) < _start(asked.until) + timedelta(days=1))
    return statement


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
