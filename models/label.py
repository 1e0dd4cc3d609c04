"""What people say a post is, under the codebook."""

from datetime import datetime
from hashlib import blake2b
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column
from sqlmodel import Field

from models.base import Table, UtcDateTime


class Label(Table, table=True):
    """One person's judgement of one post. Evidence holds offsets into the post's text, never the words.

    `labeller` is whose judgement it is, `labelled_by` who put it into the store: the same at the desk, often not with a file.
    `text_hash` is that of the words which were judged, so that a label is not taken for one of words that came later.
    """

    __table_args__ = (CheckConstraint("labeller <> ''", name="labeller_named"),)
    personal: ClassVar = frozenset({"areas", "signals", "evidence", "is_sensitive"})
    not_personal: ClassVar = frozenset({"post_id", "labeller", "text_hash", "labelled_at", "labelled_by", "origin"})

    post_id: str = Field(primary_key=True, foreign_key="post.post_id")
    labeller: str = Field(primary_key=True)
    areas: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    signals: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    evidence: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    is_sensitive: bool = False
    text_hash: str
    labelled_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    labelled_by: str
    origin: str


def text_hash(title: str, body: str) -> str:
    """Which words a post holds, without the words."""
    return blake2b(f"{title}\0{body}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
