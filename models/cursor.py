"""How far each live source has been collected."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Column
from sqlmodel import Field

from models.base import Table, UtcDateTime


class SourceCursor(Table, table=True):
    """Where the next poll of a community (whole where `query` is empty, else by that search term) goes on from.

    `state` is the source's own: times and ids of threads. It is stored with the posts it speaks of, in one transaction.
    """

    __tablename__ = "source_cursor"
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"platform", "community_id", "query", "state", "updated_at", "poll_id"})

    platform: str = Field(primary_key=True)
    community_id: str = Field(primary_key=True)
    query: str = Field(default="", primary_key=True)
    state: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    poll_id: str
