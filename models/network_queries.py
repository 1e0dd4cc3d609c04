"""What is asked of networks and their history: one function a question."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import col

from models.decision import LeadDecision
from models.desk_words import LeadAction
from models.lead import Network, NetworkChange, NetworkVoice
from models.run import Run


def network(connection: Connection, network_id: str) -> Any:
    """Its row, None where there is no such network."""
    return connection.execute(select(Network.__table__).where(col(Network.network_id) == network_id)).one_or_none()  # type: ignore[attr-defined]


def continued_scopes(connection: Connection, *, council: str, communities: Sequence[str], run_id: str) -> list[str]:
    """Scopes that a ranking of these communities continues: a council's earlier ones of the same communities or fewer, in any period."""
    ranked = select(col(Run.scope), col(Run.communities), col(Run.done)).where(col(Run.council) == council, col(Run.run_id) != run_id)
    rows = connection.execute(ranked.order_by(col(Run.started_at)))
    return sorted({row.scope for row in rows if row.scope and "rank" in row.done and set(row.communities) <= set(communities)})


def known_networks(connection: Connection, scopes: Sequence[str]) -> dict[str, tuple[Any, frozenset[str]]]:
    """By id the networks of some scopes, each with its row and its willing voices."""
    rows = connection.execute(select(Network.__table__).where(col(Network.scope).in_(scopes)).order_by(col(Network.network_id)))  # type: ignore[attr-defined]
    networks = {row.network_id: row for row in rows}
    willing = (
        select(col(NetworkVoice.network_id), col(NetworkVoice.author_key))
        .join(Network, col(Network.network_id) == col(NetworkVoice.network_id))
        .where(col(Network.scope).in_(scopes), col(NetworkVoice.is_willing))
    )
    voices: dict[str, set[str]] = {network_id: set() for network_id in networks}
    for row in connection.execute(willing):
        voices[row.network_id].add(row.author_key)
    return {network_id: (row, frozenset(voices[network_id])) for network_id, row in networks.items()}


def network_ids(connection: Connection) -> set[str]:
    """Of every network of every scope."""
    return set(connection.scalars(select(col(Network.network_id))))


def changes_of_run(connection: Connection, run_id: str) -> list[Any]:
    """What the ranking of a run made of each network, those that are gone too."""
    statement = select(NetworkChange.__table__).where(col(NetworkChange.run_id) == run_id)  # type: ignore[attr-defined]
    return list(connection.execute(statement.order_by(col(NetworkChange.network_id))))


def standing_decisions(connection: Connection, council: str) -> list[Any]:
    """For each lead of a council that was shortlisted or rejected last, that decision with what its score was made of then."""
    choosing = (LeadAction.SHORTLIST, LeadAction.REJECT, LeadAction.NOT_NOW, LeadAction.REOPEN)
    statement = (
        select(LeadDecision.__table__)  # type: ignore[attr-defined]
        .where(col(LeadDecision.council) == council, col(LeadDecision.action).in_(choosing), col(LeadDecision.undone_at).is_(None))
        .order_by(col(LeadDecision.lead_id), col(LeadDecision.version))
    )
    last = {row.lead_id: row for row in connection.execute(statement)}
    return [row for row in last.values() if row.action in {LeadAction.SHORTLIST, LeadAction.REJECT} and row.parts]
