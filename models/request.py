"""What people ask for under the UK GDPR, from the day it comes in to the answer: objections, erasure, access."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index
from sqlmodel import Field

from models.base import Table, UtcDateTime


class RightsRequest(Table, table=True):
    """One request and its clock. `link` and `note` may point at a person: both are emptied when the request is closed.

    A name of an account is never kept: it becomes author keys (`request_key`) at once. `request_id` is the reference the person gets.
    """

    __tablename__ = "rights_request"
    __table_args__ = (
        Index("ix_rights_request_council", "council", "closed_at"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed_when_and_by_whom"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closed_with_an_outcome"),
        CheckConstraint("closed_at IS NULL OR (link = '' AND note = '')", name="emptied_when_closed"),
    )
    personal: ClassVar = frozenset({"link", "note", "reason", "extended_because"})
    not_personal: ClassVar = frozenset(
        "request_id council kind origin places received_on due_on made_by closed_at closed_by outcome counts".split()
    )

    request_id: str = Field(primary_key=True)
    council: str
    kind: str
    origin: str
    places: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    link: str = ""
    note: str = ""
    received_on: date
    due_on: date
    extended_because: str = ""
    made_by: str
    closed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    closed_by: str | None = None
    outcome: str | None = None
    reason: str = ""
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class RequestKey(Table, table=True):
    """An author key that an open request is about. It goes with the request's end and no sooner, whatever becomes of the posts."""

    __tablename__ = "request_key"
    __table_args__ = (Index("ix_request_key_author_key", "author_key"),)
    personal: ClassVar = frozenset({"author_key"})
    not_personal: ClassVar = frozenset({"request_id"})

    request_id: str = Field(primary_key=True, foreign_key="rights_request.request_id")
    author_key: str = Field(primary_key=True)
