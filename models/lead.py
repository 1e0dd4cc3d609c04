"""Candidate networks, and the leads that an officer decides on."""

from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index
from sqlmodel import Field

from models.base import Table


class Network(Table, table=True):
    """Voices who answer each other within one scope: a council and the communities of a run."""

    __table_args__ = (Index("ix_network_scope", "scope"), CheckConstraint("voices >= 3", name="enough_voices"))
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"network_id", "scope", "council", "voices", "ties"})

    network_id: str = Field(primary_key=True)
    scope: str
    council: str
    voices: int
    ties: int


class NetworkVoice(Table, table=True):
    """One author key in one network."""

    __tablename__ = "network_voice"
    __table_args__ = (Index("ix_network_voice_author_key", "author_key"),)
    personal: ClassVar = frozenset({"author_key"})
    not_personal: ClassVar = frozenset({"network_id"})

    network_id: str = Field(primary_key=True, foreign_key="network.network_id")
    author_key: str = Field(primary_key=True)


class Lead(Table, table=True):
    """One network in one policy area, with its score and the named parts of it."""

    __table_args__ = (
        Index("ix_lead_scope", "scope"),
        Index("ix_lead_scope_rank", "scope", "rank"),
        Index("ix_lead_scope_area_rank", "scope", "area", "rank"),
        CheckConstraint("voices >= 3", name="enough_voices"),
    )
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset(
        "lead_id network_id scope council area rank score low high voices willing_messages parts approaches stages config_digest".split()
    )

    lead_id: str = Field(primary_key=True)
    network_id: str = Field(foreign_key="network.network_id")
    scope: str
    council: str
    area: str
    rank: int
    score: float
    low: float
    high: float
    voices: int
    willing_messages: int
    parts: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    approaches: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    stages: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    config_digest: str


class LeadMessage(Table, table=True):
    """A message that supports a lead. Its words stay in `post`, so that deleting the post takes them from the lead too."""

    __tablename__ = "lead_message"
    __table_args__ = (Index("ix_lead_message_post_id", "post_id"),)
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"lead_id", "post_id"})

    lead_id: str = Field(primary_key=True, foreign_key="lead.lead_id")
    post_id: str = Field(primary_key=True, foreign_key="post.post_id")
