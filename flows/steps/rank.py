"""Rank: interactions to networks, networks and readings to leads with an explained score."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from coprod_nlp.network.groups import find_networks
from coprod_nlp.network.ties import build_ties
from coprod_nlp.ranking.leads import rank_leads
from coprod_nlp.ranking.opportunity import OpportunityMap
from coprod_nlp.ranking.rules import Fit, RankingRules
from coprod_nlp.records import CandidateNetwork, Interaction, Message, RankedLead
from coprod_nlp.vocabulary import InteractionKind, PolicyArea, RunStage, Signal
from flows.job import Job
from flows.progress import listener
from models import actions, queries

# What supports a lead besides willing messages.
SUPPORTING = frozenset({Signal.ABILITY, Signal.PURPOSE, Signal.BARRIER, Signal.PROPOSE, Signal.UNWILLING})


def rank(job: Job) -> None:
    """Replace the networks and leads of the run's scope by those its interactions and readings give now."""
    if job.is_done(RunStage.RANK):
        listener().note("rank: done before, gone on from there")
        return
    with job.stage(RunStage.RANK):
        listener().stage("Rank", total=None, unit="")
        ranking, scope, version = job.config.ranking, job.scope(), job.run().versions["reading"]
        with job.engine.connect() as connection:
            as_of = scope.until or queries.newest_post(connection, scope)
            ties = build_ties(
                _interactions(connection, job),
                weights={InteractionKind.REPLY: ranking.ties.reply, InteractionKind.THREAD: ranking.ties.thread},
                as_of=as_of,
                half_life_days=ranking.ties.half_life_days,
            )
            networks = find_networks(
                ties,
                order=queries.author_order(connection, scope),
                namespace=job.scope_id(),
                minimum_voices=ranking.minimum_voices,
                resolution=ranking.groups.resolution,
                iterations=ranking.groups.iterations,
                seed=ranking.groups.seed,
            )
            listener().note(f"rank: {len(ties):,} ties, {len(networks):,} networks")
            opportunity = OpportunityMap()
            messages = list(_messages(connection, job, version, opportunity))
        leads = rank_leads(networks, messages, rules=_rules(job, as_of))
        _store(job, networks, leads)
        counts = {
            "ties": len(ties),
            "networks": len(networks),
            "largest_network": max((len(network.voices) for network in networks), default=0),
            "leads": len(leads),
            "willing_with_author": sum(message.is_willing for message in messages),
        }
        areas = {area.value: energy.as_dict() for area, energy in opportunity.areas.items()}
        job.update(scope=job.scope_id(), counts={"rank": counts, "opportunity": areas, "as_of": as_of.isoformat() if as_of else None})


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
    )


def _interactions(connection: Connection, job: Job) -> Iterator[Interaction]:
    for row in queries.interactions(connection, job.scope()):
        yield Interaction(InteractionKind(row.kind), row.source_key, row.target_key, row.happened_at)


def _messages(connection: Connection, job: Job, version: str, opportunity: OpportunityMap) -> Iterator[Message]:
    """Messages of voices that can bear on a lead; every reading goes into the opportunity map on the way."""
    for row in queries.read_messages(connection, job.scope(), version=version):
        opportunity.add(areas=row.areas, signals=row.signals, is_willing=row.is_willing)
        if row.author_key and row.areas and (row.is_willing or SUPPORTING & row.signals.keys()):
            yield Message(
                row.post_id, row.author_key, row.community_id, row.created_at, row.willing or 0.0, row.is_willing,
                {PolicyArea(area): chance for area, chance in row.areas.items()},
                {Signal(signal): chance for signal, chance in row.signals.items()},
            )  # fmt: skip


def _store(job: Job, networks: list[CandidateNetwork], leads: list[RankedLead]) -> None:
    """Only networks that have a lead are kept."""
    scope_id = job.scope_id()
    used = {lead.network_id for lead in leads}
    kept = [network for network in networks if network.network_id in used]
    with job.engine.begin() as connection:
        actions.replace_leads(
            connection,
            scope_id,
            networks=[
                {
                    "network_id": n.network_id,
                    "scope": scope_id,
                    "council": job.request.council,
                    "voices": len(n.voices),
                    "ties": len(n.ties),
                }
                for n in kept
            ],
            voices=({"network_id": n.network_id, "author_key": key} for n in kept for key in n.voices),
            leads=[_lead_row(job, scope_id, place, lead) for place, lead in enumerate(leads, start=1)],
            messages=({"lead_id": lead.lead_id, "post_id": message.post_id} for lead in leads for message in lead.messages),
        )


def _lead_row(job: Job, scope_id: str, place: int, lead: RankedLead) -> dict[str, Any]:
    return {
        "lead_id": lead.lead_id, "network_id": lead.network_id, "scope": scope_id, "council": job.request.council, "area": lead.area.value,
        "rank": place, "score": lead.score.total, "low": lead.score.low, "high": lead.score.high, "voices": len(lead.voices),
        "willing_messages": sum(message.is_willing for message in lead.messages),
        "parts": [
            {"key": part.key, "value": part.value, "weight": part.weight, "points": part.points, "sentence": part.sentence}
            for part in lead.score.parts
        ],
        "approaches": [[approach.value, reason] for approach, reason in lead.approaches],
        "stages": [[stage.value, count] for stage, count in lead.stages], "config_digest": job.config.digest,
    }  # fmt: skip
