"""Where each post came from: the polls of sources, and which of them gave which post first and last."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index
from sqlmodel import Field

from models.base import Table, UtcDateTime


class Poll(Table, table=True):
    """One gathering: from a live source, one community by one query in one run; from an archive, everything of it in one run.

    `gaps` are stretches of time whose posts could not be had.
    """

    __table_args__ = (
        Index("ix_poll_community_id", "community_id"),
        Index("ix_poll_run_id", "run_id"),
        CheckConstraint("(outcome = 'running') = (finished_at IS NULL)", name="finished_when_not_running"),
    )
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset(
        "poll_id run_id source platform community_id query campaign terms_version started_at finished_at outcome reason seen "
        "new_posts requests waited_s gaps".split()
    )

    poll_id: str = Field(primary_key=True)
    run_id: str = Field(foreign_key="run.run_id")
    source: str
    platform: str
    community_id: str = ""
    query: str = ""
    campaign: str = ""
    terms_version: str = ""
    started_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    outcome: str
    reason: str = ""
    seen: int = 0
    new_posts: int = 0
    requests: int = 0
    waited_s: float = 0.0
    gaps: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class Provenance(Table, table=True):
    """Which poll gave a post first, and which one saw it last. Kept as long as the post, and removed with it."""

    __table_args__ = (Index("ix_provenance_last_fetched_at", "last_fetched_at"),)
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"post_id", "first_poll_id", "first_fetched_at", "last_poll_id", "last_fetched_at"})

    post_id: str = Field(primary_key=True)
    first_poll_id: str
    first_fetched_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    last_poll_id: str
    last_fetched_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
