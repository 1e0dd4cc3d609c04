"""The classifiers there are: which one reads, which one wants its place, and who decided."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index, text
from sqlmodel import Field

from coprod_nlp.vocabulary import ClassifierRole
from models.base import Table, UtcDateTime

IS_CHAMPION = text(f"role = '{ClassifierRole.CHAMPION.value}'")


class Classifier(Table, table=True):
    """One fitted classifier that was registered. Where none is champion, runs read with the one the project ships.

    `path` is its folder below `COPROD_HOME`; `parent` the version it was fitted from, `replaced` the champion it took the place of.
    `figures` and `lineage` hold numbers, hashes and names of sources, never text or keys.
    """

    __table_args__ = (
        CheckConstraint("(promoted_at IS NULL) = (promoted_by IS NULL)", name="promoted_when_and_by_whom"),
        CheckConstraint("role <> 'champion' OR promoted_at IS NOT NULL", name="champion_was_promoted"),
        CheckConstraint("made_by <> '' AND (promoted_by IS NULL OR promoted_by <> '')", name="people_named"),
        Index("uq_classifier_champion", "role", unique=True, sqlite_where=IS_CHAMPION, postgresql_where=IS_CHAMPION),
    )
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset(
        "version role path parent made_at made_by figures lineage replaced promoted_at promoted_by reason".split()
    )

    version: str = Field(primary_key=True)
    role: str
    path: str
    parent: str
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    made_by: str
    figures: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    lineage: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    replaced: str | None = None
    promoted_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    promoted_by: str | None = None
    reason: str | None = None
