"""The clock of Article 14: whose authors are to be told that their posts were collected, and by when."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from coprod_nlp.vocabulary import NoticeOutcome
from flows.job import RequestError
from flows.rights import checked_name
from models import right_actions, right_queries
from models.base import utc_now
from models.session import unit_of_work

SOON_DAYS = 7


def month_before(moment: datetime) -> datetime:
    """What was collected before this is due by now: one calendar month, or to the end of a shorter one."""
    year, month = (moment.year, moment.month - 1) if moment.month > 1 else (moment.year - 1, 12)
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def month_after(moment: datetime) -> datetime:
    year, month = (moment.year, moment.month + 1) if moment.month < 12 else (moment.year + 1, 1)
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def notice_table(engine: Engine) -> Iterator[tuple[str, ...]]:
    """By community: overdue, due within a week, later, given, exempt; and when the oldest that is undecided is due."""
    now = utc_now()
    with engine.connect() as connection:
        rows = right_queries.notice_counts(
            connection, overdue_before=month_before(now), soon_before=month_before(now + timedelta(days=SOON_DAYS))
        )
    for row in rows:
        oldest = f"{month_after(row.oldest):%Y-%m-%d}" if row.oldest else ""
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
