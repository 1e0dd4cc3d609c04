"""Whether the authors of collected posts were told of it (UK GDPR, Article 14), post by post."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Column
from sqlmodel import Field

from models.base import Table, UtcDateTime


class PostNotice(Table, table=True):
    """What was decided on the notice for one post: given, or exempt and why. A post without a row is still due."""

    __tablename__ = "post_notice"
    __table_args__ = (CheckConstraint("reason <> '' AND decided_by <> ''", name="reason_and_person_named"),)
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"post_id", "outcome", "reason", "decided_at", "decided_by"})

    post_id: str = Field(primary_key=True, foreign_key="post.post_id")
    outcome: str
    reason: str
    decided_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    decided_by: str
