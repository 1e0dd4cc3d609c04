"""Posts as they were collected, and what was read in them."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Column, Index, Text
from sqlmodel import Field

from models.base import Table, UtcDateTime


class Post(Table, table=True):
    """A submission or comment. `post_id` is platform and fullname, so the same post collected twice is one row.

    Where a platform's own ids name the author, a keyed hash stands in `post_id`, `parent_id` and `thread_id`, and what the platform is
    asked by is part of the permalink. A post that its source no longer shows keeps its place in the thread and nothing else: no text, no
    author key, no link.
    """

    __table_args__ = (
        Index("ix_post_community_id_post_id", "community_id", "post_id"),
        Index("ix_post_thread_id", "thread_id"),
        Index("ix_post_parent_id", "parent_id"),
        Index("ix_post_author_key", "author_key"),
    )
    personal: ClassVar = frozenset({"author_key", "title", "body", "permalink"})
    not_personal: ClassVar = frozenset(
        "post_id platform community_id kind state parent_id thread_id created_at score content_hash fetched_at".split()
    )

    post_id: str = Field(primary_key=True)
    platform: str
    community_id: str
    kind: str
    state: str
    author_key: str | None = None
    parent_id: str | None = None
    thread_id: str | None = None
    title: str = Field(default="", sa_column=Column(Text, nullable=False))
    body: str = Field(default="", sa_column=Column(Text, nullable=False))
    permalink: str = ""
    score: int | None = None
    created_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    content_hash: str
    fetched_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class PostReading(Table, table=True):
    """The reading of one post by one version of the reader. Evidence holds offsets into the post's text, never the words."""

    __tablename__ = "post_reading"
    __table_args__ = (Index("ix_post_reading_is_willing", "is_willing"),)
    personal: ClassVar = frozenset({"areas", "signals", "evidence", "willing", "is_willing"})
    not_personal: ClassVar = frozenset({"post_id", "version", "content_hash", "status", "language"})

    post_id: str = Field(primary_key=True, foreign_key="post.post_id")
    version: str
    content_hash: str
    status: str
    language: str
    willing: float | None = None
    is_willing: bool = False
    areas: dict[str, float] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    signals: dict[str, float] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    evidence: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
