"""What a report says, gathered from the store: plain values that every format prints."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from coprod_nlp.ranking.reasons import count_of
from coprod_nlp.training.drift import alarms
from coprod_nlp.vocabulary import Change, ReadingStatus
from flows.job import Job
from flows.reports.changes import CHANGE_WORDS, Changes, changes
from flows.reports.coverage import Coverage, coverage
from flows.reports.lead import LeadContent, lead_content
from flows.reports.opportunity import (
    CellRow,
    MatrixRow,
    OpportunityRow,
    StandingGroup,
    council_gazetteer,
    count_energy,
    opportunity_rows,
    standing_groups,
    ward_matrix,
    ward_rows,
)
from flows.reports.quotes import title_of
from flows.sources.base import EXPECTED_KINDS, PROBLEM_WORDS, ProblemKind
from flows.sources.table import SAMPLE
from models import queries
from models.run import Run

Choice = tuple[str, str]


@dataclass(frozen=True)
class Filters:
    """What the page lets its reader choose by: (value, words) of what the leads shown have."""

    areas: tuple[Choice, ...]
    wards: tuple[Choice, ...]
    communities: tuple[Choice, ...]
    welcome: tuple[Choice, ...]
    changes: tuple[Choice, ...]


@dataclass(frozen=True)
class ReportContent:
    """Everything on a report."""

    council: str
    is_sample: bool
    is_fictional: bool
    run_id: str
    made_at: datetime
    period: tuple[datetime | None, datetime | None]
    sources: tuple[str, ...]
    leads: tuple[LeadContent, ...]
    leads_found: int
    filters: Filters
    changes: Changes
    why_empty: str | None
    opportunity: tuple[OpportunityRow, ...]
    standings: tuple[StandingGroup, ...]
    wards: tuple[CellRow, ...]
    matrix: tuple[MatrixRow, ...]
    coverage: Coverage
    communities: tuple[dict[str, Any], ...]
    totals: dict[str, int]
    languages: dict[str, int]
    problems: tuple[dict[str, Any], ...]
    drift: tuple[str, ...]
    minimum_voices: int
    config_digest: str
    weights_digest: str
    versions: dict[str, str]


def gather(connection: Connection, job: Job, run: Run) -> ReportContent:
    """Read everything a report needs from what is stored now, so that what was deleted since the run is in no figure."""
    scope = job.scope()
    titles = {community.community_id: community.title for community in job.config.communities}
    communities = _communities(connection, scope, titles)
    rows = queries.leads(connection, job.scope_id())
    readings = queries.reading_counts(connection, scope)
    totals = _totals(run, communities, readings)
    gazetteer = council_gazetteer(job)
    energy = count_energy(connection, job, gazetteer)
    opportunity, wards = tuple(opportunity_rows(job, energy)), tuple(ward_rows(job, energy))
    leads = tuple(lead_content(connection, job, row, gazetteer=gazetteer, titles=titles) for row in rows[: job.config.ranking.leads_shown])
    return ReportContent(
        council=job.council.name,
        is_sample=any(community_id.startswith(f"{SAMPLE}:") for community_id in scope.communities),
        is_fictional=job.council.fictional,
        run_id=run.run_id,
        made_at=run.started_at,
        period=_period(scope, communities),
        sources=job.request.sources,
        leads=leads,
        filters=_filters(leads, job),
        changes=changes(connection, job, run, leads),
        leads_found=len(rows),
        why_empty=None if rows else _why_empty(totals, job.config.ranking.minimum_voices),
        opportunity=opportunity,
        standings=standing_groups(opportunity),
        wards=wards,
        matrix=ward_matrix(job, wards),
        coverage=coverage(connection, job, energy, communities=communities, totals=totals),
        communities=tuple(communities),
        totals=totals,
        languages={name.partition(":")[2]: count for name, count in readings.items() if ":" in name},
        problems=tuple(_problems(queries.problems(connection, [run.run_id]))),
        drift=tuple(alarms(run.counts.get("drift", {}))),
        minimum_voices=job.config.ranking.minimum_voices,
        config_digest=run.config_digest,
        weights_digest=rows[0].weights_digest if rows else "",
        versions=run.versions,
    )


def _communities(connection: Connection, scope: queries.Scope, titles: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {**counts, "title": title_of(community_id, titles), "is_configured": community_id in titles}
        for community_id, counts in queries.post_counts(connection, scope).items()
    ]


def _period(scope: queries.Scope, communities: Iterable[dict[str, Any]]) -> tuple[datetime | None, datetime | None]:
    """The period asked for; where it is open, the first and the last post."""
    times = [time for community in communities for time in (community["first"], community["last"]) if time]
    return scope.since or min(times, default=None), scope.until or max(times, default=None)


def _filters(leads: Sequence[LeadContent], job: Job) -> Filters:
    wards = {ward.code: ward.name for ward in job.council.wards}

    def choices(pairs: Iterable[Choice]) -> tuple[Choice, ...]:
        return tuple(sorted(set(pairs), key=lambda pair: (pair[1].casefold(), pair[0])))

    routes = [route for lead in leads for route in lead.routes]
    return Filters(
        areas=choices((lead.area_key, lead.area) for lead in leads),
        wards=choices((code, wards[code]) for lead in leads for code in lead.wards if code in wards),
        communities=choices((route.token, route.community) for route in routes),
        changes=choices((lead.change, CHANGE_WORDS[Change(lead.change)]) for lead in leads),
        welcome=choices((str(route.approach), route.welcome) for route in routes),
    )


def _totals(run: Run, communities: list[dict[str, Any]], readings: dict[str, int]) -> dict[str, int]:
    """What is stored now; what came in, and what was refused, as the run counted it."""
    read = {status.value: sum(count for name, count in readings.items() if name.partition(":")[0] == status) for status in ReadingStatus}
    problems = run.counts.get("problems", {})
    return {
        "seen": run.counts.get("collect", {}).get("seen", 0),
        "stored": sum(community["posts"] for community in communities),
        "with_author": sum(community["with_author"] for community in communities),
        **read,
        "willing": sum(community["willing"] for community in communities),
        "refused": sum(problems.get(kind.value, 0) for kind in (ProblemKind.REFUSED_COMMUNITY, ProblemKind.SUPPRESSED_AUTHOR)),
        "interactions": run.counts.get("link", {}).get("interactions", 0),
        "networks": run.counts.get("rank", {}).get("networks", 0),
    }


def _why_empty(totals: dict[str, int], minimum_voices: int) -> str:
    if not totals["stored"]:
        return "No post came from these sources in this period. See below for what was refused or left out."
    if not totals["with_author"]:
        return (
            f"None of the {count_of(totals['stored'], 'post')} says who wrote it, so nobody can be seen answering anybody: there are no "
            "networks to rank. What people would do is still counted in the opportunity map."
        )
    if not totals["willing"]:
        return f"In {count_of(totals['read'], 'post')} that were read, none offers, organises, asks to join or says they already help."
    return (
        f"{count_of(totals['willing'], 'willing message')} were found, but no network has {minimum_voices} or more different "
        "voices in one policy area who are likely enough to be willing, whether they answer each other or not. Smaller ones are never "
        "shown; their messages are counted in the opportunity map."
    )


def _problems(rows: Iterable[Any]) -> Iterable[dict[str, Any]]:
    for row in rows:
        kind = ProblemKind(row.kind)
        yield {"kind": kind.value, "words": PROBLEM_WORDS[kind], "place": row.place, "count": row.count, "lines": row.lines,
               "is_expected": kind in EXPECTED_KINDS}  # fmt: skip
