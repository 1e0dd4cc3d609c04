"""The clock of Article 14: whose authors are to be told that their posts were collected, and by when."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine

from coprod_nlp.vocabulary import NoticeOutcome
from flows.job import RequestError
from flows.rights import checked_name
from models import right_actions, right_queries
from models.base import months_after, utc_now
from models.session import unit_of_work


def notice_table(engine: Engine) -> Iterator[tuple[str, ...]]:
    """By community: overdue, due within a week, later, given, exempt; and when the oldest that is undecided is due."""
    with engine.connect() as connection:
        rows = right_queries.notice_counts(connection, now=utc_now())
    for row in rows:
        oldest = f"{months_after(row.oldest, 1):%Y-%m-%d}" if row.oldest else ""
        yield row.community_id, *(f"{count:,}" for count in (row.overdue, row.soon, row.later, row.done, row.exempt)), oldest


def mark_notices(engine: Engine, *, communities: Sequence[str], outcome: NoticeOutcome, reason: str, by: str) -> int:
    """Note for every undecided post of some communities that its author was told, or need not be; returns how many.

    Raises
    ------
    RequestError
        Where it is not said for which communities, why or by whom.
    """
    by, reason = checked_name(by), " ".join(reason.split())
    if not reason:
        raise RequestError("--reason: say how the authors were told, or why they need not be, as the record must show it")
    with engine.connect() as connection:
        known = [community for _, community in right_queries.stored_communities(connection)]
    if not communities:
        raise RequestError(f"--community is needed: for which posts does this hold? Known: {', '.join(known) or 'none'}")
    if wrong := [name for name in communities if name not in known]:
        raise RequestError(f"--community {wrong[0]}: no post of it is stored; known: {', '.join(known) or 'none'}")
    with unit_of_work(engine) as session:
        return right_actions.record_notice(
            session, communities=communities, collected_before=utc_now(), outcome=outcome, reason=reason, by=by
        )
