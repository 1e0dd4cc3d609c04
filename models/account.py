"""Who works at the desk: accounts of council staff and their sessions."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index
from sqlmodel import Field

from models.base import Table, UtcDateTime


class Account(Table, table=True):
    """One member of staff. The password is kept as an argon2 hash; one who signs in at the council's provider has none."""

    __table_args__ = (
        Index("uq_account_username", "username", unique=True),
        CheckConstraint("username <> '' AND created_by <> ''", name="people_named"),
        CheckConstraint("(setup_hash IS NULL) = (setup_until IS NULL)", name="setup_ends"),
    )
    personal: ClassVar = frozenset({"username", "display_name", "subject", "password_hash"})
    not_personal: ClassVar = frozenset(
        "account_id council roles is_active setup_hash setup_until failures locked_until visit_at last_visit_at created_at "
        "created_by".split()
    )

    account_id: str = Field(primary_key=True)
    username: str
    display_name: str
    council: str
    roles: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    is_active: bool = True
    subject: str | None = None
    password_hash: str | None = None
    setup_hash: str | None = None
    setup_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    visit_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    last_visit_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    created_by: str


class DeskSession(Table, table=True):
    """One signed-in browser. Only a hash of its token is kept, so that the table opens no session."""

    __tablename__ = "desk_session"
    __table_args__ = (Index("ix_desk_session_account_id", "account_id"),)
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"token_hash", "account_id", "started_at", "seen_at"})

    token_hash: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.account_id")
    started_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    seen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
