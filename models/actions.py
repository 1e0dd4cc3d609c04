"""What changes in the store: named actions, each in the caller's one transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, case, delete, func, insert, literal, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from coprod_nlp.vocabulary import InteractionKind, PostState
from models.base import utc_now
from models.bulk import upsert
from models.interaction import Interaction
from models.lead import Lead, LeadMessage, Network, NetworkVoice
from models.post import Post, PostReading
from models.run import AuditEntry, RunProblem, Suppression


def store_posts(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep posts once. A row whose content did not change is left as it was, `fetched_at` too."""
    upsert(connection, Post, rows, unless_same=("content_hash",))


def store_readings(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    upsert(connection, PostReading, rows)


def store_problems(connection: Connection, run_id: str, rows: Sequence[dict[str, Any]]) -> None:
    """Replace what a run has recorded of its bad input."""
    connection.execute(delete(RunProblem).where(col(RunProblem.run_id) == run_id))
    upsert(connection, RunProblem, rows)


def derive_interactions(connection: Connection, community_id: str, *, thread_limit: int) -> int:
    """Work out anew who answered whom and who shared a thread in one community; returns how many interactions there are.

    Threads of more than `thread_limit` authors make no shared-thread interactions: there everybody would know everybody.
    """
    connection.execute(delete(Interaction).where(col(Interaction.community_id) == community_id))
    columns = ["kind", "anchor_id", "source_key", "target_key", "community_id", "happened_at"]
    parent = aliased(Post)
    replies = (
        select(
            literal(InteractionKind.REPLY.value), col(Post.post_id), col(Post.author_key), col(parent.author_key),
            col(Post.community_id), col(Post.created_at),
        )
        .join(parent, col(parent.post_id) == col(Post.parent_id))
        .where(col(Post.community_id) == community_id, col(Post.author_key) != col(parent.author_key))
    )  # fmt: skip
    present = (
        select(
            col(Post.thread_id).label("thread_id"), col(Post.author_key).label("author_key"), func.max(col(Post.created_at)).label("last")
        )
        .where(col(Post.community_id) == community_id, col(Post.author_key).is_not(None), col(Post.thread_id).is_not(None))
        .group_by(col(Post.thread_id), col(Post.author_key))
        .cte("present")
    )
    size = select(present.c.thread_id, func.count().label("authors")).group_by(present.c.thread_id).cte("size")
    one, other = present.alias("one"), present.alias("other")
    later = case((one.c.last.is_(None), None), (other.c.last > one.c.last, other.c.last), (other.c.last.is_(None), None), else_=one.c.last)
    threads = (
        select(
            literal(InteractionKind.THREAD.value), one.c.thread_id, one.c.author_key, other.c.author_key,
            literal(community_id), later,
        )
        .join(other, and_(one.c.thread_id == other.c.thread_id, one.c.author_key < other.c.author_key))
        .join(size, size.c.thread_id == one.c.thread_id)
        .where(size.c.authors <= thread_limit)
    )  # fmt: skip
    for found in (replies, threads):
        connection.execute(insert(Interaction).from_select(columns, found))
    count = select(func.count()).select_from(Interaction).where(col(Interaction.community_id) == community_id)
    return connection.scalar(count) or 0


def replace_leads(
    connection: Connection,
    scope_id: str,
    *,
    networks: Sequence[dict[str, Any]],
    voices: Iterable[dict[str, Any]],
    leads: Sequence[dict[str, Any]],
    messages: Iterable[dict[str, Any]],
) -> None:
    """Put the networks and leads of a scope in the place of the ones it had."""
    old_leads = select(col(Lead.lead_id)).where(col(Lead.scope) == scope_id)
    old_networks = select(col(Network.network_id)).where(col(Network.scope) == scope_id)
    connection.execute(delete(LeadMessage).where(col(LeadMessage.lead_id).in_(old_leads)))
    connection.execute(delete(Lead).where(col(Lead.scope) == scope_id))
    connection.execute(delete(NetworkVoice).where(col(NetworkVoice.network_id).in_(old_networks)))
    connection.execute(delete(Network).where(col(Network.scope) == scope_id))
    for table, rows in ((Network, networks), (NetworkVoice, list(voices)), (Lead, leads), (LeadMessage, list(messages))):
        upsert(connection, table, rows)


def expire_posts(session: Session, *, kept_days: dict[str, int], default_days: int, by: str) -> int:
    """Remove every post that has outlived its platform's retention, with all that was made from it."""
    now = utc_now()
    named = [
        and_(col(Post.platform) == platform, col(Post.fetched_at) < now - timedelta(days=days)) for platform, days in kept_days.items()
    ]
    rest = and_(col(Post.platform).not_in(list(kept_days)), col(Post.fetched_at) < now - timedelta(days=default_days))
    expired = list(session.scalars(select(col(Post.post_id)).where(or_(*named, rest))))
    if expired:
        _remove_posts(session.connection(), expired)
        _audit(session, by=by, action="expire_posts", subject="retention", counts={"posts": len(expired)})
    return len(expired)


def suppress(session: Session, author_key: str, *, reason: str, by: str) -> int:
    """Never collect, read or rank an author key again, and remove what is there; returns the posts removed."""
    connection = session.connection()
    row = {"author_key": author_key, "reason": reason, "suppressed_at": utc_now(), "suppressed_by": by}
    upsert(connection, Suppression, [row])
    posts = list(session.scalars(select(col(Post.post_id)).where(col(Post.author_key) == author_key)))
    _remove_posts(connection, posts)
    keys = or_(col(Interaction.source_key) == author_key, col(Interaction.target_key) == author_key)
    connection.execute(delete(Interaction).where(keys))
    networks = list(session.scalars(select(col(NetworkVoice.network_id)).where(col(NetworkVoice.author_key) == author_key)))
    _withdraw_networks(connection, networks)
    _audit(session, by=by, action="suppress", subject="author_key", counts={"posts": len(posts), "networks": len(networks)})
    return len(posts)


def post_row(
    *, post_id: str, platform: str, community_id: str, kind: str, state: PostState, author_key: str | None, parent_id: str | None,
    thread_id: str | None, title: str, body: str, permalink: str, score: int | None, created_at: datetime | None, content_hash: str,
    fetched_at: datetime,
) -> dict[str, Any]:  # fmt: skip
    """A row for `store_posts`; what a source no longer shows keeps neither words nor author, and what a bot wrote no author."""
    is_gone = state in {PostState.DELETED, PostState.REMOVED}
    return {
        "post_id": post_id, "platform": platform, "community_id": community_id, "kind": kind, "state": state.value,
        "author_key": author_key if state is PostState.VISIBLE else None, "parent_id": parent_id, "thread_id": thread_id,
        "title": "" if is_gone else title, "body": "" if is_gone else body, "permalink": "" if is_gone else permalink, "score": score,
        "created_at": created_at, "content_hash": content_hash, "fetched_at": fetched_at,
    }  # fmt: skip


def _remove_posts(connection: Connection, post_ids: Sequence[str]) -> None:
    """Posts, their readings and interactions go; leads they supported are withdrawn until the next ranking."""
    for start in range(0, len(post_ids), 500):
        some = list(post_ids[start : start + 500])
        networks = select(col(Lead.network_id)).join(LeadMessage, col(LeadMessage.lead_id) == col(Lead.lead_id))
        _withdraw_networks(connection, list(connection.scalars(networks.where(col(LeadMessage.post_id).in_(some)))))
        answers = select(col(Post.post_id)).where(col(Post.parent_id).in_(some))
        anchored = or_(col(Interaction.anchor_id).in_(some), col(Interaction.anchor_id).in_(answers))
        connection.execute(delete(Interaction).where(anchored))
        connection.execute(delete(PostReading).where(col(PostReading.post_id).in_(some)))
        connection.execute(delete(Post).where(col(Post.post_id).in_(some)))
    if post_ids:
        present = select(col(Post.author_key)).where(col(Post.author_key).is_not(None))
        gone = or_(col(Interaction.source_key).not_in(present), col(Interaction.target_key).not_in(present))
        connection.execute(delete(Interaction).where(gone))
        absent = select(col(NetworkVoice.network_id)).where(col(NetworkVoice.author_key).not_in(present))
        _withdraw_networks(connection, list(connection.scalars(absent)))


def _withdraw_networks(connection: Connection, network_ids: Sequence[str]) -> None:
    leads = select(col(Lead.lead_id)).where(col(Lead.network_id).in_(network_ids))
    connection.execute(delete(LeadMessage).where(col(LeadMessage.lead_id).in_(leads)))
    connection.execute(delete(Lead).where(col(Lead.network_id).in_(network_ids)))
    connection.execute(delete(NetworkVoice).where(col(NetworkVoice.network_id).in_(network_ids)))
    connection.execute(delete(Network).where(col(Network.network_id).in_(network_ids)))


def _audit(session: Session, *, by: str, action: str, subject: str, counts: dict[str, int]) -> None:
    session.add(AuditEntry(happened_at=utc_now(), by=by, action=action, subject=subject, counts=counts))
