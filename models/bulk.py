"""Many rows at once, by the database's own upsert."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from operator import is_
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Dialect, Table, Text, cast, func, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

# Parameters that one statement may carry, well below what either database takes.
IDS_AT_ONCE = 500
# Statements kept ready: for each table one or two.
STATEMENTS = 128
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

    Raises
    ------
    ValueError
        Where a value does not fit its column, such as a time without a zone. The value is not in the message.
    """
    if not rows:
        return
    statement = _prepared(table.__table__, tuple(rows[0]), tuple(unless_same), tuple(kept), connection.dialect)  # type: ignore[attr-defined]
    connection.exec_driver_sql(statement.text, statement.values(rows))


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An upsert as the driver takes it: SQLAlchemy would put each row together by itself, which takes longer than storing it.

    `places` are the columns in the statement's order, each with what turns a value into the database's own; `defaults` the values of
    those that the rows leave out; `is_by_name` whether the driver wants a row's values by name rather than in order.
    """

    text: str
    places: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    defaults: Mapping[str, Any]
    is_by_name: bool

    def values(self, rows: Sequence[dict[str, Any]]) -> list[Any]:
        columns = [self._column(name, turn, rows) for name, turn in self.places]
        values = zip(*columns, strict=True)
        if not self.is_by_name:
            return list(values)
        names = [name for name, _ in self.places]
        return [dict(zip(names, row, strict=True)) for row in values]

    def _column(self, name: str, turn: Callable[[Any], Any] | None, rows: Sequence[dict[str, Any]]) -> list[Any]:
        column = [self.defaults[name]] * len(rows) if name in self.defaults else [row[name] for row in rows]
        if turn is None:
            return column
        is_one_value = all(map(is_, column, repeat(column[0])))
        return [turn(column[0])] * len(column) if is_one_value else list(map(turn, column))


@lru_cache(maxsize=STATEMENTS)
def _prepared(table: Table, names: tuple[str, ...], unless_same: tuple[str, ...], kept: tuple[str, ...], dialect: Dialect) -> _Prepared:
    keys = [column.name for column in table.primary_key]
    insert = INSERTS[dialect.name](table)
    changed = {name: insert.excluded[name] for name in names if name not in {*keys, *kept}}
    differs = or_(*(table.c[name].is_distinct_from(insert.excluded[name]) for name in unless_same)) if unless_same else None
    if changed:
        insert = insert.on_conflict_do_update(index_elements=keys, set_=changed, where=differs)
    else:
        insert = insert.on_conflict_do_nothing(index_elements=keys)
    compiled = insert.compile(dialect=dialect, column_keys=list(names))
    columns = [table.c[name] for name in compiled.positiontup or compiled.binds]
    places = tuple((column.name, column.type.dialect_impl(dialect).bind_processor(dialect)) for column in columns)
    defaults = {column.name: column.default.arg for column in columns if column.name not in names}
    return _Prepared(compiled.string, places, defaults, is_by_name=not compiled.positional)


def among(connection: Connection, column: Any, ids: Sequence[str]) -> ColumnElement[bool]:
    """Whether a column holds one of these ids, however many: they go as one parameter."""
    named = literal(json.dumps(list(ids)), Text)
    each = func.json_each(named) if connection.dialect.name == "sqlite" else func.json_array_elements_text(cast(named, JSON))
    here: ColumnElement[bool] = column.in_(select(each.table_valued("value").c.value))
    return here


def portions(ids: Sequence[str]) -> Iterator[list[str]]:
    """Ids, as many at a time as one statement may name."""
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield list(ids[start : start + IDS_AT_ONCE])
