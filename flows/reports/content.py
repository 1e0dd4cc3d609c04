"""What a report says, gathered from the store: plain values that every format prints."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection

from coprod_nlp.ranking.reasons import PART_NAMES, count_of
from coprod_nlp.reading.reasons import reason_for
from coprod_nlp.records import TITLE_END
from coprod_nlp.training.drift import alarms
from coprod_nlp.vocabulary import WILLING_SIGNALS, Approach, PolicyArea, Signal, Stage
from flows.job import Job
from flows.reports.picture import NetworkPicture, network_picture
from flows.sources.base import EXPECTED_KINDS, PROBLEM_WORDS, ProblemKind
from flows.sources.table import SAMPLE
from models import queries
from models.run import Run

QUOTE_CHARS = 420
QUOTE_LEAD_CHARS = 140

SIGNAL_WORDS = {
    Signal.OFFER: "offers to give time, skill, goods or space",
    Signal.ACTIVE: "already helps",
    Signal.SEEK: "asks how to take part",
    Signal.ORGANISE: "invites others to act together",
    Signal.PROPOSE: "proposes an improvement",
    Signal.ABILITY: "has a skill or asset that bears on it",
    Signal.BARRIER: "is held back, or says what holds people back",
    Signal.UNWILLING: "would rather not",
    Signal.PURPOSE: "speaks for a shared purpose",
    Signal.COMPLAINT: "complains",
    Signal.REQUEST: "asks for help",
}
APPROACH_WORDS = {
    Approach.PARTNERSHIP: ("Partner with those already active", "Ask what they need to do more of what they do, and let them lead it."),
    Approach.CONVENIENCE: ("Make it easy", "Give one small, dated, near first step with kit and insurance taken care of."),
    Approach.PERSUASION: ("Teach and show impact", "Show what came of it elsewhere, and offer somebody to learn from."),
    Approach.PURPOSE: ("Appeal to the shared purpose", "Speak of the place and the outcome, in their words, before the task."),
    Approach.PLANNING: ("Invite to plan", "Ask them in before the decision, and say what will be done with what they propose."),
}
STAGE_WORDS = {Stage.DECISION: "deciding", Stage.PLANNING: "planning", Stage.DELIVERY: "delivering"}


@dataclass(frozen=True)
class Quote:
    """One message behind a lead: the words around its evidence, what they show, and why in a plain sentence each."""

    before: str
    marked: str
    after: str
    signals: tuple[str, ...]
    reasons: tuple[str, ...]
    willing: float
    posted: datetime | None
    community: str
    link: str


@dataclass(frozen=True)
class LeadContent:
    """One lead as it is printed."""

    rank: int
    lead_id: str
    area: str
    area_key: str
    score: float
    low: float
    high: float
    voices: int
    willing_messages: int
    network_voices: int
    parts: tuple[dict[str, Any], ...]
    approaches: tuple[tuple[str, str, str], ...]
    stages: tuple[tuple[str, int], ...]
    quotes: tuple[Quote, ...]
    communities: tuple[tuple[str, int], ...]
    signals: tuple[tuple[str, int], ...]
    picture: NetworkPicture


@dataclass(frozen=True)
class OpportunityRow:
    """One policy area: public energy beside what the council runs there."""

    key: str
    area: str
    posts: int
    willing: int
    proposing: int
    complaining: int
    asking: int
    programmes: tuple[str, ...] | None
    fit: float | None


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
    why_empty: str | None
    opportunity: tuple[OpportunityRow, ...]
    communities: tuple[dict[str, Any], ...]
    totals: dict[str, int]
    languages: dict[str, int]
    problems: tuple[dict[str, Any], ...]
    drift: tuple[str, ...]
    minimum_voices: int
    config_digest: str
    versions: dict[str, str]


def gather(connection: Connection, job: Job, run: Run) -> ReportContent:
    """Read everything a report needs. Nothing is worked out here that the steps before have not stored."""
    scope = job.scope()
    titles = {community.community_id: community.title for community in job.config.communities}
    communities = [
        {**counts, "title": titles.get(community_id, community_id.partition(":")[2]), "is_configured": community_id in titles}
        for community_id, counts in queries.post_counts(connection, scope).items()
    ]
    rows = queries.leads(connection, job.scope_id())
    shown = rows[: job.config.ranking.leads_shown]
    totals = _totals(run, communities)
    ties_of = cache(lambda network_id: queries.network_ties(connection, network_id))
    times = [time for community in communities for time in (community["first"], community["last"]) if time]
    return ReportContent(
        council=job.council.name,
        is_sample=any(community_id.startswith(f"{SAMPLE}:") for community_id in scope.communities),
        is_fictional=job.council.fictional,
        run_id=run.run_id,
        made_at=run.started_at,
        period=(scope.since or (min(times) if times else None), scope.until or (max(times) if times else None)),
        sources=job.request.sources,
        leads=tuple(_lead(connection, job, row, titles, ties_of) for row in shown),
        leads_found=len(rows),
        why_empty=None if rows else _why_empty(totals, run.counts.get("rank", {}), job.config.ranking.minimum_voices),
        opportunity=tuple(_opportunity(job, run)),
        communities=tuple(communities),
        totals=totals,
        languages=run.counts.get("languages", {}),
        problems=tuple(_problems(queries.problems(connection, [run.run_id]))),
        drift=tuple(alarms(run.counts.get("drift", {}))),
        minimum_voices=job.config.ranking.minimum_voices,
        config_digest=run.config_digest,
        versions=run.versions,
    )


def _lead(connection: Connection, job: Job, row: Any, titles: dict[str, str], ties_of: Callable[[str], list[Any]]) -> LeadContent:
    messages = queries.lead_evidence(connection, row.lead_id)
    willing = [message for message in messages if message.is_willing]
    voices = {message.author_key for message in willing}
    return LeadContent(
        rank=row.rank,
        lead_id=row.lead_id,
        area=job.config.policy_areas[row.area].name,
        area_key=row.area,
        score=row.score,
        low=row.low,
        high=row.high,
        voices=row.voices,
        willing_messages=row.willing_messages,
        network_voices=len(queries.network_voices(connection, row.network_id)),
        parts=tuple({**part, "name": PART_NAMES[part["key"]]} for part in row.parts),
        approaches=tuple((*APPROACH_WORDS[Approach(name)], reason) for name, reason in row.approaches),
        stages=tuple((STAGE_WORDS[Stage(name)], count) for name, count in row.stages),
        quotes=tuple(_quote(message, titles) for message in _varied(willing, job.config.ranking.evidence_shown)),
        communities=_counted(titles.get(message.community_id, message.community_id.partition(":")[2]) for message in willing),
        signals=_counted(SIGNAL_WORDS[Signal(name)] for message in messages for name in message.signals),
        picture=network_picture(ties_of(row.network_id), voices),
    )


def _varied(messages: list[Any], limit: int) -> list[Any]:
    """The strongest message of each voice first, then their others: a lead is more than its loudest voice."""
    seen: dict[str, int] = {}
    ordered = []
    for place, message in enumerate(messages):
        ordered.append((seen.get(message.author_key, 0), place, message))
        seen[message.author_key] = seen.get(message.author_key, 0) + 1
    return [message for _, _, message in sorted(ordered, key=lambda item: item[:2])][:limit]


def _quote(message: Any, titles: dict[str, str]) -> Quote:
    text = TITLE_END.join(part for part in (message.title, message.body) if part)
    names = [Signal(name) for name in message.signals]
    order = {signal.value: place for place, signal in enumerate((*WILLING_SIGNALS, *Signal))}
    spans = sorted(message.evidence, key=lambda span: (order[span[0]] >= len(WILLING_SIGNALS), -message.signals.get(span[0], 0)))
    start, end = (spans[0][1], spans[0][2]) if spans else (0, 0)
    begin = max(0, start - QUOTE_LEAD_CHARS)
    begin = text.rfind(" ", 0, begin) + 1 if begin else 0
    finish = min(len(text), max(end, begin + QUOTE_CHARS))
    finish = finish if finish == len(text) else max(end, text.rfind(" ", 0, finish))
    return Quote(
        before=("… " if begin else "") + text[begin:start],
        marked=text[start:end],
        after=text[end:finish] + (" …" if finish < len(text) else ""),
        signals=tuple(SIGNAL_WORDS[name] for name in names),
        reasons=tuple(reason_for(Signal(name), text[first:last]) for name, first, last in spans) or ("willing as a whole",),
        willing=message.willing,
        posted=message.created_at,
        community=titles.get(message.community_id, message.community_id.partition(":")[2]),
        link=_link(message.permalink),
    )


def _link(permalink: str) -> str:
    """An address that can be opened safely; Reddit's dumps leave its host out."""
    if permalink.startswith("/r/"):
        return f"https://www.reddit.com{permalink}"
    return permalink if permalink.startswith("https://") else ""


