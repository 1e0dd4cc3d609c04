"""Files that hold what is in the store: written reports and exports, so that what is removed here is removed there too."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Column, Index
from sqlmodel import Field

from models.base import Table, UtcDateTime

LABELS, ACCESS = "labels", "access"


class WrittenReport(Table, table=True):
    """A folder in which a run's report stands, or is being written.

    `stale_since` is set in the transaction that removes something it may show, and while it is written.
    """

    __tablename__ = "written_report"
    __table_args__ = (Index("ix_written_report_run_id", "run_id"),)
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"folder", "run_id", "written_at", "stale_since"})

    folder: str = Field(primary_key=True)
    run_id: str = Field(foreign_key="run.run_id")
    written_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    stale_since: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class ExportFile(Table, table=True):
    """A file with posts that was made on request: labels, or the bundle of an access request."""

    __tablename__ = "export_file"
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"path", "kind", "written_at", "written_by", "stale_since"})

    path: str = Field(primary_key=True)
    kind: str
    written_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    written_by: str
    stale_since: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class ExportPost(Table, table=True):
    """A post that stands in an exported file. It is named here until the file is dealt with, also when the post is gone."""

    __tablename__ = "export_post"
    __table_args__ = (Index("ix_export_post_message_id", "message_id"),)
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"path", "message_id", "content_hash"})

    path: str = Field(primary_key=True, foreign_key="export_file.path")
    message_id: str = Field(primary_key=True)
    content_hash: str
