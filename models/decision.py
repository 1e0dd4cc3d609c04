"""What officers decide on leads. No foreign key to `lead`: leads are ranked anew with every run, decisions stay."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index, Text
from sqlmodel import Field

from models.base import Table, UtcDateTime


class LeadState(Table, table=True):
    """Where a lead stands. `version` counts its changes, so that nobody overwrites what they have not seen."""

    __tablename__ = "lead_state"
    __table_args__ = (
        Index("ix_lead_state_council_status", "council", "status"),
        CheckConstraint("(status = 'not_now') = (not_before IS NOT NULL)", name="not_now_until"),
        CheckConstraint("changed_by <> ''", name="people_named"),
    )
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset("lead_id council area status assignee not_before version changed_at changed_by".split())

    lead_id: str = Field(primary_key=True)
    council: str
    area: str
    status: str
    assignee: str | None = None
    not_before: date | None = None
    version: int
    changed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    changed_by: str


class LeadDecision(Table, table=True):
    """One decision on one lead. `before` is what stood there, for undoing; `score` and `parts` what the officer saw."""

    __tablename__ = "lead_decision"
    __table_args__ = (
        Index("ix_lead_decision_lead_id", "lead_id"),
        CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone_when_and_by_whom"),
        CheckConstraint("decided_by <> ''", name="people_named"),
    )
    personal: ClassVar = frozenset({"note"})
    not_personal: ClassVar = frozenset(
        "decision_id lead_id council area action status reason until assignee before score parts version "
        "decided_at decided_by undone_at undone_by".split()
    )

    decision_id: int | None = Field(default=None, primary_key=True)
    lead_id: str
    council: str
    area: str
    action: str
    status: str
    reason: str | None = None
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    until: date | None = None
    assignee: str | None = None
    before: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    score: float | None = None
    parts: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    version: int
    decided_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    decided_by: str
    undone_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    undone_by: str | None = None


class LeadCommunity(Table, table=True):
    """How many messages of a lead stand in a community. Written anew with each ranking."""

    __tablename__ = "lead_community"
    __table_args__ = (Index("ix_lead_community_community_id", "community_id"),)
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"lead_id", "community_id", "messages"})

    lead_id: str = Field(primary_key=True)
    community_id: str = Field(primary_key=True)
    messages: int


class VoiceView(Table, table=True):
    """How often an account was shown messages of one voice on one day: kept a week, to limit it."""

    __tablename__ = "voice_view"
    __table_args__ = (Index("ix_voice_view_author_key", "author_key"),)
    personal: ClassVar = frozenset({"author_key"})
    not_personal: ClassVar = frozenset({"account_id", "day", "views"})

    account_id: str = Field(primary_key=True)
    author_key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    views: int
