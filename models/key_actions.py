"""Which secret made the keys in the store, and how all of them come under a new one: named actions in the caller's one transaction."""

from collections.abc import Callable
from typing import Any

import sqlalchemy
from sqlalchemy import Column, Connection, MetaData, String, insert, select, update
from sqlmodel import Session

from models.actions import audit
from models.base import tables, utc_now
from models.bulk import upsert
from models.key_state import KeyState
from models.removal import key_columns


def record_keys(session: Session, *, secrets: int, mark: str, by: str) -> None:
    """Remember by what the keys in this store are made, so that another secret is found out before it makes keys of its own."""
    row = {"state_id": 1, "secrets": secrets, "mark": mark, "changed_at": utc_now(), "changed_by": by}
    upsert(session.connection(), KeyState, [row])


def rekey(session: Session, rekeyed: Callable[[str], str], *, secrets: int, mark: str, by: str) -> int:
    """Put every author key in every table under a new secret, in one transaction; returns how many different keys there were."""
    connection = session.connection()
    columns = [(table.__table__, name) for table in tables() for name in key_columns(table)]  # type: ignore[attr-defined]
    keys = {
        key for table, name in columns for key in connection.scalars(select(table.c[name]).where(table.c[name].is_not(None)).distinct())
    }
    pairs = _pairs(connection, [{"old_key": key, "new_key": rekeyed(key)} for key in sorted(keys)])
    for table, name in columns:
        column = table.c[name]
        new = select(pairs.c.new_key).where(pairs.c.old_key == column).scalar_subquery()
        connection.execute(update(table).where(column.is_not(None)).values({name: new}))
    pairs.drop(connection)
    record_keys(session, secrets=secrets, mark=mark, by=by)
    audit(session, by=by, action="rotate_key", subject="author_key", counts={"keys": len(keys), "secrets": secrets})
    return len(keys)


def _pairs(connection: Connection, rows: list[dict[str, Any]]) -> sqlalchemy.Table:
    """Old and new keys side by side, for this transaction alone."""
    table = sqlalchemy.Table(
        "rekeyed",
        MetaData(),
        Column("old_key", String, primary_key=True),
        Column("new_key", String, nullable=False),
        prefixes=["TEMPORARY"],
    )
    table.create(connection)
    if rows:
        connection.execute(insert(table), rows)
    return table
