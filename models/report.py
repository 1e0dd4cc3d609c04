"""What a report found out about its leads that other pages ask for."""

from typing import ClassVar

from sqlalchemy import Index
from sqlmodel import Field

from models.base import Table


class LeadPlace(Table, table=True):
    """How many messages of a lead name a place; `ward` is the code of the ward it is or lies in. Written anew with each report.

    No foreign key: leads are replaced by each ranking, and these rows by the report after it.
    """

    __tablename__ = "lead_place"
    __table_args__ = (Index("ix_lead_place_scope", "scope"), Index("ix_lead_place_ward", "ward"))
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"lead_id", "place", "scope", "ward", "messages"})

    lead_id: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    scope: str
    ward: str | None = None
    messages: int
