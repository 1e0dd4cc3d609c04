"""Weights proposed from officers' decisions, and what the list would look like with them. People write them into `ranking.toml`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from config.load import load_config
from config.schema import Config
from config.settings import load_settings
from coprod_nlp.ranking.learn import Proposal, propose_weights, score_with
from coprod_nlp.ranking.reasons import count_of
from coprod_nlp.ranking.rules import weights_digest
from coprod_nlp.records import DecidedLead
from flows.job import known_council
from models import network_queries, queries
from models.desk_words import LeadAction, RejectReason
from models.session import open_engine

# Reasons that speak of something the score should have known. A lead that is known already or another council's may be as good as any.
ABOUT_THE_LEAD = frozenset({RejectReason.NOT_WILLING, RejectReason.NOT_A_GROUP, RejectReason.NO_FIT, RejectReason.NOT_WELCOME})
SHOWN_MOVES = 10


@dataclass(frozen=True)
class Shown:
    """A proposal in sentences; `toml` is what a person would write, empty where nothing is proposed."""

    sentences: list[str]
    toml: str


def propose_ranking(*, council: str | None) -> Shown:
    """Look at what officers decided and propose weights, for one council or all of them together."""
    settings = load_settings()
    config = load_config(settings.config_dir)
    councils = [known_council(config, council)] if council else sorted(config.councils)
    engine = open_engine(settings.address())
    try:
        with engine.connect() as connection:
            return _propose(connection, config, councils)
    finally:
        engine.dispose()


def _propose(connection: Connection, config: Config, councils: Sequence[str]) -> Shown:
    rows = [row for council in councils for row in network_queries.standing_decisions(connection, council)]
    decided = [_decided(row) for row in rows if row.action == LeadAction.SHORTLIST or row.reason in ABOUT_THE_LEAD]
    now = config.ranking.weights.model_dump()
    proposal = propose_weights(decided, now, seed=config.ranking.interval.seed)
    sentences = [proposal.why]
    if left_out := len(rows) - len(decided):
        sentences.append(f"{count_of(left_out, 'rejection')} for a reason that is not about the lead itself are left out.")
    if proposal.agreement is not None and proposal.proposed_agreement is not None:
        sentences.append(
            f"An accepted lead scores above a rejected one in {proposal.agreement:.0%} of pairs now; in {proposal.proposed_agreement:.0%} "
            "with weights learned without the decisions that they are measured on."
        )
    if proposal.weights is None:
        return Shown(sentences, "")
    leads = [row for council in councils for row in queries.leads_of_council(connection, council)]
    return Shown([*sentences, *_moves(leads, now, proposal.weights)], _toml(proposal, now))


def _decided(row: Any) -> DecidedLead:
    return DecidedLead(row.lead_id, row.action == LeadAction.SHORTLIST, {part["key"]: part["value"] for part in row.parts})


def _moves(leads: Sequence[Any], now: Mapping[str, float], proposed: Mapping[str, float]) -> list[str]:
    """Where the leads of now would stand, the largest moves first."""
    parts = {row.lead_id: {part["key"]: part["value"] for part in row.parts} for row in leads}
    before, after = (_order(parts, weights) for weights in (now, proposed))
    moved = sorted(
        (lead_id for lead_id in parts if before[lead_id] != after[lead_id]), key=lambda one: (-abs(before[one] - after[one]), one)
    )
    said = [f"lead {lead_id}: from place {before[lead_id]} to {after[lead_id]} by score" for lead_id in moved[:SHOWN_MOVES]]
    return [f"{len(moved):,} of {count_of(len(parts), 'lead')} would change place.", *said]


def _order(parts: Mapping[str, Mapping[str, float | None]], weights: Mapping[str, float]) -> dict[str, int]:
    ranked = sorted(parts, key=lambda lead_id: (-score_with(parts[lead_id], weights), lead_id))
    return {lead_id: place for place, lead_id in enumerate(ranked, start=1)}


def _toml(proposal: Proposal, now: Mapping[str, float]) -> str:
    weights = proposal.weights or {}
    lines = [f"{key} = {value:g}  # {now[key]:g} now" for key, value in weights.items()]
    return "\n".join([f"# proposed from decisions; hash {weights_digest(weights)}, now {weights_digest(now)}", "[weights]", *lines])
