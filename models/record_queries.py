"""Figures for the transparency record and the impact assessment: how much the system did, and what people made of it."""

from typing import Any

from sqlalchemy import Connection, func, select
from sqlmodel import Session, col

from models.contact import Contact
from models.decision import LeadDecision
from models.lead import Lead
from models.run import Run


def newest_run(session: Session, council: str) -> Run | None:
    """A council's newest run, whatever became of it."""
    return session.scalar(select(Run).where(col(Run.council) == council).order_by(col(Run.started_at).desc(), col(Run.run_id)).limit(1))


def runs_of(session: Session, council: str, *, limit: int) -> list[Run]:
    """A council's runs, the newest first."""
    statement = select(Run).where(col(Run.council) == council).order_by(col(Run.started_at).desc(), col(Run.run_id))
    return list(session.scalars(statement.limit(limit)))


def count_leads(connection: Connection, council: str, *, minimum_voices: int) -> int:
    wanted = select(func.count()).select_from(Lead).where(col(Lead.council) == council, col(Lead.voices) >= minimum_voices)
    return connection.scalar(wanted) or 0


def decisions_by_action(connection: Connection, council: str) -> dict[str, int]:
    return _counted(connection, col(LeadDecision.action), col(LeadDecision.council) == council)


def contacts_by_status(connection: Connection, council: str) -> dict[str, int]:
    return _counted(connection, col(Contact.status), col(Contact.council) == council)


def _counted(connection: Connection, column: Any, where: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(select(column, func.count()).where(where).group_by(column).order_by(column))}
