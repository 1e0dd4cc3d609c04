"""What changes in the store: named actions, each in the caller's one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, delete, func, insert, literal, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from coprod_nlp.vocabulary import InteractionKind, PostState
from models import removal
from models.base import utc_now
from models.bulk import among, upsert
from models.interaction import Interaction
from models.label import Label, text_hash
from models.lead import Lead, LeadMessage, Network, NetworkChange, NetworkVoice
from models.lead_index import index_leads
from models.post import Post, PostReading
from models.queries import nobody_objected
from models.removal import FINAL, GONE
from models.run import AuditEntry, RunProblem, SuppressedPost, Suppression
from models.session import take_turn


def store_posts(connection: Connection, rows: Sequence[dict[str, Any]], *, is_live: bool = False) -> int:
    """Keep posts once, and nothing of who objected. A row whose content did not change is left as it was, `fetched_at` too.

    A post that its source no longer shows loses everything that was made from it; one whose words changed loses its reading.

    Parameters
    ----------
    is_live
        Whether the source shows these posts now: only then does what a moderator, a filter or nobody knows who took away come back, and
        what its author deleted never.

    Returns
    -------
    int
        How many were not here before.
    """
    take_turn(connection)
    erased = frozenset(connection.scalars(select(col(SuppressedPost.message_id))))
    rows = [row for row in rows if row["post_id"] not in erased]
    before = _stored(connection, [row["post_id"] for row in rows])
    rows = [row for row in rows if not _stays_gone(row, before.get(row["post_id"]), is_live=is_live)]
    known = [(row, before[row["post_id"]]) for row in rows if row["post_id"] in before]
    lost = {row["post_id"]: PostState(row["state"]) for row, old in known if row["state"] in GONE and old.state not in GONE}
    removal.empty_posts(connection, lost)
    changed = [row for row, old in known if row["content_hash"] != old.content_hash]
    new = [row for row in rows if row["post_id"] not in before]
    upsert(connection, Post, [*new, *changed], unless_same=("content_hash",))
    removal.remove_old_readings(connection, changed)
    _leave_out_suppressed(connection, rows)
    return len(new)


def store_readings(connection: Connection, rows: Sequence[dict[str, Any]]) -> int:
    """Keep readings of words that their posts still hold; what was removed, emptied or edited while it was being read has none.

    Returns
    -------
    int
        How many were kept.
    """
    take_turn(connection)
    held = _stored(connection, [row["post_id"] for row in rows])
    kept = [row for row in rows if row["post_id"] in held and held[row["post_id"]].content_hash == row["content_hash"]]
    upsert(connection, PostReading, kept)
    return len(kept)


def store_labels(
    session: Session, rows: Sequence[Mapping[str, Any]], *, by: str, origin: str, problems: Mapping[str, Any] | None = None
) -> int:
    """Keep what people say posts are; a labeller's newer judgement of a post replaces the older one.

    Parameters
    ----------
    rows
        `post_id`, `labeller`, `areas`, `signals`, `evidence`, `is_sensitive`; no post twice for one labeller.
    origin
        The file they come from, or "desk".
    problems
        Bad input met on the way, by kind, for the audit log.

    Returns
    -------
    int
        How many were kept. Judgements of posts that are not stored, or hold no words any more, are not.
    """
    connection, now = session.connection(), utc_now()
    hashes = _text_hashes(connection, [row["post_id"] for row in rows])
    kept = [
        {
            "post_id": row["post_id"], "labeller": row["labeller"], "areas": list(row["areas"]), "signals": list(row["signals"]),
            "evidence": [list(span) for span in row["evidence"]], "is_sensitive": bool(row["is_sensitive"]),
            "text_hash": hashes[row["post_id"]], "labelled_at": now, "labelled_by": by, "origin": origin,
        }
        for row in rows
        if row["post_id"] in hashes
    ]  # fmt: skip
    upsert(connection, Label, kept)
    counts = {"labels": len(kept), "posts": len({row["post_id"] for row in kept}), "not_kept": len(rows) - len(kept)}
    audit(session, by=by, action="store_labels", subject=origin, counts=counts | ({"problems": dict(problems)} if problems else {}))
    return len(kept)


def store_problems(connection: Connection, run_id: str, rows: Sequence[dict[str, Any]]) -> None:
    """Replace what a run has recorded of its bad input."""
    connection.execute(delete(RunProblem).where(col(RunProblem.run_id) == run_id))
    upsert(connection, RunProblem, rows)


def derive_interactions(connection: Connection, community_id: str, *, thread_limit: int) -> int:
    """Work out anew who answered whom and who shared a thread in one community; returns how many interactions there are.

    Threads of more than `thread_limit` authors make no shared-thread interactions: there everybody would know everybody.
    """
    take_turn(connection)
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
    changes: Sequence[dict[str, Any]] = (),
    continued: Sequence[str] = (),
) -> None:
    """Put the networks and leads of a scope in the place of the ones it had, and of those of the scopes that it continues.

    What was removed since they were worked out is left out: its leads wait for the next ranking, as they do for any other removal.
    """
    take_turn(connection)
    scopes = [scope_id, *continued]
    old_leads = select(col(Lead.lead_id)).where(col(Lead.scope).in_(scopes))
    old_networks = select(col(Network.network_id)).where(col(Network.scope).in_(scopes))
    connection.execute(delete(LeadMessage).where(col(LeadMessage.lead_id).in_(old_leads)))
    connection.execute(delete(Lead).where(col(Lead.scope).in_(scopes)))
    connection.execute(delete(NetworkVoice).where(col(NetworkVoice.network_id).in_(old_networks)))
    connection.execute(delete(Network).where(col(Network.scope).in_(scopes)))
    voices, messages = list(voices), list(messages)
    people, told = _present(connection, {row["author_key"] for row in voices}), _read(connection, {row["post_id"] for row in messages})
    present = [row for row in voices if row["author_key"] in people]
    support = [row for row in messages if row["post_id"] in told]
    for table, rows in ((Network, networks), (NetworkVoice, present), (Lead, leads), (LeadMessage, support), (NetworkChange, changes)):
        upsert(connection, table, rows)
    network_of = {row["lead_id"]: row["network_id"] for row in leads}
    without_voice = {row["network_id"] for row in voices if row["author_key"] not in people}
    without_message = {network_of[row["lead_id"]] for row in messages if row["post_id"] not in told}
    removal.withdraw_leads(connection, without_voice | without_message, removal.Removal())
    removal.recount_networks(connection, without_voice, removal.Removal())
    index_leads(connection, scope_id)


def store_mentions(connection: Connection, community_id: str, rows: Sequence[dict[str, Any]]) -> int:
    """Keep who named whom in a community, of those who wrote there; returns how many interactions that were."""
    named = among(connection, col(Post.author_key), sorted({row["target_key"] for row in rows}))
    present = set(connection.scalars(select(col(Post.author_key)).where(col(Post.community_id) == community_id, named).distinct()))
    kept = [row for row in rows if row["target_key"] in present]
    upsert(connection, Interaction, kept)
    return len(kept)


def post_row(
    *, post_id: str, platform: str, community_id: str, kind: str, state: PostState, author_key: str | None, parent_id: str | None,
    thread_id: str | None, title: str, body: str, permalink: str, score: int | None, created_at: datetime | None, content_hash: str,
    fetched_at: datetime,
) -> dict[str, Any]:  # fmt: skip
    """A row for `store_posts`; what a source no longer shows keeps neither words nor author, and what a bot wrote no author."""
    is_gone = state in GONE
    return {
        "post_id": post_id, "platform": platform, "community_id": community_id, "kind": kind, "state": state.value,
        "author_key": author_key if state is PostState.VISIBLE else None, "parent_id": parent_id, "thread_id": thread_id,
        "title": "" if is_gone else title, "body": "" if is_gone else body, "permalink": "" if is_gone else permalink,
        "score": None if is_gone else score, "created_at": created_at, "content_hash": state.value if is_gone else content_hash,
        "fetched_at": fetched_at,
    }  # fmt: skip


def _text_hashes(connection: Connection, post_ids: Iterable[str]) -> dict[str, str]:
    """By post id, for posts that are stored and still hold words."""
    wanted = select(col(Post.post_id), col(Post.title), col(Post.body)).where(among(connection, col(Post.post_id), sorted(set(post_ids))))
    with_words = or_(col(Post.title) != "", col(Post.body) != "")
    rows = connection.execute(wanted.where(with_words, col(Post.state).not_in(GONE)))
    return {row.post_id: text_hash(row.title, row.body) for row in rows}


def _stored(connection: Connection, post_ids: Sequence[str]) -> dict[str, Any]:
    """State and content hash of posts, of those that are here."""
    held = select(col(Post.post_id), col(Post.state), col(Post.content_hash))
    return {row.post_id: row for row in connection.execute(held.where(among(connection, col(Post.post_id), post_ids)))}


def _stays_gone(row: Mapping[str, Any], old: Any, *, is_live: bool) -> bool:
    """Whether a post that is stored as gone remains what it is."""
    return old is not None and (old.state in FINAL or (old.state in GONE and row["state"] not in GONE and not is_live))


def _present(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Of some author keys those who wrote something that is still here, and did not object."""
    theirs = select(col(Post.author_key)).where(among(connection, col(Post.author_key), sorted(keys)), nobody_objected())
    return set(connection.scalars(theirs.distinct()))


def _read(connection: Connection, post_ids: Iterable[str]) -> set[str]:
    """Of some posts those that still have a reading; it goes with their words."""
    return set(connection.scalars(select(col(PostReading.post_id)).where(among(connection, col(PostReading.post_id), sorted(post_ids)))))


def _leave_out_suppressed(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """An objection may have come while these posts were on their way."""
    keys = {row["author_key"] for row in rows} - {None}
    objected = keys & set(connection.scalars(select(col(Suppression.author_key))))
    if objected:
        removal.remove_person(connection, objected)


def audit(session: Session, *, by: str, action: str, subject: str, counts: Mapping[str, Any]) -> None:
    """Written at once, in the caller's transaction; opening a page waits for it, so it takes the short way."""
    row = {"happened_at": utc_now(), "by": by, "action": action, "subject": subject, "counts": dict(counts)}
    session.connection().execute(insert(AuditEntry), row)
