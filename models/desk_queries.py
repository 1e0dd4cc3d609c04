"""What the desk asks about leads: one function a question, each bound to one council.

Statements of the busiest pages are put together once and kept: putting them together takes longer than the database does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select
from sqlmodel import col

from models.decision import LeadCommunity, LeadDecision, LeadState
from models.desk_words import LeadStatus
from models.lead import Lead, LeadMessage, Network
from models.post import Post, PostReading
from models.report import LeadPlace
from models.run import Run

PAGE = 25
COUNTED_UP_TO = 1_000
MESSAGES_READ = 60
RUNS_LOOKED_AT = 50
OPEN, ALL = "open", "all"
NOBODY = "nobody"


Shape = tuple[bool, bool, bool, str, str, bool]


@dataclass(frozen=True)
class LeadFilter:
    """What an officer asks the list for; empty: everything that is open."""

    area: str = ""
    ward: str = ""
    community: str = ""
    status: str = OPEN
    assignee: str = ""
    new_since: datetime | None = None

    def shape(self) -> Shape:
        """Which filters are used, whatever they ask for."""
        assignee = NOBODY if self.assignee == NOBODY else "somebody" if self.assignee else ""
        return (bool(self.area), bool(self.ward), bool(self.community), self.status, assignee, self.new_since is not None)


def newest_scope(connection: Connection, council: str) -> Any | None:
    """The newest run of a council that ranked its networks."""
    return next((run for run in connection.execute(_newest_statement(), {"council": council}) if "rank" in run.done), None)


def run_of_scope(connection: Connection, council: str, scope: str) -> Any | None:
    """The newest run that ranked a scope: its communities, what it was asked and what read its posts."""
    statement = select(col(Run.communities), col(Run.request), col(Run.versions), col(Run.done)).where(
        col(Run.council) == council, col(Run.scope) == scope
    )
    return next((run for run in connection.execute(statement.order_by(col(Run.started_at).desc())) if "rank" in run.done), None)


def leads_page(connection: Connection, scope: str, asked: LeadFilter, *, minimum_voices: int, today: date, page: int) -> list[Any]:
    """One page of leads in their order, with where each stands; one row more than a page where there is a next one."""
    values = _values(scope, asked, minimum_voices, today) | {"skipped": (page - 1) * PAGE}
    return list(connection.execute(_page_statement(asked.shape()), values))


def count_leads(connection: Connection, scope: str, asked: LeadFilter, *, minimum_voices: int, today: date) -> int:
    """How many there are, counted no further than `COUNTED_UP_TO` + 1."""
    return connection.scalar(_count_statement(asked.shape()), _values(scope, asked, minimum_voices, today)) or 0


def lead_of_council(connection: Connection, council: str, lead_id: str, *, minimum_voices: int) -> Any | None:
    """A lead with where it stands and its network; another council's lead is not there."""
    values = {"lead_id": lead_id, "council": council, "minimum_voices": minimum_voices}
    return connection.execute(_lead_statement(), values).one_or_none()


def history(connection: Connection, council: str, lead_id: str) -> list[Any]:
    """Decisions on a lead, newest first."""
    return list(connection.execute(_history_statement(), {"lead_id": lead_id, "council": council}))


def evidence(connection: Connection, lead_id: str) -> list[Any]:
    """The strongest willing messages behind a lead, with their words."""
    return list(connection.execute(_evidence_statement(), {"lead_id": lead_id}))


def communities_of(connection: Connection, lead_id: str) -> list[tuple[str, int]]:
    """Communities of a lead with their messages, most first."""
    return [(row.community_id, row.messages) for row in connection.execute(_communities_statement(), {"lead_id": lead_id})]


_STATE = (
    col(LeadState.status), col(LeadState.assignee), col(LeadState.not_before), col(LeadState.version), col(LeadState.changed_at),
    col(LeadState.changed_by),
)  # fmt: skip
_NETWORK: tuple[Any, ...] = (
    col(Network.voices).label("network_voices"), col(Network.is_gathered), col(Network.first_seen_at), col(Network.change),
    col(Network.joined), col(Network.departed), col(Network.origins),
)  # fmt: skip
_SHOWN = (
    col(Lead.lead_id), col(Lead.area), col(Lead.rank), col(Lead.score), col(Lead.low), col(Lead.high), col(Lead.voices),
    col(Lead.willing_messages), col(Lead.approaches), col(Lead.kept_for), col(Network.first_seen_at), col(Network.change),
    col(Network.joined),
)  # fmt: skip


@cache
def _newest_statement() -> Any:
    return (
        select(col(Run.run_id), col(Run.scope), col(Run.started_at), col(Run.done))
        .where(col(Run.council) == bindparam("council"), col(Run.scope) != "")
        .order_by(col(Run.started_at).desc())
        .limit(RUNS_LOOKED_AT)
    )


