"""What is remembered of files that were written: named actions in the caller's one transaction."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete
from sqlmodel import Session, col

from models.actions import audit
from models.base import utc_now
from models.bulk import upsert
from models.written import ExportFile, ExportPost, WrittenReport


def record_report(session: Session, *, folder: str, run_id: str, files: Sequence[str]) -> None:
    """Remember where a report stands; from now on it is up to date."""
    row = {"folder": folder, "run_id": run_id, "files": sorted(files), "written_at": utc_now(), "stale_since": None}
    upsert(session.connection(), WrittenReport, [row])


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
    upsert(connection, ExportPost, [{"path": path, "message_id": post_id} for post_id in sorted(post_ids)])
    audit(session, by=by, action=f"export_{kind}", subject=kind, counts={"posts": len(post_ids)})


def forget_export(session: Session, path: str, *, by: str) -> None:
    """A file that held what had to go was removed."""
    connection = session.connection()
    connection.execute(delete(ExportPost).where(col(ExportPost.path) == path))
    connection.execute(delete(ExportFile).where(col(ExportFile.path) == path))
    audit(session, by=by, action="withdraw_export", subject="export", counts={"files": 1})
