"""In which communities each lead's messages stand, kept beside the leads so that a list of 100,000 answers at once."""

from sqlalchemy import Connection, delete, func, insert, or_, select
from sqlmodel import col

from models.decision import LeadCommunity
from models.lead import Lead, LeadMessage
from models.post import Post


def index_leads(connection: Connection, scope_id: str) -> None:
    """Count the messages of a scope's leads by community; what is kept of leads that are there no more goes."""
    present, mine = select(col(Lead.lead_id)), select(col(Lead.lead_id)).where(col(Lead.scope) == scope_id)
    connection.execute(delete(LeadCommunity).where(or_(col(LeadCommunity.lead_id).not_in(present), col(LeadCommunity.lead_id).in_(mine))))
    counted = (
        select(col(Lead.lead_id), col(Post.community_id), func.count())
        .join(LeadMessage, col(LeadMessage.lead_id) == col(Lead.lead_id))
        .join(Post, col(Post.post_id) == col(LeadMessage.post_id))
        .where(col(Lead.scope) == scope_id)
        .group_by(col(Lead.lead_id), col(Post.community_id))
    )
    connection.execute(insert(LeadCommunity).from_select(["lead_id", "community_id", "messages"], counted))
