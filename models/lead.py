"""Candidate networks, and the leads that an officer decides on."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index
from sqlmodel import Field

from models.base import Table, UtcDateTime


class Network(Table, table=True):
    """Voices in one policy area, within one scope: a council and the communities of a run.

    It keeps its id from ranking to ranking. `change`, `voices_before`, `joined`, `departed` and `origins` say what the newest ranking
    made of it: see `NetworkChange`. `is_gathered` is true where the voices have not met, and only wrote in the same community.
    """

    __table_args__ = (
        Index("ix_network_scope", "scope"),
        CheckConstraint("voices >= 3", name="enough_voices"),
        CheckConstraint("willing_voices <= voices", name="willing_voices_are_voices"),
    )
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset(
        (
            "network_id scope council area is_gathered voices willing_voices ties first_seen_at change voices_before joined departed "
            "origins"
        ).split()
    )

    network_id: str = Field(primary_key=True)
    scope: str
    council: str
    area: str
    is_gathered: bool = False
    voices: int
    willing_voices: int
    ties: int
    first_seen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    change: str
    voices_before: int = 0
    joined: int = 0
    departed: int = 0
    origins: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class NetworkVoice(Table, table=True):
    """One author key in one network; `is_willing` where it wrote a willing message in the network's area."""

    __tablename__ = "network_voice"
    __table_args__ = (Index("ix_network_voice_author_key", "author_key"),)
    personal: ClassVar = frozenset({"author_key", "is_willing"})
    not_personal: ClassVar = frozenset({"network_id"})

    network_id: str = Field(primary_key=True, foreign_key="network.network_id")
    author_key: str = Field(primary_key=True)
    is_willing: bool = False


class NetworkChange(Table, table=True):
    """What one ranking made of one network. Counts only, and no foreign keys: the history outlives the network.

    Voices are counted in willing ones. `origins` are the networks of the ranking before that it came from, where it merged or split.
    """

    __tablename__ = "network_change"
    __table_args__ = (Index("ix_network_change_network_id", "network_id"),)
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset(
        "run_id network_id scope council area change voices_before voices_now joined departed origins changed_at".split()
    )

    run_id: str = Field(primary_key=True)
    network_id: str = Field(primary_key=True)
    scope: str
    council: str
    area: str
    change: str
    voices_before: int
    voices_now: int
    joined: int
    departed: int
    origins: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    changed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Lead(Table, table=True):
    """One network in its policy area, with its score and the named parts of it.

    `kept_for` says for which under-heard area or community its place in the list is kept (`area:culture`, `community:sample:town`);
    `weights_digest` is the hash of the weights that its parts were added up by.
    """

    __table_args__ = (
        Index("ix_lead_scope", "scope"),
        # All that places in the list are found and counted by: rows, which are long, are read for one page only.
        Index("ix_lead_scope_rank", "scope", "rank", "voices", "lead_id"),
        Index("ix_lead_scope_area_rank", "scope", "area", "rank", "voices", "lead_id"),
        CheckConstraint("voices >= 3", name="enough_voices"),
    )
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset(
        (
            "lead_id network_id scope council area rank score low high voices willing_messages parts approaches stages config_digest "
            "weights_digest kept_for"
        ).split()
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
    weights_digest: str = ""
    kept_for: str | None = None


class LeadMessage(Table, table=True):
    """A message that supports a lead. Its words stay in `post`, so that deleting the post takes them from the lead too."""

    __tablename__ = "lead_message"
    __table_args__ = (Index("ix_lead_message_post_id", "post_id"),)
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"lead_id", "post_id"})

    lead_id: str = Field(primary_key=True, foreign_key="lead.lead_id")
    post_id: str = Field(primary_key=True, foreign_key="post.post_id")
