"""What retention and people's rights change: named actions, each in the caller's one transaction and with one audit row."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlmodel import Session, col

from coprod_nlp.vocabulary import NoticeOutcome, Right
from models import removal
from models.actions import audit
from models.base import utc_now
from models.bulk import portions, upsert
from models.notice import PostNotice
from models.post import Post
from models.removal import Removal
from models.right_queries import posts_without_notice
from models.run import SuppressedPost, Suppression


def expire_posts(session: Session, *, kept_days: Mapping[str, int], default_days: int, by: str) -> Removal:
    """Remove every post that has outlived its platform's retention, with all that was made from it."""
    now = utc_now()
    named = [
        and_(col(Post.platform) == platform, col(Post.fetched_at) < now - timedelta(days=days)) for platform, days in kept_days.items()
    ]
    rest = and_(col(Post.platform).not_in(list(kept_days)), col(Post.fetched_at) < now - timedelta(days=default_days))
    expired = list(session.scalars(select(col(Post.post_id)).where(or_(*named, rest))))
    found = removal.remove_posts(session.connection(), expired)
    if expired:
        audit(session, by=by, action="expire_posts", subject="retention", counts=dict(+found.counts))
    return found


def keep_out(session: Session, author_keys: Collection[str], *, right: Right, case: str, by: str) -> Removal:
    """Never collect, read, rank or export these author keys again, and remove everything that is there of them.

    Parameters
    ----------
    author_keys
        All keys that one account may have here.
    case
        The reference under which the request is filed; never a name.
    """
    connection, now = session.connection(), utc_now()
    rows = [
        {"author_key": key, "reason": f"{right.value}: {case}", "suppressed_at": now, "suppressed_by": by} for key in sorted(author_keys)
    ]
    upsert(connection, Suppression, rows)
    found = removal.remove_person(connection, author_keys)
    audit(session, by=by, action=right.value, subject=case, counts={"keys": len(rows)} | dict(+found.counts))
    return found


def erase_message(session: Session, post_id: str, *, case: str, by: str) -> Removal:
    """Remove one message for good, and leave the rest of what its author wrote."""
    connection = session.connection()
    row = {"message_id": post_id, "reason": f"{Right.ERASURE.value}: {case}", "suppressed_at": utc_now(), "suppressed_by": by}
    upsert(connection, SuppressedPost, [row])
    found = removal.remove_posts(connection, [post_id])
    audit(session, by=by, action="erase_message", subject=case, counts=dict(+found.counts))
    return found


def sweep_suppressed(session: Session, *, by: str) -> Removal:
    """Remove what came in of people who had objected, as from a collection that began before they did."""
    keys = set(session.scalars(select(col(Suppression.author_key))))
    found = removal.remove_person(session.connection(), keys)
    if found:
        audit(session, by=by, action="sweep_suppressed", subject="suppression", counts=dict(+found.counts))
    return found


def record_notice(
    session: Session, *, communities: Collection[str], collected_before: datetime, outcome: NoticeOutcome, reason: str, by: str
) -> int:
    """Note for every post of some communities whose notice was due that it was given, or is not needed and why; returns how many."""
    connection, now = session.connection(), utc_now()
    wanted = posts_without_notice(communities=communities, collected_before=collected_before)
    ids = list(connection.scalars(wanted))
    for some in portions(ids):
        decided = {"outcome": outcome.value, "reason": reason, "decided_at": now, "decided_by": by}
        upsert(connection, PostNotice, [{"post_id": post_id} | decided for post_id in some])
    audit(
        session,
        by=by,
        action=f"notice_{outcome.value}",
        subject=", ".join(sorted(communities)),
        counts={"posts": len(ids), "reason": reason},
    )
    return len(ids)


def record_certificate(session: Session, *, case: str, digest: str, by: str) -> None:
    """Note the hash of a certificate, by which a changed one is found out."""
    audit(session, by=by, action="certificate", subject=case, counts={"sha256": digest})


def record_access(session: Session, *, case: str, counts: Mapping[str, int], by: str) -> None:
    """Note that somebody was given what is held about them."""
    audit(session, by=by, action=Right.ACCESS.value, subject=case, counts=counts)
