"""Rank: interactions to networks that keep their identity, networks and readings to leads with an explained score."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from coprod_nlp.network.groups import GroupRules, find_networks
from coprod_nlp.network.identity import IdentifiedNetwork, KnownNetwork, identify
from coprod_nlp.network.ties import build_ties
from coprod_nlp.ranking.leads import rank_leads
from coprod_nlp.ranking.rules import Fit, RankingRules, weights_digest
from coprod_nlp.records import RankedLead
from coprod_nlp.vocabulary import Change, InteractionKind, PolicyArea, RunStage
from flows.job import Job
from flows.progress import listener
from flows.ranking_rows import read_heard, read_interactions, wills_of
from models import actions, network_queries, queries
from models.base import utc_now

# How far a council may approach people in a community, by what its configuration says.
WELCOME = {"welcome": 1.0, "ask_first": 0.5, "not_welcome": 0.0}


def rank(job: Job, *, again: bool = False) -> None:
    """Replace the networks and leads of the run's scope by those its interactions and readings give now.

    What a run has done it does not do a second time, unless `again` says so.
    """
    if job.is_done(RunStage.RANK) and not again:
        listener().note("rank: done before, gone on from there")
        return
    with job.stage(RunStage.RANK):
        listener().stage("Rank", total=None, unit="")
        scope = job.scope()
        with job.engine.connect() as connection:
            firsts, newest = queries.authors(connection, scope)
            as_of = scope.until or newest
            keys = list(firsts)
            numbers = {key: place for place, key in enumerate(keys)}
            interactions = read_interactions(connection, scope, numbers, as_of=as_of)
            heard = read_heard(connection, scope, version=job.run().versions["reading"])
            known = _Known(connection, job, numbers)
            held = network_queries.network_ids(connection)
        ties = build_ties(interactions, weights=_tie_weights(job), half_life_days=job.config.ranking.ties.half_life_days)
        wills = wills_of(heard, numbers, as_of=as_of, likely_from=job.config.ranking.likely_from)
        networks = find_networks(ties, wills, voices=len(keys), rules=_group_rules(job))
        listener().note(f"rank: {len(ties):,} ties, {len(networks):,} networks")
        identified, gone = identify(networks, known.networks, names=list(firsts.values()), namespace=_namespace(job), held=held)
        leads = rank_leads(identified, heard.messages, keys=keys, rules=_rules(job, as_of), heard=heard.counts())
        rows = _Rows(job, known, keys)
        rows.store(identified, gone, leads)
        counts = {
            "ties": len(ties),
            "networks": len(networks),
            "gathered": sum(network.is_gathered for network in networks),
            "largest_network": max((len(network.willing) for network in networks), default=0),
            "leads": len(leads),
            "willing_with_author": sum(message.is_willing for message in heard.messages),
            **rows.changed,
        }
        job.update(
            scope=job.scope_id(),
            counts={
                "rank": counts, "as_of": as_of.isoformat() if as_of else None,
                "weights_digest": weights_digest(job.config.ranking.weights.model_dump()),
            },
        )  # fmt: skip


def _tie_weights(job: Job) -> dict[InteractionKind, float]:
    ties = job.config.ranking.ties
    return {InteractionKind.REPLY: ties.reply, InteractionKind.MENTION: ties.mention, InteractionKind.THREAD: ties.thread}


def _group_rules(job: Job) -> GroupRules:
    ranking = job.config.ranking
    return GroupRules(
        minimum_voices=ranking.minimum_voices,
        resolutions=ranking.groups.resolutions,
        seeds=ranking.groups.seeds,
        seed=ranking.groups.seed,
        iterations=ranking.groups.iterations,
        divide_above=ranking.groups.divide_above,
        half_life_days=ranking.ties.half_life_days,
        area_weight=ranking.ties.area,
        area_reach=ranking.ties.area_reach,
        area_days=ranking.ties.area_days,
    )


def _rules(job: Job, as_of: datetime | None) -> RankingRules:
    ranking, council = job.config.ranking, job.council
    return RankingRules(
        weights=ranking.weights.model_dump(),
        minimum_voices=ranking.minimum_voices,
        resamples=ranking.interval.resamples,
        seed=ranking.interval.seed,
        half_life_days=ranking.ties.half_life_days,
        as_of=as_of,
        fits={PolicyArea(area): Fit(fit.substitutability, fit.interdependence, len(fit.programmes)) for area, fit in council.areas.items()},
        welcome={one.community_id: WELCOME[one.approach] for one in job.config.communities if one.approach},
        kept_every=ranking.places.every,
    )


def _namespace(job: Job) -> str:
    """What makes a new network's id this council's, and these communities'."""
    return "\n".join([job.request.council, *job.scope().communities])


