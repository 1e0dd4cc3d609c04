"""Which secret the author keys in this store were made with: a mark of it, never the secret."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Column
from sqlmodel import Field

from models.base import Table, UtcDateTime


class KeyState(Table, table=True):
    """One row: how many secrets the keys here are made with, one over the other, and a mark by which these are known again."""

    __tablename__ = "key_state"
    __table_args__ = (CheckConstraint("state_id = 1", name="one_row"), CheckConstraint("secrets >= 1", name="some_secret"))
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"state_id", "secrets", "mark", "changed_at", "changed_by"})

    state_id: int = Field(default=1, primary_key=True)
    secrets: int
    mark: str
    changed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    changed_by: str