def _totals(run: Run, communities: list[dict[str, Any]]) -> dict[str, int]:
    read = run.counts.get("read", {})
    problems = run.counts.get("problems", {})
    return {
        "seen": run.counts.get("collect", {}).get("seen", 0),
        "stored": sum(community["posts"] for community in communities),
        "with_author": sum(community["with_author"] for community in communities),
        "read": read.get("read", 0),
        "sensitive": read.get("sensitive", 0),
        "not_english": read.get("not_english", 0),
        "not_read": read.get("not_read", 0),
        "willing": sum(community["willing"] for community in communities),
        "refused": sum(problems.get(kind.value, 0) for kind in (ProblemKind.REFUSED_COMMUNITY, ProblemKind.SUPPRESSED_AUTHOR)),
        "interactions": run.counts.get("link", {}).get("interactions", 0),
        "networks": run.counts.get("rank", {}).get("networks", 0),
    }


def _why_empty(totals: dict[str, int], ranked: dict[str, int], minimum_voices: int) -> str:
    if not totals["stored"]:
        return "No post came from these sources in this period. See below for what was refused or left out."
    if not totals["with_author"]:
        return (
            f"None of the {count_of(totals['stored'], 'post')} says who wrote it, so nobody can be seen answering anybody: there are no "
            "networks to rank. What people would do is still counted in the opportunity map."
        )
    if not totals["willing"]:
        return f"In {count_of(totals['read'], 'post')} that were read, none offers, organises, asks to join or says they already help."
    if not ranked.get("networks"):
        return f"Nobody here answered enough others to make a network of {minimum_voices} or more. See the opportunity map instead."
    return (
        f"{count_of(totals['willing'], 'willing message')} were found, but no network has {minimum_voices} or more different willing "
        "voices in one policy area. Smaller ones are never shown; their messages are counted in the opportunity map."
    )


def _opportunity(job: Job, run: Run) -> Iterable[OpportunityRow]:
    for area in PolicyArea:
        fit = job.council.areas.get(area.value)
        judged = [value for value in (fit.substitutability, fit.interdependence) if value is not None] if fit else []
        yield OpportunityRow(
            key=area.value,
            area=job.config.policy_areas[area.value].name,
            programmes=fit.programmes if fit else None,
            fit=sum(judged) / len(judged) if judged else None,
            **run.counts.get("opportunity", {}).get(
                area.value, dict.fromkeys(("posts", "willing", "proposing", "complaining", "asking"), 0)
            ),
        )


def _problems(rows: Iterable[Any]) -> Iterable[dict[str, Any]]:
    for row in rows:
        kind = ProblemKind(row.kind)
        yield {"kind": kind.value, "words": PROBLEM_WORDS[kind], "place": row.place, "count": row.count, "lines": row.lines,
               "is_expected": kind in EXPECTED_KINDS}  # fmt: skip


def _counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