@cache
def _lead_statement() -> Any:
    return (
        select(Lead.__table__, *_STATE, *_NETWORK)  # type: ignore[attr-defined]
        .join(Network, col(Network.network_id) == col(Lead.network_id))
        .outerjoin(LeadState, col(LeadState.lead_id) == col(Lead.lead_id))
        .where(col(Lead.lead_id) == bindparam("lead_id"), col(Lead.council) == bindparam("council"))
        .where(col(Lead.voices) >= bindparam("minimum_voices"))
    )


@cache
def _history_statement() -> Any:
    statement = select(LeadDecision.__table__).where(  # type: ignore[attr-defined]
        col(LeadDecision.lead_id) == bindparam("lead_id"), col(LeadDecision.council) == bindparam("council")
    )
    return statement.order_by(col(LeadDecision.version).desc())


@cache
def _evidence_statement() -> Any:
    return (
        select(
            col(Post.post_id), col(Post.title), col(Post.body), col(Post.permalink), col(Post.community_id), col(Post.created_at),
            col(Post.author_key), col(PostReading.willing), col(PostReading.signals), col(PostReading.evidence),
        )
        .join(LeadMessage, col(LeadMessage.post_id) == col(Post.post_id))
        .join(PostReading, col(PostReading.post_id) == col(Post.post_id))
        .where(col(LeadMessage.lead_id) == bindparam("lead_id"), col(PostReading.is_willing))
        .order_by(col(PostReading.willing).desc(), col(Post.post_id))
        .limit(MESSAGES_READ)
    )  # fmt: skip


@cache
def _communities_statement() -> Any:
    statement = select(col(LeadCommunity.community_id), col(LeadCommunity.messages))
    mine = statement.where(col(LeadCommunity.lead_id) == bindparam("lead_id"))
    return mine.order_by(col(LeadCommunity.messages).desc(), col(LeadCommunity.community_id))


@cache
def _page_statement(shape: Shape) -> Any:
    """Places of a page are found by what the filters need alone; what is shown is read for its rows only."""
    wanted = _ranked(shape).order_by(col(Lead.rank)).offset(bindparam("skipped")).limit(PAGE + 1).subquery()
    mainly_in = (
        select(col(LeadCommunity.community_id))
        .where(col(LeadCommunity.lead_id) == col(Lead.lead_id))
        .order_by(col(LeadCommunity.messages).desc(), col(LeadCommunity.community_id))
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(*_SHOWN, *_STATE, mainly_in.label("mainly_in"))
        .select_from(wanted)
        .join(Lead, col(Lead.lead_id) == wanted.c.lead_id)
        .join(Network, col(Network.network_id) == col(Lead.network_id))
        .outerjoin(LeadState, col(LeadState.lead_id) == col(Lead.lead_id))
        .order_by(col(Lead.rank))
    )


@cache
def _count_statement(shape: Shape) -> Any:
    return select(func.count()).select_from(_ranked(shape).limit(COUNTED_UP_TO + 1).subquery())


def _ranked(shape: Shape) -> Any:
    """Ids of the leads that fit."""
    by_area, by_ward, by_community, status, assignee, is_new = shape
    statement = select(col(Lead.lead_id)).outerjoin(LeadState, col(LeadState.lead_id) == col(Lead.lead_id))
    wanted: list[ColumnElement[bool]] = [col(Lead.scope) == bindparam("scope"), col(Lead.voices) >= bindparam("minimum_voices")]
    if by_area:
        wanted.append(col(Lead.area) == bindparam("area"))
    if by_ward:
        wanted.append(col(Lead.lead_id).in_(select(col(LeadPlace.lead_id)).where(col(LeadPlace.ward) == bindparam("ward"))))
    if by_community:
        there = select(col(LeadCommunity.lead_id)).where(col(LeadCommunity.community_id) == bindparam("community"))
        wanted.append(col(Lead.lead_id).in_(there))
    if assignee:
        wanted.append(col(LeadState.assignee).is_(None) if assignee == NOBODY else col(LeadState.assignee) == bindparam("assignee"))
    if is_new:
        statement = statement.join(Network, col(Network.network_id) == col(Lead.network_id))
        wanted.append(col(Network.first_seen_at) > bindparam("new_since"))
    return statement.where(*wanted, *_standing(status))


def _values(scope: str, asked: LeadFilter, minimum_voices: int, today: date) -> dict[str, Any]:
    return {
        "scope": scope, "minimum_voices": minimum_voices, "area": asked.area, "ward": asked.ward, "community": asked.community,
        "assignee": asked.assignee, "new_since": asked.new_since, "today": today,
    }  # fmt: skip


def _standing(status: str) -> Sequence[ColumnElement[bool]]:
    """Open is what is new or shortlisted, and what was put off until a day that has come."""
    is_due = and_(col(LeadState.status) == LeadStatus.NOT_NOW, col(LeadState.not_before) <= bindparam("today"))
    is_new = or_(col(LeadState.status).is_(None), col(LeadState.status) == LeadStatus.NEW)
    if status == ALL:
        return ()
    if status == OPEN:
        return (or_(is_new, col(LeadState.status) == LeadStatus.SHORTLISTED, is_due),)
    return (is_new,) if status == LeadStatus.NEW else (col(LeadState.status) == status,)
