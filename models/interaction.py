"""Who answered whom and who shared a thread."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Column, Index
from sqlmodel import Field

from models.base import Table, UtcDateTime


class Interaction(Table, table=True):
    """One reply (anchored at the answering post) or one shared thread (anchored at the thread) between two author keys.

    A thread may be shared in several communities, as where two feeds show it: it is an interaction in each.
    """

    __table_args__ = (
        Index("ix_interaction_community_id", "community_id"),
        Index("ix_interaction_anchor_id", "anchor_id"),
        Index("ix_interaction_source_key", "source_key"),
        Index("ix_interaction_target_key", "target_key"),
    )
    personal: ClassVar = frozenset({"source_key", "target_key"})
    not_personal: ClassVar = frozenset({"kind", "anchor_id", "community_id", "happened_at"})

    community_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    anchor_id: str = Field(primary_key=True)
    source_key: str = Field(primary_key=True)
    target_key: str = Field(primary_key=True)
    happened_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
