"""What is asked of accounts and sessions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlmodel import Session, col

from models.account import Account, DeskSession
from models.desk_words import Role


def account_of_session(connection: Connection, token_hash: str, *, now: datetime) -> Any | None:
    """The active account behind a session, with `started_at` and `seen_at`; the caller knows how long a session lasts."""
    values = {"token_hash": token_hash, "since": now - timedelta(days=1)}
    return connection.execute(_session_statement(), values).one_or_none()


def account_by_username(session: Session, username: str) -> Account | None:
    return session.scalar(select(Account).where(col(Account.username) == username.strip().lower()))


def account_by_setup(session: Session, setup_hash: str, *, now: datetime) -> Account | None:
    """Whose invitation it is, while it holds."""
    statement = select(Account).where(col(Account.setup_hash) == setup_hash, col(Account.setup_until) > now, col(Account.is_active))
    return session.scalar(statement)


def accounts(connection: Connection, council: str) -> list[Any]:
    statement = select(Account.__table__).where(col(Account.council) == council)  # type: ignore[attr-defined]
    return list(connection.execute(statement.order_by(col(Account.display_name), col(Account.username))))


@dataclass(frozen=True)
class Staff:
    """A council's staff: display name by user name, those who left too; and the officers, to whom leads can be given."""

    names: dict[str, str]
    officers: list[tuple[str, str]]


def staff(connection: Connection, council: str) -> Staff:
    rows = list(connection.execute(_staff_statement(), {"council": council}))
    officers = [(row.username, row.display_name) for row in rows if row.is_active and Role.OFFICER.value in row.roles]
    return Staff({row.username: row.display_name for row in rows}, officers)


def names(connection: Connection, council: str) -> dict[str, str]:
    return staff(connection, council).names


@cache
def _staff_statement() -> Any:
    statement = select(col(Account.username), col(Account.display_name), col(Account.is_active), col(Account.roles))
    return statement.where(col(Account.council) == bindparam("council")).order_by(col(Account.display_name))


@cache
def _session_statement() -> Any:
    return (
        select(
            col(Account.account_id), col(Account.username), col(Account.display_name), col(Account.council), col(Account.roles),
            col(Account.last_visit_at), col(DeskSession.started_at), col(DeskSession.seen_at),
        )
        .join(DeskSession, col(DeskSession.account_id) == col(Account.account_id))
        .where(col(DeskSession.token_hash) == bindparam("token_hash"), col(DeskSession.started_at) > bindparam("since"))
        .where(col(Account.is_active))
    )  # fmt: skip


def has_administrator(connection: Connection) -> bool:
    roles = connection.scalars(select(col(Account.roles)).where(col(Account.is_active)))
    return any(Role.ADMINISTRATOR.value in held for held in roles)