class _Known:
    """The networks of the rankings that this one continues, and what this run has recorded of them already."""

    def __init__(self, connection: Connection, job: Job, numbers: dict[str, int]) -> None:
        scope = job.scope()
        self.scopes = network_queries.continued_scopes(connection, council=scope.council, communities=scope.communities, run_id=job.run_id)
        stored = network_queries.known_networks(connection, [job.scope_id(), *self.scopes])
        self.rows = {network_id: row for network_id, (row, _) in stored.items()}
        self.recorded = {row.network_id: row for row in network_queries.changes_of_run(connection, job.run_id)}
        # Voices that wrote nothing here any more get numbers that nobody has.
        strangers = sorted({key for _, voices in stored.values() for key in voices} - numbers.keys())
        every = numbers | {key: -1 - place for place, key in enumerate(strangers)}
        self.networks = [
            KnownNetwork(network_id, PolicyArea(row.area), frozenset(every[key] for key in voices))
            for network_id, (row, voices) in stored.items()
        ]


class _Rows:
    """What was ranked, as rows of the store. Only networks that have a lead are kept."""

    def __init__(self, job: Job, known: _Known, keys: Sequence[str]) -> None:
        self._job, self._known, self._keys, self._now = job, known, keys, utc_now()
        self._place = {"scope": job.scope_id(), "council": job.request.council}
        self._weights = weights_digest(job.config.ranking.weights.model_dump())
        self.changed: dict[str, int] = {}

    def store(self, identified: Sequence[IdentifiedNetwork], gone: Sequence[KnownNetwork], leads: Sequence[RankedLead]) -> None:
        used = {lead.network_id for lead in leads}
        kept = [one for one in identified if one.network_id in used]
        changes = list(self._known.recorded.values()) or [*map(self._change, kept), *map(self._gone, gone)]
        counts = Counter(change["change"] if isinstance(change, dict) else change.change for change in changes)
        self.changed = {change.value: counts[change.value] for change in Change if counts[change.value]}
        with self._job.engine.begin() as connection:
            actions.replace_leads(
                connection,
                self._place["scope"],
                networks=[self._network(one) for one in kept],
                voices=[row for one in kept for row in self._voices(one)],
                leads=[self._lead(place, lead) for place, lead in enumerate(leads, start=1)],
                messages=[{"lead_id": lead.lead_id, "post_id": message.post_id} for lead in leads for message in lead.messages],
                changes=[] if self._known.recorded else changes,
                continued=self._known.scopes,
            )

    def _network(self, one: IdentifiedNetwork) -> dict[str, Any]:
        before, said = self._known.rows.get(one.network_id), self._known.recorded.get(one.network_id)
        network = one.network
        return {
            **self._place, "network_id": one.network_id, "area": network.area.value, "is_gathered": network.is_gathered,
            "voices": len(network.willing) + len(network.between), "willing_voices": len(network.willing), "ties": network.ties,
            "first_seen_at": before.first_seen_at if before else self._now, "change": said.change if said else one.change.value,
            "voices_before": said.voices_before if said else one.voices_before, "joined": said.joined if said else one.joined,
            "departed": said.departed if said else one.departed, "origins": said.origins if said else list(one.origins),
        }  # fmt: skip

    def _voices(self, one: IdentifiedNetwork) -> list[dict[str, Any]]:
        sides = ((one.network.willing, True), (one.network.between, False))
        return [
            {"network_id": one.network_id, "author_key": self._keys[voice], "is_willing": is_willing}
            for side, is_willing in sides
            for voice in side
        ]

    def _change(self, one: IdentifiedNetwork) -> dict[str, Any]:
        return {
            **self._place, "run_id": self._job.run_id, "network_id": one.network_id, "area": one.network.area.value,
            "change": one.change.value, "voices_before": one.voices_before, "voices_now": len(one.network.willing),
            "joined": one.joined, "departed": one.departed, "origins": list(one.origins), "changed_at": self._now,
        }  # fmt: skip

    def _gone(self, known: KnownNetwork) -> dict[str, Any]:
        return {
            **self._place, "run_id": self._job.run_id, "network_id": known.network_id, "area": known.area.value,
            "change": Change.GONE.value, "voices_before": len(known.willing), "voices_now": 0, "joined": 0,
            "departed": len(known.willing), "origins": [],
            "changed_at": self._now,
        }  # fmt: skip

    def _lead(self, place: int, lead: RankedLead) -> dict[str, Any]:
        return {
            **self._place, "lead_id": lead.lead_id, "network_id": lead.network_id, "area": lead.area.value,
            "rank": place, "score": lead.score.total, "low": lead.score.low, "high": lead.score.high, "voices": len(lead.voices),
            "willing_messages": sum(message.is_willing for message in lead.messages),
            "parts": [
                {"key": part.key, "value": part.value, "weight": part.weight, "points": part.points, "sentence": part.sentence}
                for part in lead.score.parts
            ],
            "approaches": [[approach.value, reason] for approach, reason in lead.approaches],
            "stages": [[stage.value, count] for stage, count in lead.stages], "config_digest": self._job.config.digest,
            "weights_digest": self._weights, "kept_for": lead.kept_for,
        }  # fmt: skip
