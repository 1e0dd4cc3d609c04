"""What is asked of accounts and sessions."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select
from sqlmodel import Session, col

from models.account import Account, DeskSession
from models.desk_words import Role


def account_of_session(connection: Connection, token_hash: str, *, now: datetime) -> Any | None:
    """The active account behind a session, with `started_at` and `seen_at`; the caller knows how long a session lasts."""
    statement = (
        select(
            col(Account.account_id), col(Account.username), col(Account.display_name), col(Account.council), col(Account.roles),
            col(Account.last_visit_at), col(DeskSession.started_at), col(DeskSession.seen_at),
        )
        .join(DeskSession, col(DeskSession.account_id) == col(Account.account_id))
        .where(col(DeskSession.token_hash) == token_hash, col(Account.is_active), col(DeskSession.started_at) > now - timedelta(days=1))
    )  # fmt: skip
    return connection.execute(statement).one_or_none()


def account_by_username(session: Session, username: str) -> Account | None:
    return session.scalar(select(Account).where(col(Account.username) == username.strip().lower()))


def account_by_setup(session: Session, setup_hash: str, *, now: datetime) -> Account | None:
    """Whose invitation it is, while it holds."""
    statement = select(Account).where(col(Account.setup_hash) == setup_hash, col(Account.setup_until) > now, col(Account.is_active))
    return session.scalar(statement)


def accounts(connection: Connection, council: str) -> list[Any]:
    statement = select(Account.__table__).where(col(Account.council) == council)  # type: ignore[attr-defined]
    return list(connection.execute(statement.order_by(col(Account.display_name), col(Account.username))))


def names(connection: Connection, council: str) -> dict[str, str]:
    """Display name by user name, for a council's whole staff, those who left too."""
    statement = select(col(Account.username), col(Account.display_name)).where(col(Account.council) == council)
    return {row.username: row.display_name for row in connection.execute(statement.order_by(col(Account.display_name)))}


def officers(connection: Connection, council: str) -> list[Any]:
    """Who leads can be given to: (username, display_name)."""
    rows = [row for row in accounts(connection, council) if row.is_active and Role.OFFICER.value in row.roles]
    return [(row.username, row.display_name) for row in rows]


def has_administrator(connection: Connection) -> bool:
    roles = connection.scalars(select(col(Account.roles)).where(col(Account.is_active)))
    return any(Role.ADMINISTRATOR.value in held for held in roles)


def count_sessions(connection: Connection, account_id: str) -> int:
    return connection.scalar(select(func.count()).select_from(DeskSession).where(col(DeskSession.account_id) == account_id)) or 0
