"""Coverage: which wards, policy areas, groups and voices these sources cannot see, each with the numbers behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from config.schema import CATEGORIES
from coprod_nlp.ranking.opportunity import OpportunityMap
from coprod_nlp.ranking.reasons import count_of
from coprod_nlp.vocabulary import PolicyArea
from coprod_nlp.words import CATEGORY_WORDS
from flows.job import Job
from models import report_queries

BUSIEST = 0.1


@dataclass(frozen=True)
class WardSeen:
    """A ward: who lives there, and how many posts about a policy area name it or a landmark in it (None: too few voices to say)."""

    name: str
    residents: int | None
    posts: int | None
    for_each_1000: float | None


@dataclass(frozen=True)
class GroupSeen:
    """A group of residents, its size and share, and what these sources hold of it."""

    name: str
    residents: int | None
    share: float | None
    source: str
    communities: tuple[str, ...]
    posts: int


@dataclass(frozen=True)
class Coverage:
    """What can and cannot be seen. `placed` of `posts` about a policy area name a ward of the council."""

    posts: int
    placed: int
    wards: tuple[WardSeen, ...]
    wards_unseen: tuple[str, ...]
    areas_unseen: tuple[str, ...]
    groups: tuple[GroupSeen, ...]
    kinds_missing: tuple[str, ...]
    facts: tuple[str, ...]


def coverage(
    connection: Connection, job: Job, energy: OpportunityMap, *, communities: Sequence[Mapping[str, Any]], totals: Mapping[str, int]
) -> Coverage:
    """Work out what these sources see of the council's wards, areas and groups."""
    wards = tuple(_ward(job, energy, ward) for ward in job.council.wards)
    minimum = job.config.ranking.minimum_voices
    listened = {community["community_id"] for community in communities}
    kinds = {community.category for community in job.config.communities if community.community_id in listened}
    return Coverage(
        posts=energy.posts,
        placed=energy.placed,
        wards=wards,
        wards_unseen=tuple(ward.name for ward in wards if not ward.posts),
        areas_unseen=tuple(job.config.policy_areas[area.value].name for area in PolicyArea if len(energy.areas[area].voices) < minimum),
        groups=tuple(_group(job, group, communities) for group in job.council.groups),
        kinds_missing=tuple(CATEGORY_WORDS[kind] for kind in CATEGORIES if kind not in kinds) if kinds else (),
        facts=tuple(_facts(connection, job, totals)),
    )


def _ward(job: Job, energy: OpportunityMap, ward: Any) -> WardSeen:
    found = energy.wards.get(ward.code)
    is_shown = found is None or len(found.voices) >= job.config.ranking.minimum_voices
    posts = (found.posts if found else 0) if is_shown else None
    rate = 1000 * posts / ward.residents if posts is not None and ward.residents else None
    return WardSeen(ward.name, ward.residents, posts, rate)


def _group(job: Job, group: Any, communities: Sequence[Mapping[str, Any]]) -> GroupSeen:
    theirs = [community for community in communities if community["community_id"] in group.communities]
    share = group.residents / job.council.residents if group.residents and job.council.residents else None
    return GroupSeen(
        group.name, group.residents, share, group.source, tuple(community["title"] for community in theirs),
        sum(community["posts"] for community in theirs),
    )  # fmt: skip


def _facts(connection: Connection, job: Job, totals: Mapping[str, int]) -> list[str]:
    """Sentences on whose voices these are, each with its denominator."""
    counts = report_queries.posts_by_author(connection, job.scope())
    facts = []
    if len(counts) >= 1 / BUSIEST:
        top = counts[: max(1, round(BUSIEST * len(counts)))]
        facts.append(
            f"The busiest tenth of the {len(counts):,} voices ({len(top):,}) wrote {sum(top) / sum(counts):.0%} of the {sum(counts):,} "
            f"posts that say who wrote them; {counts.count(1):,} voices wrote once."
        )
    if job.council.residents and counts:
        facts.append(
            f"{len(counts):,} accounts stand beside {job.council.residents:,} residents: at most "
            f"{len(counts) / job.council.residents:.1%}, fewer if some have two accounts or live elsewhere."
        )
    nameless = totals["stored"] - totals["with_author"]
    facts.append(f"{nameless:,} of {count_of(totals['stored'], 'post')} do not say who wrote them, and cannot be part of a network.")
    facts.append(f"{totals['not_english']:,} of {totals['stored']:,} were set aside as not in English: nobody has read them.")
    facts.append(f"{totals['sensitive']:,} of {totals['stored']:,} were set aside as sensitive.")
    facts.append("Nothing here says how old, how well off or how healthy anybody is, and the software does not guess.")
    return facts
