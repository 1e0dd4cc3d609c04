"""What changed since the last report: networks that are new, grown, come together, come apart or gone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from coprod_nlp.ranking.reasons import change_sentence, count_of
from coprod_nlp.vocabulary import Change
from flows.job import Job
from flows.reports.lead import LeadContent
from models import network_queries, report_queries
from models.run import Run

# In the order of the page; those that stayed the same are only counted.
TOLD = (Change.NEW, Change.GROWN, Change.MERGED, Change.SPLIT, Change.SHRUNK, Change.GONE)
CHANGE_WORDS = {
    Change.NEW: "New",
    Change.GROWN: "Grown",
    Change.MERGED: "Come together",
    Change.SPLIT: "Come apart",
    Change.SHRUNK: "Smaller",
    Change.GONE: "Gone",
    Change.SAME: "As before",
}


@dataclass(frozen=True)
class ChangedNetwork:
    """One network that changed; `lead_id` and `rank` are those of its lead where this report shows it."""

    area: str
    sentence: str
    lead_id: str | None
    rank: int | None


@dataclass(frozen=True)
class ChangeGroup:
    """Networks that changed alike."""

    key: str
    name: str
    networks: tuple[ChangedNetwork, ...]


@dataclass(frozen=True)
class Changes:
    """Since when, and what; `since` is None in a first report."""

    since: datetime | None
    groups: tuple[ChangeGroup, ...]
    same: int


def changes(connection: Connection, job: Job, run: Run, leads: Iterable[LeadContent]) -> Changes:
    """What the ranking of this run made of each network, beside the last ranking of the same communities or fewer."""
    before = report_queries.run_before(connection, council=run.council, communities=run.communities, started_at=run.started_at)
    if before is None:
        return Changes(None, (), 0)
    shown = {lead.network_id: lead for lead in leads}
    rows = network_queries.changes_of_run(connection, run.run_id)
    groups = []
    for change in TOLD:
        networks = sorted(
            (_changed(job, row, shown.get(row.network_id)) for row in rows if row.change == change),
            key=lambda network: (network.rank is None, network.rank or 0, network.area, network.sentence),
        )
        if networks:
            groups.append(ChangeGroup(change.value, CHANGE_WORDS[change], tuple(networks)))
    return Changes(before, tuple(groups), sum(row.change == Change.SAME for row in rows))


def _changed(job: Job, row: Any, lead: LeadContent | None) -> ChangedNetwork:
    if row.change == Change.GONE:
        sentence = f"It had {count_of(row.voices_before, 'willing voice')}."
    else:
        sentence = change_sentence(row.change, joined=row.joined, departed=row.departed, origins=len(row.origins))
    area = job.config.policy_areas[row.area].name
    return ChangedNetwork(area, sentence, lead.lead_id if lead else None, lead.rank if lead else None)
