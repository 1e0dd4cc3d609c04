"""What is asked of the store for people's rights and for retention. Nothing here is shown to officers: it serves one request at a time."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select
from sqlmodel import col

from coprod_nlp.vocabulary import PROGRAMS_ADDRESS
from models.base import Table, months_after
from models.bulk import among
from models.key_state import KeyState
from models.notice import PostNotice
from models.post import Post
from models.provenance import Provenance
from models.removal import FINAL, key_columns, tables_with_keys, tables_with_posts
from models.run import Run, Suppression
from models.written import ExportFile, ExportPost, WrittenReport

# Platforms that are asked for a post by its link alone: an empty place has none, so nothing can be asked any more.
ASKED_BY_LINK = frozenset({"bluesky"})
SOON_DAYS = 7


def posts_of_keys(connection: Connection, keys: Collection[str]) -> list[Any]:
    """Every post of some author keys, oldest first."""
    theirs = among(connection, col(Post.author_key), sorted(keys))
    rows = connection.execute(select(Post.__table__).where(theirs))  # type: ignore[attr-defined]
    return sorted(rows, key=lambda row: (str(row.created_at), row.post_id))


def post_at(connection: Connection, permalinks: Collection[str]) -> Any:
    """(post_id, author_key) of the stored post with one of these permalinks, or addresses in one; None where there is none."""
    link = col(Post.permalink)
    parts = [link.startswith(f"{form}{PROGRAMS_ADDRESS}", autoescape=True) for form in permalinks]
    parts += [link.endswith(f"#{form}", autoescape=True) for form in permalinks if form.startswith("at://")]
    statement = select(col(Post.post_id), col(Post.author_key), col(Post.community_id)).where(or_(link.in_(permalinks), *parts))
    return connection.execute(statement.order_by(col(Post.post_id)).limit(1)).one_or_none()


def post_called(connection: Connection, post_id: str) -> Any:
    """(post_id, author_key) of one stored post."""
    statement = select(col(Post.post_id), col(Post.author_key), col(Post.community_id)).where(col(Post.post_id) == post_id)
    return connection.execute(statement).one_or_none()


def stored_communities(connection: Connection) -> list[tuple[str, str]]:
    """(platform, community) of everything that was ever stored and is still there."""
    statement = select(col(Post.platform), col(Post.community_id)).distinct().order_by(col(Post.platform), col(Post.community_id))
    return [(row.platform, row.community_id) for row in connection.execute(statement)]


def rows_about(connection: Connection, *, keys: Collection[str], post_ids: Collection[str]) -> Iterator[tuple[type[Table], Any]]:
    """Every row of every table that speaks of these posts or carries these keys, but for the posts themselves."""
    wanted = [(table, ["post_id"], sorted(post_ids)) for table in tables_with_posts()]
    wanted += [(table, key_columns(table), sorted(keys)) for table in tables_with_keys()]
    for table, names, ids in wanted:
        held = table.__table__  # type: ignore[attr-defined]
        about = or_(*(among(connection, held.c[name], ids) for name in names))
        for row in connection.execute(select(held).where(about)):
            yield table, row


def suppressions(connection: Connection, keys: Collection[str]) -> list[Any]:
    """(reason, suppressed_at) of those of the keys that are kept out."""
    statement = select(col(Suppression.reason), col(Suppression.suppressed_at)).where(col(Suppression.author_key).in_(sorted(keys)))
    return list(connection.execute(statement.order_by(col(Suppression.suppressed_at))))


def due_posts(connection: Connection, platform: str, *, seen_before: datetime, after: tuple[datetime, str] | None, limit: int) -> list[Any]:
    """Posts that a source was last seen to show before a time, longest ago first, with `seen_at`.

    Parameters
    ----------
    after
        `seen_at` and `post_id` of the last row of the batch before.
    """
    seen = func.coalesce(col(Provenance.last_fetched_at), col(Post.fetched_at))
    statement = (
        select(
            col(Post.post_id), col(Post.community_id), col(Post.state), col(Post.content_hash), col(Post.permalink), seen.label("seen_at")
        )
        .outerjoin(Provenance, col(Provenance.post_id) == col(Post.post_id))
        .where(*_is_due(platform, seen_before))
        .order_by(seen, col(Post.post_id))
        .limit(limit)
    )
    if after:
        statement = statement.where(or_(seen > after[0], (seen == after[0]) & (col(Post.post_id) > after[1])))
    return list(connection.execute(statement))


def count_due(connection: Connection, platform: str, *, seen_before: datetime) -> int:
    statement = select(func.count()).select_from(Post).outerjoin(Provenance, col(Provenance.post_id) == col(Post.post_id))
    return connection.scalar(statement.where(*_is_due(platform, seen_before))) or 0


def posts_without_notice(*, communities: Collection[str], collected_before: datetime) -> Select[Any]:
    """Ids of posts with an author that were first collected before a time, and whose notice nobody has decided on."""
    collected = func.coalesce(col(Provenance.first_fetched_at), col(Post.fetched_at))
    return (
        select(col(Post.post_id))
        .outerjoin(Provenance, col(Provenance.post_id) == col(Post.post_id))
        .outerjoin(PostNotice, col(PostNotice.post_id) == col(Post.post_id))
        .where(
            col(Post.community_id).in_(sorted(communities)), col(Post.author_key).is_not(None), collected < collected_before,
            col(PostNotice.post_id).is_(None),
        )
        .order_by(col(Post.post_id))
    )  # fmt: skip


def notice_counts(connection: Connection, *, now: datetime) -> list[Any]:
    """By community: posts with an author whose notice is overdue, due soon, due later, given, exempt; and the first day of collection.

    A notice is due one calendar month after collection, soon within `SOON_DAYS`.
    """
    overdue_before, soon_before = months_after(now, -1), months_after(now + timedelta(days=SOON_DAYS), -1)
    collected = func.coalesce(col(Provenance.first_fetched_at), col(Post.fetched_at))
    undecided = col(PostNotice.post_id).is_(None)
    statement = (
        select(
            col(Post.community_id),
            func.count().filter(undecided, collected < overdue_before).label("overdue"),
            func.count().filter(undecided, collected >= overdue_before, collected < soon_before).label("soon"),
            func.count().filter(undecided, collected >= soon_before).label("later"),
            func.count().filter(col(PostNotice.outcome) == "done").label("done"),
            func.count().filter(col(PostNotice.outcome) == "exempt").label("exempt"),
            func.min(collected).filter(undecided).label("oldest"),
        )
        .select_from(Post)
        .outerjoin(Provenance, col(Provenance.post_id) == col(Post.post_id))
        .outerjoin(PostNotice, col(PostNotice.post_id) == col(Post.post_id))
        .where(col(Post.author_key).is_not(None))
        .group_by(col(Post.community_id))
        .order_by(col(Post.community_id))
    )
    return list(connection.execute(statement))


def stale_reports(connection: Connection) -> list[Any]:
    """Reports that may show what is no longer here, the longest so first."""
    statement = select(WrittenReport.__table__).where(col(WrittenReport.stale_since).is_not(None))  # type: ignore[attr-defined]
    return list(connection.execute(statement.order_by(col(WrittenReport.stale_since), col(WrittenReport.folder))))


def current_runs(connection: Connection) -> set[str]:
    """Runs whose report can be written anew: the newest of each scope, read with what the council's newest run reads with.

    Another classifier would have to read every post again.
    """
    newest = select(col(Run.run_id), col(Run.council), col(Run.scope), col(Run.versions)).where(col(Run.scope) != "")
    readers: dict[str, Any] = {}
    scopes: set[str] = set()
    current: set[str] = set()
    for run in connection.execute(newest.order_by(col(Run.started_at).desc())):
        reader = readers.setdefault(run.council, run.versions.get("reading"))
        if run.scope not in scopes and run.versions.get("reading") == reader:
            current.add(run.run_id)
        scopes.add(run.scope)
    return current


def stale_exports(connection: Connection) -> list[Any]:
    """Files that hold what is no longer here."""
    statement = select(ExportFile.__table__).where(col(ExportFile.stale_since).is_not(None))  # type: ignore[attr-defined]
    return list(connection.execute(statement.order_by(col(ExportFile.path))))


def exported_in(connection: Connection, path: str) -> set[str]:
    """Posts that an exported file holds."""
    return set(connection.scalars(select(col(ExportPost.message_id)).where(col(ExportPost.path) == path)))


def vanished_from(connection: Connection, path: str) -> set[str]:
    """Posts of an exported file that are gone, or hold other words by now."""
    same = (col(Post.post_id) == col(ExportPost.message_id)) & (col(Post.content_hash) == col(ExportPost.content_hash))
    statement = select(col(ExportPost.message_id)).outerjoin(Post, same).where(col(ExportPost.path) == path, col(Post.post_id).is_(None))
    return set(connection.scalars(statement))


def key_state(connection: Connection) -> Any:
    """(secrets, mark) of the keys in this store; None where no key was made yet."""
    return connection.execute(select(col(KeyState.secrets), col(KeyState.mark))).one_or_none()


def _is_due(platform: str, seen_before: datetime) -> tuple[Any, ...]:
    seen = func.coalesce(col(Provenance.last_fetched_at), col(Post.fetched_at))
    can_be_asked = [col(Post.permalink) != ""] if platform in ASKED_BY_LINK else []
    return col(Post.platform) == platform, col(Post.state).not_in(FINAL), seen < seen_before, *can_be_asked
