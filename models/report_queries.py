"""What a report asks of the store beyond the leads: the messages behind a card, the words that name places, how many wrote how much."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select
from sqlmodel import col

from coprod_nlp.vocabulary import ReadingStatus
from models.lead import Lead, LeadMessage, NetworkVoice
from models.post import Post, PostReading
from models.queries import BATCH, Scope, lead_evidence, nobody_objected
from models.run import Run


def card_messages(connection: Connection, scope: Scope, lead: Any, *, version: str) -> list[Any]:
    """Every message that a lead's card tells of, with its words and its reading: those of its network's voices in the policy area, and
    those behind the lead that bear on it by what they answer, without naming the area themselves.
    """
    statement = (
        _messages(scope, version=version)
        .join(NetworkVoice, col(NetworkVoice.author_key) == col(Post.author_key))
        .where(col(NetworkVoice.network_id) == lead.network_id)
        .order_by(col(Post.post_id))
    )
    rows = [row for row in connection.execute(statement) if lead.area in row.areas]
    known = {row.post_id for row in rows}
    return rows + [row for row in lead_evidence(connection, lead.lead_id) if row.post_id not in known]


def messages_with_an_area(connection: Connection, scope: Scope, *, version: str) -> Iterator[Any]:
    """Messages about a policy area with their words, streamed by post id, suppressed voices left out."""
    statement = _messages(scope, version=version).order_by(col(Post.post_id))
    for row in connection.execute(statement.execution_options(yield_per=BATCH)):
        if row.areas:
            yield row


def run_before(connection: Connection, *, council: str, communities: Sequence[str], started_at: datetime) -> datetime | None:
    """When the last ranking began that a later one of these communities can be compared with."""
    ranked = select(col(Run.started_at), col(Run.communities), col(Run.done)).where(col(Run.council) == council)
    rows = connection.execute(ranked.where(col(Run.started_at) < started_at).order_by(col(Run.started_at).desc()))
    return next((row.started_at for row in rows if "rank" in row.done and set(row.communities) <= set(communities)), None)


def lead_texts(connection: Connection, scope_id: str) -> Iterator[Any]:
    """(lead_id, title, body) of every message behind every lead of a scope, streamed."""
    statement = (
        select(col(Lead.lead_id), col(Post.title), col(Post.body))
        .join(LeadMessage, col(LeadMessage.lead_id) == col(Lead.lead_id))
        .join(Post, col(Post.post_id) == col(LeadMessage.post_id))
        .where(col(Lead.scope) == scope_id)
        .order_by(col(Lead.lead_id), col(Post.post_id))
    )
    yield from connection.execute(statement.execution_options(yield_per=BATCH))


def posts_by_author(connection: Connection, scope: Scope) -> list[int]:
    """How many posts each author wrote, most first; nobody's key."""
    number = func.count().label("posts")
    statement = select(number).where(scope.has_post(), col(Post.author_key).is_not(None)).group_by(col(Post.author_key))
    return list(connection.scalars(statement.order_by(number.desc())))


def _messages(scope: Scope, *, version: str) -> Any:
    return (
        select(
            col(Post.post_id), col(Post.title), col(Post.body), col(Post.author_key), col(Post.community_id), col(Post.created_at),
            col(Post.permalink), col(PostReading.willing), col(PostReading.is_willing), col(PostReading.areas), col(PostReading.signals),
            col(PostReading.evidence),
        )
        .join(PostReading, col(PostReading.post_id) == col(Post.post_id))
        .where(
            scope.has_post(),
            col(PostReading.version) == version,
            col(PostReading.status) == ReadingStatus.READ,
            nobody_objected(),
        )
    )  # fmt: skip
