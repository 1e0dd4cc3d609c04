"""What was done when: runs, the problems they met, the audit log, and who must never be collected again."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index
from sqlmodel import Field

from models.base import Table, UtcDateTime


class Run(Table, table=True):
    """One run of the main job. `done` lists its finished stages, so that a killed run goes on where it stopped."""

    __table_args__ = (
        Index("ix_run_scope", "scope"),
        CheckConstraint("(status = 'running') = (finished_at IS NULL)", name="finished_when_not_running"),
    )
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset(
        "run_id scope council request communities status started_at finished_at done counts seconds versions config_digest failure".split()
    )

    run_id: str = Field(primary_key=True)
    scope: str = ""
    council: str
    request: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    communities: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    status: str
    started_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    done: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    seconds: dict[str, float] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    versions: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    config_digest: str
    failure: str | None = None


class RunProblem(Table, table=True):
    """How often one kind of bad input came up in one file of a run, with its first line numbers."""

    __tablename__ = "run_problem"
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"run_id", "kind", "place", "count", "lines"})

    run_id: str = Field(primary_key=True, foreign_key="run.run_id")
    kind: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    count: int
    lines: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class Suppression(Table, table=True):
    """An author key that is never collected, read or ranked again."""

    personal: ClassVar = frozenset({"author_key"})
    not_personal: ClassVar = frozenset({"reason", "suppressed_at", "suppressed_by"})

    author_key: str = Field(primary_key=True)
    reason: str
    suppressed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    suppressed_by: str


class SuppressedPost(Table, table=True):
    """One message that is never collected again, where its author asked for that message alone to be erased."""

    __tablename__ = "suppressed_post"
    personal: ClassVar = frozenset({"message_id"})
    not_personal: ClassVar = frozenset({"reason", "suppressed_at", "suppressed_by"})

    message_id: str = Field(primary_key=True)
    reason: str
    suppressed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    suppressed_by: str


class AuditEntry(Table, table=True):
    """Who did what when. No foreign keys: the history outlives what it speaks of. Subjects are ids, never text."""

    __tablename__ = "audit_entry"
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"entry_id", "happened_at", "by", "action", "subject", "counts"})

    entry_id: int | None = Field(default=None, primary_key=True)
    happened_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    by: str
    action: str
    subject: str
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
