"""What is remembered of files that were written: named actions in the caller's one transaction."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, insert, literal, select, update
from sqlmodel import Session, col

from models.actions import audit
from models.base import utc_now
from models.bulk import among, upsert
from models.post import Post
from models.written import ExportFile, ExportPost, WrittenReport


def begin_report(session: Session, *, folder: str, run_id: str) -> datetime:
    """Remember where a report is about to be written; until `finish_report` it counts as not up to date."""
    now = utc_now()
    row = {"folder": folder, "run_id": run_id, "written_at": now, "stale_since": now}
    upsert(session.connection(), WrittenReport, [row])
    return now


def finish_report(session: Session, *, folder: str, begun_at: datetime) -> None:
    """A report was written. Where something it may show was removed meanwhile, it stays marked for the next renewal."""
    found = session.get_one(WrittenReport, folder)
    if found.stale_since == begun_at:
        found.stale_since = None


def forget_report(session: Session, folder: str, *, by: str) -> None:
    """A report was withdrawn: its files are gone."""
    session.connection().execute(delete(WrittenReport).where(col(WrittenReport.folder) == folder))
    audit(session, by=by, action="withdraw_report", subject="report", counts={"reports": 1})


def record_export(session: Session, *, path: str, kind: str, post_ids: Collection[str], by: str) -> None:
    """Remember a file with posts that is about to be written, in the place of one that stood there."""
    connection = session.connection()
    connection.execute(delete(ExportPost).where(col(ExportPost.path) == path))
    row = {"path": path, "kind": kind, "written_at": utc_now(), "written_by": by, "stale_since": None}
    upsert(connection, ExportFile, [row])
    stored = among(connection, col(Post.post_id), sorted(post_ids))
    held = select(literal(path), col(Post.post_id), col(Post.content_hash)).where(stored)
    connection.execute(insert(ExportPost).from_select(["path", "message_id", "content_hash"], held))
    audit(session, by=by, action=f"export_{kind}", subject=kind, counts={"posts": len(post_ids)})


def keep_export(session: Session, path: str, *, cut: Collection[str], by: str) -> None:
    """A file was cut: these posts no longer stand in it."""
    connection = session.connection()
    gone = among(connection, col(ExportPost.message_id), sorted(cut))
    connection.execute(delete(ExportPost).where(col(ExportPost.path) == path, gone))
    connection.execute(update(ExportFile).where(col(ExportFile.path) == path).values(stale_since=None))
    audit(session, by=by, action="cut_export", subject="export", counts={"posts": len(cut)})


def forget_export(session: Session, path: str, *, by: str) -> None:
    """A file that held what had to go was removed."""
    connection = session.connection()
    connection.execute(delete(ExportPost).where(col(ExportPost.path) == path))
    connection.execute(delete(ExportFile).where(col(ExportFile.path) == path))
    audit(session, by=by, action="withdraw_export", subject="export", counts={"files": 1})
