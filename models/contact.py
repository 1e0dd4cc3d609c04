"""How a council writes to a network: a draft, a second person's sign-off, what was sent and what came of it."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index, Text
from sqlmodel import Field

from models.base import Table, UtcDateTime


class Contact(Table, table=True):
    """One message of the council to one network, in one community. Nothing here sends it: a person does.

    `written_by` last changed the words of the draft; None where they stand as they were made.
    """

    __table_args__ = (
        Index("ix_contact_lead_id", "lead_id"),
        Index("ix_contact_council_status", "council", "status"),
        CheckConstraint("signed_by IS NULL OR signed_by <> submitted_by", name="signed_by_a_second_person"),
        CheckConstraint("(signed_at IS NULL) = (signed_by IS NULL)", name="signed_when_and_by_whom"),
        CheckConstraint("(submitted_at IS NULL) = (submitted_by IS NULL)", name="submitted_when_and_by_whom"),
        CheckConstraint("(sent_at IS NULL) = (sent_by IS NULL)", name="sent_when_and_by_whom"),
        CheckConstraint("sent_at IS NULL OR signed_at IS NOT NULL", name="sent_after_sign_off"),
        CheckConstraint("made_by <> ''", name="people_named"),
    )
    personal: ClassVar = frozenset({"draft", "sent_link", "answer", "outcome", "returned_because"})
    not_personal: ClassVar = frozenset(
        "contact_id lead_id council area community_id status route checklist version made_at made_by written_by submitted_at submitted_by "
        "signed_at signed_by sent_at sent_by answers changed_at".split()
    )

    contact_id: str = Field(primary_key=True)
    lead_id: str
    council: str
    area: str
    community_id: str
    status: str
    route: str
    checklist: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    draft: str = Field(default="", sa_column=Column(Text, nullable=False))
    returned_because: str = Field(default="", sa_column=Column(Text, nullable=False))
    version: int = 1
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    made_by: str
    written_by: str | None = None
    submitted_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    submitted_by: str | None = None
    signed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    signed_by: str | None = None
    sent_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    sent_by: str | None = None
    sent_link: str = ""
    answers: int | None = None
    answer: str = Field(default="", sa_column=Column(Text, nullable=False))
    outcome: str = Field(default="", sa_column=Column(Text, nullable=False))
    changed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class ContactHold(Table, table=True):
    """Until when nobody writes to a network or in a community, and why. It ends by itself."""

    __tablename__ = "contact_hold"
    __table_args__ = (
        Index("ix_contact_hold_subject", "subject"),
        CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted_when_and_by_whom"),
        CheckConstraint("placed_by <> ''", name="people_named"),
    )
    personal: ClassVar = frozenset({"reason"})
    not_personal: ClassVar = frozenset("hold_id council kind subject until placed_at placed_by lifted_at lifted_by".split())

    hold_id: int | None = Field(default=None, primary_key=True)
    council: str
    kind: str
    subject: str
    until: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    placed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    placed_by: str
    lifted_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    lifted_by: str | None = None
