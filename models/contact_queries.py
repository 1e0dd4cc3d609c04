"""What is asked of contacts and holds."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlmodel import col

from models.contact import Contact, ContactHold
from models.desk_words import ContactStatus

OVER = (ContactStatus.CLOSED.value, ContactStatus.CANCELLED.value)
CONTACTS_SHOWN = 200


def open_contact(connection: Connection, lead_id: str) -> Any | None:
    """The one message that is under way for a lead."""
    statement = select(Contact.__table__).where(col(Contact.lead_id) == lead_id, col(Contact.status).not_in(OVER))  # type: ignore[attr-defined]
    return connection.execute(statement).first()


def contacts_of(connection: Connection, lead_id: str) -> list[Any]:
    return list(connection.execute(_contacts_statement(), {"lead_id": lead_id}))


def contacts(connection: Connection, council: str) -> list[Any]:
    """A council's newest contacts, those that wait for somebody first."""
    statement = select(Contact.__table__).where(col(Contact.council) == council)  # type: ignore[attr-defined]
    rows = list(connection.execute(statement.order_by(col(Contact.changed_at).desc()).limit(CONTACTS_SHOWN)))
    return sorted(rows, key=lambda row: row.status in OVER)


def holds_on(connection: Connection, council: str, subjects: Sequence[str], *, now: datetime) -> list[Any]:
    """Holds that say now that nobody writes to any of these: leads or communities."""
    return list(connection.execute(_holds_statement(), {"council": council, "subjects": list(subjects), "now": now}))


def holds(connection: Connection, council: str, *, now: datetime) -> list[Any]:
    statement = select(ContactHold.__table__).where(  # type: ignore[attr-defined]
        col(ContactHold.council) == council, col(ContactHold.until) > now, col(ContactHold.lifted_at).is_(None)
    )
    return list(connection.execute(statement.order_by(col(ContactHold.until))))


@cache
def _contacts_statement() -> Any:
    statement = select(Contact.__table__).where(col(Contact.lead_id) == bindparam("lead_id"))  # type: ignore[attr-defined]
    return statement.order_by(col(Contact.made_at))


@cache
def _holds_statement() -> Any:
    statement = select(ContactHold.__table__).where(  # type: ignore[attr-defined]
        col(ContactHold.council) == bindparam("council"), col(ContactHold.subject).in_(bindparam("subjects", expanding=True)),
        col(ContactHold.until) > bindparam("now"), col(ContactHold.lifted_at).is_(None),
    )  # fmt: skip
    return statement.order_by(col(ContactHold.until))
