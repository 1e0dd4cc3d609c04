"""What leads can be looked up by, kept beside them so that a list of 100,000 answers at once."""

from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, literal, select
from sqlmodel import col

from models.decision import LeadFacet, LeadFirstSeen
from models.lead import Lead, LeadMessage
from models.post import Post

COMMUNITY, WARD = "community", "ward"


def clear_index(connection: Connection, scope_id: str) -> None:
    """Before the leads of a scope go: what they could be looked up by goes too."""
    leads = select(col(Lead.lead_id)).where(col(Lead.scope) == scope_id)
    connection.execute(delete(LeadFacet).where(col(LeadFacet.lead_id).in_(leads)))


def index_leads(connection: Connection, scope_id: str, *, now: datetime) -> None:
    """After the leads of a scope came: their communities, and since when each is known."""
    communities = (
        select(literal(COMMUNITY), col(Post.community_id), col(Lead.lead_id), func.count())
        .join(LeadMessage, col(LeadMessage.lead_id) == col(Lead.lead_id))
        .join(Post, col(Post.post_id) == col(LeadMessage.post_id))
        .where(col(Lead.scope) == scope_id)
        .group_by(col(Post.community_id), col(Lead.lead_id))
    )
    connection.execute(insert(LeadFacet).from_select(["kind", "value", "lead_id", "messages"], communities))
    known = select(col(LeadFirstSeen.lead_id))
    seen = select(col(Lead.lead_id), literal(now, type_=LeadFirstSeen.__table__.c.first_ranked_at.type)).where(  # type: ignore[attr-defined]
        col(Lead.scope) == scope_id, col(Lead.lead_id).not_in(known)
    )
    connection.execute(insert(LeadFirstSeen).from_select(["lead_id", "first_ranked_at"], seen))
