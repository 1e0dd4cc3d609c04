"""Rows of the list of leads, in words. Put together here and not in the template: 25 rows are most of what the page costs."""

from typing import Any, NamedTuple

from coprod_nlp.ranking.reasons import count_of
from coprod_nlp.vocabulary import Approach
from coprod_nlp.words import APPROACH_WORDS
from desk.auth import Acting
from desk.office import Office
from desk.words import STATUSES, day, number
from models.desk_words import LeadStatus


class LeadRow(NamedTuple):
    """One lead as the list shows it. `facts` is one line: messages, people, where, what changed, who has it."""

    lead_id: str
    rank: int
    area: str
    status: str
    colour: str
    is_new: bool
    facts: str
    score: str
    low: str
    high: str


def lead_row(office: Office, acting: Acting, row: Any, *, names: dict[str, str]) -> LeadRow:
    status, colour = STATUSES[LeadStatus(row.status or LeadStatus.NEW)]
    since = acting.last_visit_at
    return LeadRow(
        row.lead_id, row.rank, office.area_name(row.area), status, colour, since is not None and row.first_seen_at > since,
        _facts(office, row, names), number(row.score), number(row.low), number(row.high),
    )  # fmt: skip


def _facts(office: Office, row: Any, names: dict[str, str]) -> str:
    where = f", mostly in {office.community_title(row.mainly_in)}" if row.mainly_in else ""
    facts = [f"{count_of(row.willing_messages, 'willing message')} by {count_of(row.voices, 'person', 'people')}{where}"]
    if row.change == "grown":
        facts.append(f"grown by {row.joined}")
    if row.kept_for:
        facts.append("a kept place")
    if row.approaches:
        facts.append(APPROACH_WORDS[Approach(row.approaches[0][0])][0])
    if row.assignee:
        facts.append(f"with {names.get(row.assignee, row.assignee)}")
    if row.status == LeadStatus.NOT_NOW:
        facts.append(f"not before {day(row.not_before)}")
    return " · ".join(facts)
