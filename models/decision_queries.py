"""What officers decided, for a ranking that wants to learn from it."""

from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import col

from models.decision import LeadDecision
from models.desk_words import LeadAction, RejectReason

# Rejections for these reasons say something of the lead; the others say something of the council, or of the place.
ABOUT_THE_LEAD = frozenset({RejectReason.NOT_WILLING, RejectReason.NOT_A_GROUP, RejectReason.NO_FIT})
DECIDING = (LeadAction.SHORTLIST.value, LeadAction.REJECT.value)


def decided_leads(connection: Connection, council: str) -> list[tuple[str, bool, dict[str, float | None]]]:
    """By lead the newest decision to shortlist or reject: its id, whether it was accepted, and the values of its score's parts then.

    Decisions that were taken back do not count, nor rejections for a reason that is not about the lead.
    """
    statement = (
        select(col(LeadDecision.lead_id), col(LeadDecision.action), col(LeadDecision.reason), col(LeadDecision.parts))
        .where(col(LeadDecision.council) == council, col(LeadDecision.action).in_(DECIDING), col(LeadDecision.undone_at).is_(None))
        .order_by(col(LeadDecision.lead_id), col(LeadDecision.version))
    )
    newest: dict[str, Any] = {row.lead_id: row for row in connection.execute(statement)}
    return [
        (row.lead_id, row.action == LeadAction.SHORTLIST, {part["key"]: part["value"] for part in row.parts})
        for row in newest.values()
        if row.action == LeadAction.SHORTLIST or row.reason in ABOUT_THE_LEAD
    ]
