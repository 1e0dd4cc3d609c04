"""Many rows at once, by the database's own upsert."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Table, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

# Parameters that one statement may carry, well below what either database takes.
IDS_AT_ONCE = 500
INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(
    connection: Connection,
    table: type[SQLModel],
    rows: Sequence[dict[str, Any]],
    *,
    unless_same: Sequence[str] = (),
    kept: Sequence[str] = (),
) -> None:
    """Insert rows, or overwrite the ones whose primary key is there.

    Parameters
    ----------
    rows
        One dictionary a row, all with the same keys; no primary key twice.
    unless_same
        Columns by which a stored row counts as unchanged: where all are equal, it is left alone.
    kept
        Columns that stay as they are in a row that is there.
    """
    if not rows:
        return
    target: Table = table.__table__  # type: ignore[attr-defined]
    keys = [column.name for column in target.primary_key]
    statement = INSERTS[connection.dialect.name](target)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in {*keys, *kept}}
    differs = or_(*(target.c[name].is_distinct_from(statement.excluded[name]) for name in unless_same)) if unless_same else None
    if changed:
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed, where=differs), rows)
    else:
        connection.execute(statement.on_conflict_do_nothing(index_elements=keys), rows)


def portions(ids: Sequence[str]) -> Iterator[list[str]]:
    """Ids, as many at a time as one statement may name."""
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield list(ids[start : start + IDS_AT_ONCE])
